"""Windows of the laboratory by name; the application opens them and knows nothing else of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.command_registry import WindowCommand, make_command
from desktop.window import MainWindow
from desktop.workspace import Workspace
from engine.core.registry import Registry

LAB_WINDOWS: Registry[Callable[[Path, Path, Workspace, MainWindow], None]] = Registry(
    {"review of built dialogues": "desktop.lab.open_review:open_review"}
)
"""Each opens for a folder that a command of the lab wrote and for the data set's folder."""


def lab_commands(workspace: Workspace, window: MainWindow) -> list[WindowCommand]:
    """Returns the commands that open windows of the laboratory."""

    def review_dialogues() -> None:
        """Asks for a folder of built dialogues and for the footage it was built from."""
        settings, known = workspace.settings, workspace.settings.value
        folder = QFileDialog.getExistingDirectory(
            window, "Folder that dialogues build wrote", known.built_folder
        )
        if not folder:
            return
        root = known.built_root if folder == known.built_folder else ""
        root = QFileDialog.getExistingDirectory(
            window, "Folder of the footage it was built from", root
        )
        if root:
            settings.set(replace(known, built_folder=folder, built_root=root))
            open_review = LAB_WINDOWS["review of built dialogues"]
            open_review(Path(folder), Path(root), workspace, window)

    text = "Review &built dialogues…"
    return [make_command("review.built", text, review_dialogues, icon="film", menu="&Review")]
