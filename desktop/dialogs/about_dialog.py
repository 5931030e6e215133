"""Versions and licences of the program, details of an error, and the end of the log."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from desktop.dialogs.text_dialog import TextDialog
from engine.core.errors import SightlineError
from engine.core.problem_report import about, built_from
from engine.core.version import VERSION

_PARTS = "Icons: Lucide, ISC. Qt: LGPL-3.0. FFmpeg with x264 and x265 inside PyAV: GPL-3.0."
_NOTICES = "Licences of all parts: THIRD-PARTY-NOTICES.txt in the folder of the program."
_LOG_LINES = 200  # of the end of the log, enough for the last errors; a choice


class LoggedDialog(TextDialog):
    """Shows text that ends with the log, and opens the folder of the log."""

    def __init__(self, title: str, text: str, log: Path, parent: QWidget) -> None:
        super().__init__(title, text, parent)
        folder = self.buttons.addButton(
            "Open the log folder", QDialogButtonBox.ButtonRole.ActionRole
        )
        folder.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log.parent)))
        )


class AboutDialog(LoggedDialog):
    """Names the versions and shows the end of the log."""

    def __init__(self, log: Path, parent: QWidget) -> None:
        super().__init__("About Sightline", about_text(log), log, parent)


class DetailsDialog(LoggedDialog):
    """Shows all that is known of an error."""

    def __init__(self, error: SightlineError, log: Path, parent: QWidget) -> None:
        parts = [("What", error.what), ("Where", error.where), ("What to do", error.remedy)]
        lines = [f"{name}: {text}" for name, text in parts if text]
        super().__init__("Details", "\n".join([*lines, "", about_text(log)]), log, parent)


def about_text(log: Path) -> str:
    """Returns versions, licence and the end of the log."""
    known = about()
    lines = [
        f"Sightline {VERSION} ({built_from()})",
        "Reviews surveillance footage offline. Apache-2.0.",
        "A score is not a probability of crime; a person decides.",
        "",
        f"Python {known['python']} on {known['system']}",
    ]
    for name, version in known["packages"].items():
        lines.append(f"{name} {version}" if version else f"{name} is not installed")
    lines += ["", _PARTS, _NOTICES, "", str(log)]
    try:
        lines += log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        lines.append("there is no log yet")
    return "\n".join(lines)
