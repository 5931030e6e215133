"""The dialogs of the window, by subject."""

from __future__ import annotations

from pathlib import Path

from desktop.dialog_actions.case_dialogs import CaseDialogs
from desktop.dialog_actions.evidence_dialogs import EvidenceDialogs
from desktop.dialog_actions.export_dialogs import ExportDialogs
from desktop.dialog_actions.help_dialogs import HelpDialogs
from desktop.dialog_actions.review_dialogs import ReviewDialogs
from desktop.window import MainWindow
from desktop.workspace import Workspace


class WindowDialogs:
    """All that the window can ask.

    Args:
        workspace: what is behind the window.
        window: parent of every dialog.
        log: file of the log.
    """

    def __init__(self, workspace: Workspace, window: MainWindow, log: Path) -> None:
        self.case = CaseDialogs(workspace, window)
        self.evidence = EvidenceDialogs(workspace, window)
        self.review = ReviewDialogs(workspace, window)
        self.export = ExportDialogs(workspace, window)
        self.help = HelpDialogs(workspace, window, log)
