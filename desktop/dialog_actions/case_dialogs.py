"""Dialogs about a whole case: opening and copying, report, verification, audit log."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.dialog_actions.subject_dialogs import SubjectDialogs
from engine.case import AuditEntry, Case, CaseInfo


class CaseDialogs(SubjectDialogs):
    """Asks about cases."""

    def new(self) -> None:
        """Asks in which folder a new case is to be made."""
        chosen, _ = QFileDialog.getSaveFileName(self._window, "New case", "Case.case")
        if chosen:
            name = chosen if chosen.endswith(".case") else f"{chosen}.case"
            self._workspace.cases.new(Path(name))

    def open(self) -> None:
        """Asks for the folder of a case."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Open the folder of a case")
        if chosen:
            self._workspace.cases.open(Path(chosen))

    def copy(self) -> None:
        """Asks to which folder the case is to be copied."""
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Copy case to", "Copy.case")
        if chosen:
            self._workspace.cases.copy(Path(chosen))

    def write_report(self) -> None:
        """Asks what a report includes, who is responsible for it, and which file it becomes."""
        session = self._workspace.session
        if session.case is None:
            return
        folder = session.case.path / "derived"

        def show(info: CaseInfo) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.report_dialog import ReportDialog

            evidence = self._workspace.evidence
            dialog = ReportDialog(info, folder, self._window)
            dialog.write.connect(evidence.write_report)
            dialog.preview.connect(evidence.preview_report)
            evidence.previewed.connect(dialog.show_pages)
            dialog.show()

        session.read(lambda case: case.info.get(), show)

    def verify(self) -> None:
        """Asks what a verification is to compare beyond what the case holds."""
        from desktop.dialogs.verify_dialog import VerifyDialog

        VerifyDialog(self._workspace.evidence.verify, self._window).show()

    def show_verification(self, text: str) -> None:
        """Shows the result of a verification, to be read and copied."""
        from desktop.dialogs.text_dialog import TextDialog

        TextDialog("Verification", text, self._window, columns=True).show()

    def show_log(self) -> None:
        """Shows the audit log of the case."""

        def read(case: Case) -> tuple[tuple[AuditEntry, ...], str]:
            with case.database.snapshot():
                return tuple(case.audit.entries()), case.audit.head

        def show(log: tuple[tuple[AuditEntry, ...], str]) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.log_dialog import LogDialog

            dialog = LogDialog(*log, self._window)
            dialog.wrote.connect(
                lambda path: self._window.notice.news(f"The log was written to {path}")
            )
            dialog.failed.connect(self._window.notice.error)
            dialog.show()

        self._workspace.session.read(read, show)
