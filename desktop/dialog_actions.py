"""What needs a dialog, a field or the clipboard before it is done."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from desktop.commands.help_window import HelpWindow
from desktop.commands.lab_windows import LAB_WINDOWS
from desktop.commands.palette import Palette
from desktop.dialogs.about_dialog import AboutDialog, DetailsDialog
from desktop.dialogs.clock_dialog import ClockDialog
from desktop.dialogs.go_to_dialog import GoToDialog
from desktop.dialogs.packs_dialog import PacksDialog
from desktop.panels.chat_text import copied
from desktop.player.view_settings_text import picture_words
from desktop.state.conversation import ShownTurn
from desktop.state.evidence_view import EvidenceView
from desktop.window import MainWindow
from desktop.workspace import Workspace
from engine.case import AuditEntry, Case, CaseDetails
from engine.case.case_search import Remark, remarks_of
from engine.core.errors import BadInputError, SightlineError
from engine.core.times import format_time

_COMPARED = "Clip, each frame as it is beside itself with overlay (*.mp4)"
_SPANS = ";;".join(
    ("Clip with overlay (*.mp4)", _COMPARED, "Arrays (*.npz)", "Regions (*.txt)",
     "Trajectories (*.json)")
)  # fmt: skip


class Asking(QObject):
    """Asks the examiner and hands the answer to an operation; the operations need no dialog.

    Args:
        workspace: what is behind the window.
        window: parent of every dialog.
        log: file of the log.
    """

    def __init__(self, workspace: Workspace, window: MainWindow, log: Path) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._window = window
        self._log = log
        self._packs = PacksDialog(workspace.background, window)

    def new_case(self) -> None:
        """Asks where a new case shall lie."""
        chosen, _ = QFileDialog.getSaveFileName(self._window, "New case", "Case.case")
        if chosen:
            name = chosen if chosen.endswith(".case") else f"{chosen}.case"
            self._workspace.cases.new(Path(name))

    def open_case(self) -> None:
        """Asks for the folder of a case."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Open the folder of a case")
        if chosen:
            self._workspace.cases.open(Path(chosen))

    def copy_case(self) -> None:
        """Asks where the copy of the case shall lie."""
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Copy case to", "Copy.case")
        if chosen:
            self._workspace.cases.copy(Path(chosen))

    def report(self) -> None:
        """Asks what a report includes, who is responsible for it, and where it shall lie."""
        session = self._workspace.session
        if session.case is None:
            return
        folder = session.case.path / "derived"

        def show(details: CaseDetails) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.report_dialog import ReportDialog

            evidence = self._workspace.evidence
            dialog = ReportDialog(details, folder, self._window)
            dialog.write.connect(evidence.report)
            dialog.preview.connect(evidence.preview)
            evidence.previewed.connect(dialog.show_pages)
            dialog.show()

        session.read(lambda case: case.details.get(), show)

    def verify(self) -> None:
        """Asks what a verification shall compare beyond what the case holds."""
        from desktop.dialogs.verify_dialog import VerifyingDialog

        VerifyingDialog(self._workspace.evidence.verify, self._window).show()

    def show_verification(self, text: str) -> None:
        """Shows what a verification found, to be read and copied."""
        from desktop.dialogs.text_dialog import TextDialog

        TextDialog("Verification", text, self._window, columns=True).show()

    def log(self) -> None:
        """Shows the audit log of the case."""

        def read(case: Case) -> tuple[tuple[AuditEntry, ...], str]:
            with case.database.snapshot():
                return tuple(case.audit.entries()), case.audit.head

        def show(found: tuple[tuple[AuditEntry, ...], str]) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.log_dialog import LogDialog

            dialog = LogDialog(*found, self._window)
            dialog.wrote.connect(
                lambda path: self._window.notice.news(f"The log was written to {path}")
            )
            dialog.failed.connect(self._window.notice.error)
            dialog.show()

        self._workspace.session.read(read, show)

    def find(self, here: bool = False) -> None:
        """Lists what is said in the case.

        Args:
            here: whether only what is about the moment on screen.
        """

        def show(remarks: tuple[Remark, ...]) -> None:
            # Imported here because the window opens without it.
            from desktop.dialogs.search_dialog import RemarksDialog

            names = {one.id: one.name for one in self._workspace.session.items}
            dialog = RemarksDialog(remarks, names, self._moment, self._window)
            dialog.chosen.connect(self._workspace.finding.go_to_remark)
            dialog.here.setChecked(here)
            dialog.show()

        self._workspace.session.read(remarks_of, show)

    def _moment(self) -> tuple[int, float] | None:
        view, shown = self._workspace.state.evidence.value, self._workspace.state.shown.value
        return None if view is None or shown is None else (view.evidence.id, shown.seconds)

    def add_files(self) -> None:
        """Asks for videos."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, "Add evidence")
        if chosen:
            self._workspace.cases.open_any([Path(one) for one in chosen])

    def add_folder(self) -> None:
        """Asks for a folder of videos or of numbered images."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Add a folder")
        if chosen:
            self._workspace.cases.open_any([Path(chosen)])

    def relink(self, evidence_id: int | None = None) -> None:
        """Asks where evidence lies now; None takes what is shown."""
        view = self._workspace.state.evidence.value
        wanted = evidence_id or (None if view is None else view.evidence.id)
        if wanted is not None:
            chosen, _ = QFileDialog.getOpenFileName(self._window, "Where the file lies now")
            if chosen:
                self._workspace.evidence.relink(wanted, Path(chosen))

    def export_still(self) -> None:
        """Asks where the frame on screen shall lie."""
        view, shown = self._workspace.state.evidence.value, self._workspace.state.shown.value
        if view is None or shown is None:
            return
        to, _ = self._export_place(view, f"frame-{shown.index}.png", "Picture (*.png)")
        if to is not None:
            self._workspace.evidence.export(to, float(view.seconds[shown.index]))

    def mark_still(self) -> None:
        """Lets the examiner mark the frame on screen and export it."""
        still = self._window.player.still(overlay=False)
        view, shown = self._workspace.state.evidence.value, self._workspace.state.shown.value
        if still is None or view is None or shown is None:
            self._window.notice.error(
                BadInputError("there is no exact frame to mark yet", "", "wait for the frame")
            )
            return
        # Imported here because the window opens without it.
        from desktop.dialogs.marking_dialog import MarkingDialog

        name, seconds = f"frame-{shown.index}.png", float(view.seconds[shown.index])

        def export(marks: list[dict[str, Any]]) -> None:
            to, _ = self._export_place(view, name, "Picture (*.png)")
            if to is not None:
                self._workspace.evidence.export(to, seconds, marks=marks)

        dialog = MarkingDialog(still, self._frame_words(), self._window)
        dialog.export.connect(export)
        dialog.open()

    def export_span(self) -> None:
        """Asks where the marked span, or the selected event, shall lie, and in which form."""
        view = self._workspace.state.evidence.value
        span = self._workspace.review.span_at_hand()
        if view is None or span is None:
            self._window.notice.error(
                BadInputError("no span to export", "", "set in and out marks, or select an event")
            )
            return
        to, kind = self._export_place(view, "clip.mp4", _SPANS)
        if to is not None:
            self._workspace.evidence.export(to, *span, compared=kind == _COMPARED)

    def _export_place(self, view: EvidenceView, name: str, kinds: str) -> tuple[Path | None, str]:
        """Asks for a file; returns it, None without, and which of the kinds it is to be."""
        case = self._workspace.session.case
        if case is None:
            return None, ""
        there = case.path / "derived" / f"{Path(view.evidence.name).stem}-{name}"
        chosen, kind = QFileDialog.getSaveFileName(self._window, "Export", str(there), kinds)
        return (Path(chosen) if chosen else None), kind

    def built(self) -> None:
        """Asks for a folder of built dialogues and for the footage it was built from."""
        window, settings = self._window, self._workspace.settings
        known = settings.value
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
            self.review_built(Path(folder), Path(root))

    def review_built(self, folder: Path, root: Path) -> None:
        """Lets the examiner go through built dialogues."""
        open_review = LAB_WINDOWS["review of built dialogues"]
        open_review(folder, root, self._workspace, self._window)

    def properties(self) -> None:
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

    def go_to(self) -> None:
        """Asks for a time or a frame."""
        GoToDialog(self._workspace.review.go_to, self._window).open()

    def clock(self) -> None:
        """Asks what the burned-in clock reads."""
        view = self._workspace.state.evidence.value
        shown = self._workspace.state.shown.value
        if view is not None and shown is not None:
            set_offset = partial(self._workspace.review.set_clock, view.evidence.id)
            known = view.clock_offset_s is not None
            ClockDialog(shown.seconds, known, set_offset, self._window).open()

    def copy_frame(self, overlay: bool) -> None:
        """Puts the frame on the clipboard; its description says which one it is."""
        still = self._window.player.still(overlay)
        if still is None:
            self._window.notice.error(
                BadInputError("there is no exact frame to copy yet", "", "wait for the frame")
            )
            return
        said = self._frame_words()
        # A QMimeData of Python's would outlive the interpreter and crash the end of the program.
        still.setText("Description", said)
        QGuiApplication.clipboard().setImage(still)
        self._window.notice.news(f"On the clipboard, in decoded size: {said}")

    def copy_turn(self, turn: ShownTurn) -> None:
        """Puts a turn of the dialogue on the clipboard, with what it rests on."""
        view = self._workspace.state.evidence.value
        if view is not None:
            QGuiApplication.clipboard().setText(copied(turn, view.evidence.name))
            self._window.notice.news("The turn is on the clipboard, with its citations")

    def name_bookmark(self) -> None:
        """Bookmarks, and lets the examiner type what is to be seen."""
        self._window.reveal(self._window.bookmarks)
        self._window.bookmarks.name_next()
        self._workspace.review.bookmark()

    def write_note(self) -> None:
        """Lets the examiner type a note."""
        self._window.reveal(self._window.notes)
        self._window.notes.begin()

    def amend_note(self) -> None:
        """Lets the examiner amend the selected note."""
        selection = self._workspace.state.selection.value
        if selection is None or selection.kind != "note":
            self._window.notice.error(
                BadInputError("no note is selected", "", "select one in the list of notes")
            )
            return
        self._window.reveal(self._window.notes)
        self._window.notes.amend(selection.id)

    def palette(self) -> None:
        """Lets the examiner search for a command."""
        Palette(self._window.commands, self._window).open()

    def keys(self) -> None:
        """Shows the key map beside the window."""
        HelpWindow(self._window.commands, self._window).show()

    def packs(self) -> None:
        """Shows the packs that are here."""
        self._packs.open_fresh()

    def problem(self) -> None:
        """Shows what would be told of a problem, and asks where it shall lie."""
        # Imported here because the window opens without it.
        from desktop.dialogs.problem_dialog import ProblemDialog

        dialog = ProblemDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        notice = self._window.notice
        dialog.wrote.connect(lambda path: notice.news(f"Nothing was sent. The file lies in {path}"))
        dialog.failed.connect(notice.error)
        dialog.show()

    def about(self) -> None:
        """Shows versions and the end of the log."""
        AboutDialog(self._log, self._window).open()

    def details(self, error: SightlineError) -> None:
        """Shows all that is known of an error."""
        DetailsDialog(error, self._log, self._window).open()

    def _frame_words(self) -> str:
        view, shown = self._workspace.state.evidence.value, self._workspace.state.shown.value
        if view is None or shown is None:
            return ""
        return frame_words(view, shown.index, picture_words(self._workspace.state.picture.value))


def frame_words(view: EvidenceView, frame: int, looks: str) -> str:
    """Says which frame a still shows, and with what view settings.

    Args:
        view: the evidence.
        frame: index of the frame.
        looks: the view settings in words; empty when the frame is shown as decoded.
    """
    where = f"{format_time(float(view.seconds[frame]))}, PTS {int(view.index.pts[frame])}"
    settings = f", view settings: {looks}" if looks else ""
    return f"{view.evidence.name}, frame {frame:,} at {where}{settings}"
