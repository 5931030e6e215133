"""Dialogs about the program itself: commands, keys, packs, problems, versions, errors."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt

from desktop.dialog_actions.subject_dialogs import SubjectDialogs
from desktop.dialogs.about_dialog import AboutDialog, DetailsDialog
from desktop.dialogs.command_palette import CommandPalette
from desktop.dialogs.keys_window import KeysWindow
from desktop.dialogs.packs_dialog import PacksDialog
from desktop.window import MainWindow
from desktop.workspace import Workspace
from engine.core.errors import SightlineError


class HelpDialogs(SubjectDialogs):
    """Shows what the examiner may want to know of the program.

    Args:
        workspace: what is behind the window.
        window: parent of every dialog.
        log: file of the log.
    """

    def __init__(self, workspace: Workspace, window: MainWindow, log: Path) -> None:
        super().__init__(workspace, window)
        self._log = log
        self._packs = PacksDialog(workspace.background, window)

    def find_command(self) -> None:
        """Lets the examiner search for a command."""
        CommandPalette(self._window.commands, self._window).open()

    def show_keys(self) -> None:
        """Shows the key map beside the window."""
        KeysWindow(self._window.commands, self._window).show()

    def show_packs(self) -> None:
        """Shows the packs that are installed."""
        self._packs.open_fresh()

    def report_problem(self) -> None:
        """Shows all that a problem report would contain, and asks for its file."""
        # Imported here because the window opens without it.
        from desktop.dialogs.problem_dialog import ProblemDialog

        dialog = ProblemDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        notice = self._window.notice
        dialog.wrote.connect(lambda path: notice.news(f"Nothing was sent. The file lies in {path}"))
        dialog.failed.connect(notice.error)
        dialog.show()

    def show_about(self) -> None:
        """Shows versions and the end of the log."""
        AboutDialog(self._log, self._window).open()

    def show_details(self, error: SightlineError) -> None:
        """Shows all that is known of an error."""
        DetailsDialog(error, self._log, self._window).open()
