"""What leaves the window as a file or over the clipboard: stills, clips, data, turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from desktop.dialog_actions.subject_dialogs import SubjectDialogs
from desktop.panels.chat_text import turn_text
from desktop.player.view_settings_text import picture_words
from desktop.state.conversation import ShownTurn
from desktop.state.evidence_view import EvidenceView
from engine.core.errors import BadInputError
from engine.core.times import format_time

_COMPARED = "Clip, original and overlay side by side (*.mp4)"
_SPAN_FORMS = ";;".join(
    ("Clip with overlay (*.mp4)", _COMPARED, "Arrays (*.npz)", "Regions (*.txt)",
     "Trajectories (*.json)")
)  # fmt: skip


class ExportDialogs(SubjectDialogs):
    """Asks about exports, and copies to the clipboard."""

    def export_still(self) -> None:
        """Asks to which file the frame on screen is to be exported."""
        if on_screen := self._frame_on_screen():
            view, frame = on_screen
            self._export_still(view, frame.index)

    def mark_still(self) -> None:
        """Lets the examiner mark the frame on screen and export it."""
        still, on_screen = self._window.player.still(overlay=False), self._frame_on_screen()
        if still is None or on_screen is None:
            self._refuse("there is no exact frame to mark yet", "wait for the frame")
            return
        # Imported here because the window opens without it.
        from desktop.dialogs.marking_dialog import MarkingDialog

        view, index = on_screen[0], on_screen[1].index
        dialog = MarkingDialog(still, self._frame_description(), self._window)
        dialog.export.connect(lambda marks: self._export_still(view, index, marks))
        dialog.open()

    def export_span(self) -> None:
        """Asks to which file the marked span or the selected event is to be exported."""
        view = self._workspace.state.evidence.value
        span = self._workspace.review.current_span()
        if view is None or span is None:
            self._refuse("no span to export", "set in and out marks, or select an event")
            return
        path, form = self._ask_file(view, "clip.mp4", _SPAN_FORMS)
        if path is not None:
            self._workspace.evidence.export(path, *span, compared=form == _COMPARED)

    def copy_frame(self, overlay: bool) -> None:
        """Puts the frame on the clipboard; its description says which one it is."""
        still = self._window.player.still(overlay)
        if still is None:
            self._refuse("there is no exact frame to copy yet", "wait for the frame")
            return
        description = self._frame_description()
        # A QMimeData of Python's would outlive the interpreter and crash the end of the program.
        still.setText("Description", description)
        QGuiApplication.clipboard().setImage(still)
        self._window.notice.news(f"On the clipboard, in decoded size: {description}")

    def copy_turn(self, turn: ShownTurn) -> None:
        """Puts a turn of the dialogue on the clipboard, with its citations."""
        view = self._workspace.state.evidence.value
        if view is not None:
            QGuiApplication.clipboard().setText(turn_text(turn, view.evidence.name))
            self._window.notice.news("The turn is on the clipboard, with its citations")

    def _export_still(
        self, view: EvidenceView, index: int, marks: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        path, _ = self._ask_file(view, f"frame-{index}.png", "Picture (*.png)")
        if path is not None:
            self._workspace.evidence.export(path, float(view.seconds[index]), marks=marks)

    def _ask_file(self, view: EvidenceView, name: str, forms: str) -> tuple[Path | None, str]:
        """Asks for a file; returns it, None without, and which of the forms was chosen."""
        case = self._workspace.session.case
        if case is None:
            return None, ""
        proposed = case.path / "derived" / f"{Path(view.evidence.name).stem}-{name}"
        chosen, form = QFileDialog.getSaveFileName(self._window, "Export", str(proposed), forms)
        return (Path(chosen) if chosen else None), form

    def _refuse(self, what: str, remedy: str) -> None:
        self._window.notice.error(BadInputError(what, "", remedy))

    def _frame_description(self) -> str:
        """Says which frame is on screen, and with what view settings."""
        on_screen = self._frame_on_screen()
        if on_screen is None:
            return ""
        view, frame = on_screen[0], on_screen[1].index
        where = f"{format_time(float(view.seconds[frame]))}, PTS {int(view.index.pts[frame])}"
        settings = picture_words(self._workspace.state.picture.value)
        suffix = f", view settings: {settings}" if settings else ""
        return f"{view.evidence.name}, frame {frame:,} at {where}{suffix}"
