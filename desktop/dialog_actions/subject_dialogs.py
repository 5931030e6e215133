"""What the dialogs of every subject share."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import ShownFrame
from desktop.window import MainWindow
from desktop.workspace import Workspace


class SubjectDialogs(QObject):
    """Asks the examiner and hands the answer to an operation; the operations need no dialog.

    Args:
        workspace: what is behind the window.
        window: parent of every dialog.
    """

    def __init__(self, workspace: Workspace, window: MainWindow) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._window = window

    def _frame_on_screen(self) -> tuple[EvidenceView, ShownFrame] | None:
        """Returns the evidence and the frame on screen; None when there is none."""
        state = self._workspace.state
        view, frame = state.evidence.value, state.shown.value
        return None if view is None or frame is None else (view, frame)
