"""Evidence: adding, analysing, recalibrating, verifying, reporting, exporting, relinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal

from desktop.operations.channel_choice import SCENE_ALONE, ChannelChoice, choice_of
from desktop.operations.dropped_files import in_time_order
from desktop.operations.operations import Operations
from desktop.operations.verification_text import verification_summary, verification_text
from desktop.session.background import Background
from desktop.session.case_edits import ChooseRun, Relink
from desktop.session.engine_work import Done
from desktop.session.session import Session
from desktop.session.user_settings import UserSettings
from desktop.state.evidence_view import EvidenceView, Polygon
from desktop.state.observable import Observable
from engine import protocol
from engine.case import Case, CaseInfo, EvidenceRow, refuse_beside_evidence
from engine.core.errors import SightlineError
from engine.media import hash_evidence


class EvidenceOperations(Operations):
    """Does what the examiner asks for with evidence.

    Args:
        session: the open case.
        settings: of the window.
        background: for hashing.
    """

    verified = Signal(bool, str)
    """Evidence, records and audit chain were verified: whether all agree, and a summary."""

    compared = Signal(str)
    """The result with every hash, when more was compared than what the case holds."""

    previewed = Signal(object)
    """list[Path]: images of the pages of a report."""

    adding = Signal(object)
    """Path: the first of the files that are being added."""

    beside_evidence = Signal(object, object)
    """The case would lie beside evidence: the folder, and list[Path] that was not added."""

    def __init__(
        self, session: Session, settings: Observable[UserSettings], background: Background
    ) -> None:
        super().__init__(session)
        self._settings = settings
        self._background = background

    def add(self, paths: Sequence[Path], beside_evidence: bool = False, copy: bool = False) -> None:
        """Adds files or folders of images in time order, and analyses them when that is set.

        Args:
            paths: the evidence.
            beside_evidence: whether the examiner insists on a case beside it.
            copy: whether the case keeps a copy and reads that.
        """
        case, work = self._session.case, self._writable_work()
        if case is None or work is None:
            return
        ordered = in_time_order(paths)
        try:
            refuse_beside_evidence(case.path, ordered, beside_evidence)
        except SightlineError as error:
            self.beside_evidence.emit(error.where, ordered)
            return
        if ordered:
            self.adding.emit(ordered[0])
        for index, path in enumerate(ordered):
            work.ask(
                f"adding {path.name}",
                protocol.ADD,
                partial(self._on_add, index == 0, path.name),
                path=str(path),
                beside_evidence=beside_evidence,
                copy=copy,
            )

    def analyse(
        self,
        evidence_id: int,
        mode: str = "auto",
        name: str = "",
        channels: ChannelChoice | None = None,
    ) -> None:
        """Analyses evidence; an unfinished run is resumed.

        Args:
            evidence_id: the evidence.
            mode: `auto`, `resume` or `fresh`, as on the command line.
            name: of the evidence, when the list does not contain it yet.
            channels: which channels run, and with which prompts; None takes those of the run on
                screen, or the scene channel alone.
        """
        work = self._writable_work()
        if work is not None and work.item_of(evidence_id) is None:
            work.ask(
                f"analysing {name or self._name(evidence_id)}",
                protocol.ANALYSE,
                lambda fields: self.make_current(evidence_id, int(fields["run"]["run_id"])),
                evidence_id,
                evidence_id=evidence_id,
                mode=mode,
                stride=self._settings.value.stride,
                **(channels or self._channels_of(evidence_id)).fields(),
            )

    def make_current(self, evidence_id: int, run_id: int) -> None:
        """Makes a finished run the current one of its evidence, and shows it."""

        def read(case: Case) -> tuple[int | None, int | None]:
            finished = [run.id for run in case.runs.all(evidence_id) if run.state == "finished"]
            newest = bool(finished) and finished[-1] == run_id
            return case.evidence.get(evidence_id).current_run, None if newest else run_id

        def choose(before_and_after: tuple[int | None, int | None]) -> None:
            before, after = before_and_after
            if before == after:
                self._session.reload()
            else:
                self._session.editor.edit(ChooseRun(evidence_id, after))

        self._session.read(read, choose)

    def _channels_of(self, evidence_id: int) -> ChannelChoice:
        view = self._state.evidence.value
        if view is None or view.evidence.id != evidence_id:
            return SCENE_ALONE
        return choice_of(view.run)

    def cancel(self) -> None:
        """Stops the work in progress."""
        work = self._session.work
        if work is not None and work.items:
            work.cancel(work.items[0].request_id)

    def recalibrate(
        self,
        view: EvidenceView,
        normal_spans: Sequence[tuple[float, float]],
        ignore: Sequence[Polygon],
        interest: Sequence[Polygon],
    ) -> None:
        """Calibrates anew and computes scores and events again, without decoding."""
        work, run = self._writable_work(), view.run
        if work is not None and (run is None or run.state != "finished"):
            self._refuse("nothing to recalibrate yet", view.evidence.name, "analyse it first")
        elif work is not None and run is not None:
            work.ask(
                f"recalibrating {view.evidence.name}",
                protocol.RECALIBRATE,
                self._on_recalibration,
                view.evidence.id,
                run_id=run.id,
                normal_spans=[list(span) for span in normal_spans],
                ignore=[[list(point) for point in polygon] for polygon in ignore],
                interest=[[list(point) for point in polygon] for polygon in interest],
            )

    def verify(self, head: str = "", also: Sequence[str] = ()) -> None:
        """Verifies evidence, records and audit chain; `compared` follows when more is compared.

        Args:
            head: of the audit log, as written down elsewhere; empty without.
            also: names of further hashes of the evidence.
        """

        def show(fields: dict[str, Any]) -> None:
            self._on_verification(fields)
            if head or also:
                self.compared.emit(verification_text(fields))

        if work := self._writable_work():
            work.ask("verifying the case", protocol.VERIFY, show, head=head or None,
                     also=list(also))  # fmt: skip

    def write_report(self, to: Path, tagged: bool, info: CaseInfo) -> None:
        """Writes a report.

        Args:
            to: the file; its ending gives the form.
            tagged: whether only what has a tag is included.
            info: who is responsible for it; stored in the case.
        """
        self._request_report(
            f"writing {to.name}",
            info,
            lambda fields: self.news.emit(
                f"The report lies in {to}, SHA-256 {fields.get('sha256')}"
            ),
            to=str(to),
            tagged=tagged,
        )

    def preview_report(self, tagged: bool, info: CaseInfo) -> None:
        """Renders the pages of a report as images; `previewed` follows."""
        self._request_report(
            "setting a preview of the report",
            info,
            lambda fields: self.previewed.emit([Path(page) for page in fields["pages"]]),
            preview=True,
            tagged=tagged,
        )

    def export(
        self,
        to: Path,
        start: float,
        end: float | None = None,
        marks: Sequence[Mapping[str, Any]] = (),
        compared: bool = False,
    ) -> None:
        """Exports from the run on screen; the ending of the file gives the form.

        Args:
            to: the file; a still is written twice, without and with overlay.
            start: stream time of the first frame, or of the only one.
            end: of the last frame; None for a still.
            marks: drawn over a still, which is then written a third time.
            compared: whether a clip shows each frame twice, without and with overlay.
        """
        work, view = self._writable_work(), self._state.evidence.value
        if work is not None and (view is None or view.run is None):
            self._refuse("nothing to export yet", "", "analyse it first")
        elif work is not None and view is not None and view.run is not None:
            work.ask(
                f"exporting {to.name}",
                protocol.EXPORT,
                self._on_export,
                view.evidence.id,
                to=str(to),
                evidence_id=view.evidence.id,
                run_id=view.run.id,
                start=start,
                end=end,
                marks=list(marks),
                compared=compared,
            )

    def _on_export(self, fields: dict[str, Any]) -> None:
        files = [f"{file['path']} (SHA-256 {file['sha256']})" for file in fields.get("files", [])]
        self.news.emit(f"Exported {' and '.join(files)}")

    def _request_report(self, title: str, info: CaseInfo, done: Done, **fields: object) -> None:
        work = self._writable_work()
        if work is None:
            return

        def store(case: Case) -> None:
            with case.change() as change:
                change.info.set(**info.__dict__)

        def ask(_none: None) -> None:
            work.ask(title, protocol.REPORT, done, **fields)

        # The engine process reads the names, so they must be in the case before it is asked.
        self._session.write(store, ask)

    def relink(self, evidence_id: int, path: Path) -> None:
        """Sets the path of moved evidence, if the file there has the same hash."""

        def compare(recorded: str, computed: str) -> None:
            if recorded == computed:
                self._session.editor.edit(Relink(evidence_id, str(path.absolute())))
                self.news.emit(f"{path.name} is the same file and was relinked")
            else:
                self._refuse("not the same file", path, "choose the original; hashes differ")

        def hash_file(row: EvidenceRow) -> None:
            self._background.run(
                lambda cancel, progress: hash_evidence(path, cancel=cancel, progress=progress)[
                    "sha256"
                ],
                lambda computed: compare(row.sha256, computed),
                self.problem.emit,
            )

        self._session.read(lambda case: case.evidence.get(evidence_id), hash_file)

    def next_file(self, step: int = 1) -> None:
        """Shows the next piece of evidence of the list, or the one before."""
        items, view = self._session.items, self._state.evidence.value
        ids = [item.id for item in items]
        if view is not None and view.evidence.id in ids:
            index = ids.index(view.evidence.id) + step
            if 0 <= index < len(ids):
                self._session.show(ids[index])

    def _on_add(self, first: bool, name: str, fields: dict[str, Any]) -> None:
        evidence_id = int(fields["evidence_id"])
        self._session.relist()
        if first:
            self._session.show(evidence_id)
        if self._settings.value.analyse_on_adding:
            self.analyse(evidence_id, name=name)

    def _on_recalibration(self, fields: dict[str, Any]) -> None:
        self._session.reload()
        self.news.emit(
            f"Recalibrated in {float(fields.get('wall_s', 0)):.1f} s: "
            f"{fields.get('events', 0)} events"
        )

    def _on_verification(self, fields: dict[str, Any]) -> None:
        evidence = fields.get("evidence", [])
        good = frozenset(int(entry["evidence_id"]) for entry in evidence if entry.get("ok"))
        self._session.set_verified(good)
        self.verified.emit(bool(fields.get("ok")), verification_summary(fields))
        self._session.reload()

    def _name(self, evidence_id: int) -> str:
        names = [item.name for item in self._session.items if item.id == evidence_id]
        return names[0] if names else f"evidence {evidence_id}"
