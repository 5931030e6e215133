"""Dialogs about evidence: adding and locating files, the burned-in clock, properties."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.dialog_actions.subject_dialogs import SubjectDialogs
from desktop.dialogs.clock_dialog import ClockDialog
from engine.case import Case


class EvidenceDialogs(SubjectDialogs):
    """Asks about evidence."""

    def add_files(self) -> None:
        """Asks for videos."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Add evidence")
        if chosen:
            self._workspace.cases.open_any([Path(name) for name in chosen])

    def add_folder(self) -> None:
        """Asks for a folder of videos or of numbered images."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Add a folder")
        if chosen:
            self._workspace.cases.open_any([Path(chosen)])

    def locate(self, evidence_id: int | None = None) -> None:
        """Asks for the file that evidence is in now; None stands for the evidence on screen."""
        view = self._workspace.state.evidence.value
        moved_id = evidence_id or (None if view is None else view.evidence.id)
        if moved_id is not None:
            chosen, _ = QFileDialog.getOpenFileName(self._window, "Locate file")
            if chosen:
                self._workspace.evidence.relink(moved_id, Path(chosen))

    def set_clock(self) -> None:
        """Asks what the burned-in clock reads in the frame on screen."""
        if on_screen := self._frame_on_screen():
            view, frame = on_screen
            set_offset = partial(self._workspace.review.set_clock, view.evidence.id)
            known = view.clock_offset_s is not None
            ClockDialog(frame.seconds, known, set_offset, self._window).open()

    def show_properties(self) -> None:
        """Shows what is known of the evidence on screen."""
        view = self._workspace.state.evidence.value
        if view is None:
            return
        evidence_id = view.evidence.id

        def read(case: Case) -> str:
            # Imported here because the window opens without it.
            from desktop.dialogs.properties_text import properties_text

            row, streams = case.evidence.get(evidence_id), case.evidence.streams(evidence_id)
            return properties_text(row, streams, case.evidence.mismatches(evidence_id))

        def show(text: str) -> None:
            from desktop.dialogs.text_dialog import TextDialog

            TextDialog("Properties of the evidence", text, self._window, columns=True).show()

        self._workspace.session.read(read, show)
