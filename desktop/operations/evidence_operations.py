"""Evidence: adding, analysing, recalibrating, checking, relinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.operations.channel_choice import SCENE_ALONE, ChannelChoice, choice_of
from desktop.operations.dropped_files import in_time_order
from desktop.operations.verification_text import findings, findings_text
from desktop.session.background import Background
from desktop.session.case_edits import ChooseRun, Relink
from desktop.session.engine_work import Done
from desktop.session.session import Session
from desktop.session.user_settings import UserSettings
from desktop.state.evidence_view import EvidenceView, Polygon
from desktop.state.observable import Observable
from engine import protocol
from engine.case import Case, CaseDetails, EvidenceRow, refuse_beside_evidence
from engine.core.errors import BadInputError, ResourceError, SightlineError
from engine.media import hash_evidence


class EvidenceOperations(QObject):
    """Does what the examiner asks for with evidence.

    Args:
        session: the open case.
        settings: of the window.
        background: for hashing.
    """

    verified = Signal(bool, str)
    """Evidence, records and chain were checked: whether all is well, and what was found."""

    compared = Signal(str)
    """What was found, with every hash, where more than the case's own was compared."""

    previewed = Signal(object)
    """list[Path]: pictures of the pages of a report."""

    adding = Signal(object)
    """Path of the first of the files that are being added."""

    beside_evidence = Signal(object, object)
    """The case would lie beside evidence: the folder, and list[Path] that was not added."""

    said = Signal(str)
    """Something was done that is not seen otherwise."""

    problem = Signal(object)
    """A SightlineError to be shown once."""

    def __init__(
        self, session: Session, settings: Observable[UserSettings], background: Background
    ) -> None:
        super().__init__()
        self._session = session
        self._settings = settings
        self._background = background

    def add(self, paths: Sequence[Path], beside_evidence: bool = False, copy: bool = False) -> None:
        """Adds files or folders of images in time order, and analyses them when that is set.

        Args:
            paths: the evidence.
            beside_evidence: whether the examiner insists on a case beside it.
            copy: whether the case keeps a copy and reads that.
        """
        session = self._session
        if session.case is None or session.work is None:
            self.problem.emit(self.cannot_write())
            return
        ordered = in_time_order(paths)
        try:
            refuse_beside_evidence(session.case.path, ordered, beside_evidence)
        except SightlineError as error:
            self.beside_evidence.emit(error.where, ordered)
            return
        if ordered:
            self.adding.emit(ordered[0])
        for place, path in enumerate(ordered):
            first = place == 0
            session.work.ask(
                f"adding {path.name}",
                protocol.ADD,
                partial(self._added, first, path.name),
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
        """Analyses evidence; an unfinished run goes on.

        Args:
            evidence_id: the evidence.
            mode: `auto`, `resume` or `fresh`, as on the command line.
            name: what it is called, when the list does not know it yet.
            channels: which channels run, and what the text channel is asked; None takes those of
                the run on screen, or the scene channel alone.
        """
        work = self._session.work
        if work is None:
            self.problem.emit(self.cannot_write())
        elif work.item_of(evidence_id) is None:
            work.ask(
                f"analysing {name or self._name(evidence_id)}",
                protocol.ANALYSE,
                lambda fields: self.let_count(evidence_id, int(fields["run"]["run_id"])),
                evidence_id,
                evidence_id=evidence_id,
                mode=mode,
                stride=self._settings.value.stride,
                **(channels or self._channels_of(evidence_id)).fields(),
            )

    def let_count(self, evidence_id: int, run_id: int) -> None:
        """Lets a finished run count for its evidence, and shows it."""

        def wanted(case: Case) -> tuple[int | None, int | None]:
            finished = [one.id for one in case.runs.all(evidence_id) if one.state == "finished"]
            newest = bool(finished) and finished[-1] == run_id
            return case.evidence.get(evidence_id).current_run, None if newest else run_id

        def choose(found: tuple[int | None, int | None]) -> None:
            before, after = found
            if before == after:
                self._session.reload()
            else:
                self._session.editor.edit(ChooseRun(evidence_id, after))

        self._session.read(wanted, choose)

    def _channels_of(self, evidence_id: int) -> ChannelChoice:
        view = self._session.state.evidence.value
        shown = view is not None and view.evidence.id == evidence_id
        return choice_of(view.run) if view is not None and shown else SCENE_ALONE

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
        """Learns anew what is usual and derives scores and events again, without decoding."""
        work, run = self._session.work, view.run
        if work is None:
            self.problem.emit(self.cannot_write())
        elif run is None or run.state != "finished":
            self.problem.emit(
                BadInputError("nothing to recalibrate yet", view.evidence.name, "analyse it first")
            )
        else:
            work.ask(
                f"recalibrating {view.evidence.name}",
                protocol.RECALIBRATE,
                self._recalibrated,
                view.evidence.id,
                run_id=run.id,
                normal_spans=[list(span) for span in normal_spans],
                ignore=[[list(point) for point in one] for one in ignore],
                interest=[[list(point) for point in one] for one in interest],
            )

    def verify(self, head: str = "", also: Sequence[str] = ()) -> None:
        """Checks evidence, records and chain; `compared` follows when there is more to compare.

        Args:
            head: of the audit log, noted elsewhere; empty without.
            also: other hashes of the evidence.
        """
        work = self._session.work

        def checked(fields: dict[str, Any]) -> None:
            self._checked(fields)
            if head or also:
                self.compared.emit(findings_text(fields))

        if work is None:
            self.problem.emit(self.cannot_write())
        else:
            work.ask("verifying the case", protocol.VERIFY, checked, head=head or None,
                     also=list(also))  # fmt: skip

    def report(self, to: Path, tagged: bool, details: CaseDetails) -> None:
        """Writes a report.

        Args:
            to: the file; its ending says in which form.
            tagged: whether only what has a tag is included.
            details: who is responsible for it; kept in the case.
        """
        self._report(
            f"writing {to.name}",
            details,
            lambda fields: self.said.emit(
                f"The report lies in {to}, SHA-256 {fields.get('sha256')}"
            ),
            to=str(to),
            tagged=tagged,
        )

    def preview(self, tagged: bool, details: CaseDetails) -> None:
        """Sets a report as pictures of its pages; `previewed` follows."""
        self._report(
            "setting a preview of the report",
            details,
            lambda fields: self.previewed.emit([Path(one) for one in fields["pages"]]),
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
        """Exports from the run on screen; the file's ending says in which form.

        Args:
            to: the file; a still comes plain, and beside it overlaid.
            start: stream time of the first frame, or of the only one.
            end: of the last frame; None for a still.
            marks: over a still, which is then written a third time with them.
            compared: whether each frame of a clip stands as it is beside itself with overlay.
        """
        work, view = self._session.work, self._session.state.evidence.value
        if work is None:
            self.problem.emit(self.cannot_write())
        elif view is None or view.run is None:
            self.problem.emit(BadInputError("nothing to export yet", "", "analyse it first"))
        else:
            work.ask(
                f"exporting {to.name}",
                protocol.EXPORT,
                self._exported,
                view.evidence.id,
                to=str(to),
                evidence_id=view.evidence.id,
                run_id=view.run.id,
                start=start,
                end=end,
                marks=list(marks),
                compared=compared,
            )

    def _exported(self, fields: dict[str, Any]) -> None:
        files = [f"{one['path']} (SHA-256 {one['sha256']})" for one in fields.get("files", [])]
        self.said.emit(f"Exported {' and '.join(files)}")

    def _report(self, title: str, details: CaseDetails, done: Done, **fields: object) -> None:
        work = self._session.work
        if work is None:
            self.problem.emit(self.cannot_write())
            return

        def keep(case: Case) -> None:
            with case.change() as change:
                change.details.set(**details.__dict__)

        def ask(_kept: None) -> None:
            work.ask(title, protocol.REPORT, done, **fields)

        # The engine process reads the names, so they must be in the case before it is asked.
        self._session.write(keep, ask)

    def relink(self, evidence_id: int, path: Path) -> None:
        """Says where moved evidence lies now, if that is the same file by its hash."""

        def compared(recorded: str, found: str) -> None:
            if recorded == found:
                self._session.editor.edit(Relink(evidence_id, str(path.absolute())))
                self.said.emit(f"{path.name} is the same file and was relinked")
            else:
                self.problem.emit(
                    BadInputError("not the same file", path, "choose the original; hashes differ")
                )

        def known(row: EvidenceRow) -> None:
            self._background.run(
                lambda cancel, progress: hash_evidence(path, cancel=cancel, progress=progress)[
                    "sha256"
                ],
                lambda found: compared(row.sha256, found),
                self.problem.emit,
            )

        self._session.read(lambda case: case.evidence.get(evidence_id), known)

    def next_file(self, step: int = 1) -> None:
        """Shows the next piece of evidence of the list, or the one before."""
        items, view = self._session.items, self._session.state.evidence.value
        ids = [one.id for one in items]
        if view is not None and view.evidence.id in ids:
            place = ids.index(view.evidence.id) + step
            if 0 <= place < len(ids):
                self._session.show(ids[place])

    def cannot_write(self) -> ResourceError:
        """Returns why the case cannot be changed, as an error to be shown."""
        case = self._session.case
        if case is None:
            return ResourceError("no case is open", "", "open or make one first")
        return ResourceError(
            f"this case is open for reading only: {case.reading_only}",
            case.path,
            "to change something, close it where it is in use, or copy it to another disk",
        )

    def _added(self, first: bool, name: str, fields: dict[str, Any]) -> None:
        evidence_id = int(fields["evidence_id"])
        self._session.relist()
        if first:
            self._session.show(evidence_id)
        if self._settings.value.analyse_on_adding:
            self.analyse(evidence_id, name=name)

    def _recalibrated(self, fields: dict[str, Any]) -> None:
        self._session.reload()
        self.said.emit(
            f"Recalibrated in {float(fields.get('wall_s', 0)):.1f} s: "
            f"{fields.get('events', 0)} events"
        )

    def _checked(self, fields: dict[str, Any]) -> None:
        evidence = fields.get("evidence", [])
        good = frozenset(int(one["evidence_id"]) for one in evidence if one.get("ok"))
        self._session.set_verified(good)
        self.verified.emit(bool(fields.get("ok")), findings(fields))
        self._session.reload()

    def _name(self, evidence_id: int) -> str:
        named = [one.name for one in self._session.items if one.id == evidence_id]
        return named[0] if named else f"evidence {evidence_id}"
