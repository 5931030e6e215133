"""Finding more of the same in all files of the case, and keeping what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.marked_span import bookmark_of, own_event_of
from desktop.operations.review_operations import ReviewOperations
from desktop.operations.search_operations import FindingOperations
from desktop.player.crops import crops
from desktop.session.background import Background
from desktop.session.case_edits import AddBookmark, AddOwnEvent
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.timeline.thumbnails import ThumbnailSource
from engine import protocol
from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.media import IndexCache


@dataclass(frozen=True)
class AlikeMoment:
    """A moment that was found.

    Attributes:
        rank: 1 for the one most alike.
        evidence_id: the file.
        file: its name.
        run_id: the run whose features were read.
        start_s: stream time of its first frame.
        end_s: of its last.
        frame: where it is most alike.
        box: of the target there, in decoded pixels.
        likeness: 1 for what was asked for itself.
        itself: whether it is what was asked for.
    """

    rank: int
    evidence_id: int
    file: str
    run_id: int
    start_s: float
    end_s: float
    frame: int
    box: Box
    likeness: float
    itself: bool


@dataclass(frozen=True)
class Alike:
    """What was found.

    Attributes:
        asked: what was looked for, in words: 'like event 3', 'like "red bag"'.
        moments: most alike first.
        left_out: files that could not be searched, each with the reason.
    """

    asked: str
    moments: tuple[AlikeMoment, ...]
    left_out: tuple[str, ...]


class AlikeOperations(QObject):
    """Asks the engine process for more of the same, and does something with what it finds.

    Args:
        session: the open case.
        evidence: says why a case cannot be changed.
        review: knows the selected event.
        finding: goes to moments of any file.
        background: decodes small pictures.
    """

    problem = Signal(object)
    """A SightlineError to be shown once."""

    said = Signal(str)
    """Something to know that is not seen otherwise."""

    found = Signal(object)
    """An `Alike`."""

    pictured = Signal(object)
    """dict[int, QImage]: small pictures of moments by rank."""

    def __init__(
        self,
        session: Session,
        evidence: EvidenceOperations,
        review: ReviewOperations,
        finding: FindingOperations,
        background: Background,
    ) -> None:
        super().__init__()
        self._session = session
        self._evidence = evidence
        self._review = review
        self._finding = finding
        self._background = background
        self._moments: tuple[AlikeMoment, ...] = ()

    def like_event(self) -> None:
        """Looks for what is like the target of the selected event."""
        row = self._review.selected_event()
        if row is None:
            self.problem.emit(
                BadInputError("no event is selected", "", "select one, or type what to look for")
            )
        else:
            self._ask(f"like event {row.id}", event_id=row.id)

    def like_marks(self) -> None:
        """Looks for what is like the target that was marked last."""
        marks = self._session.state.targets.value
        if not marks:
            self.problem.emit(BadInputError("no marks", "", "mark the target in a frame first"))
            return
        last = marks[-1]
        same = [
            one.fields()
            for one in marks
            if (one.name.casefold(), one.evidence_id) == (last.name.casefold(), last.evidence_id)
        ]
        self._ask(f'like "{last.name}"', marks=same)

    def words(self, text: str) -> None:
        """Looks for what a description fits."""
        line = " ".join(text.split())
        if not line:
            self.problem.emit(BadInputError("no words to look for", "", "type what it looks like"))
        else:
            self._ask(f'like "{line}"', text=line)

    def go_to(self, moment: AlikeMoment) -> None:
        """Shows the frame in which a moment is most alike."""
        self._finding.show(moment.evidence_id, lambda view: self._go(view, moment))

    def bookmark(self, moment: AlikeMoment, text: str) -> None:
        """Bookmarks a moment, and goes there."""

        def keep(view: EvidenceView) -> None:
            self._go(view, moment)
            self._session.editor.edit(AddBookmark(bookmark_of(view, *_span(view, moment), text)))

        self._finding.show(moment.evidence_id, keep)

    def make_event(self, moment: AlikeMoment, text: str) -> None:
        """Makes an event of the examiner's own of a moment, and goes there."""

        def keep(view: EvidenceView) -> None:
            self._go(view, moment)
            self._session.editor.edit(AddOwnEvent(own_event_of(view, *_span(view, moment), text)))

        self._finding.show(moment.evidence_id, keep)

    def _go(self, view: EvidenceView, moment: AlikeMoment) -> None:
        state = self._session.state
        state.playing.set(False)
        state.accumulated.set(False)
        state.position.set(min(moment.frame, len(view.index) - 1))

    def _ask(self, asked: str, **fields: object) -> None:
        work = self._session.work
        if work is None:
            self.problem.emit(self._evidence.cannot_write())
        else:
            title = f"looking for more {asked}"
            work.ask(title, protocol.FIND, partial(self._answered, asked), **fields)

    def _answered(self, asked: str, fields: dict[str, Any]) -> None:
        names = {one.id: one.name for one in self._session.items}
        moments = tuple(_moment(one, names) for one in fields.get("moments", []))
        left_out = tuple(
            f"{names.get(one['evidence_id'], '')}: {one['why']}"
            for one in fields.get("left_out", [])
        )
        self._moments = moments
        self.found.emit(Alike(asked, moments, left_out))
        case = self._session.case
        if moments and case is not None:
            self._session.read(partial(_sources, case.path, moments), partial(self._cut, moments))

    def _cut(
        self, moments: tuple[AlikeMoment, ...], sources: tuple[tuple[int, ThumbnailSource], ...]
    ) -> None:
        """Cuts the pictures of one file after the other, until something else was found."""
        if not sources or moments is not self._moments:
            return
        (evidence_id, source), *rest = sources
        places = {one.rank: (one.frame, one.box) for one in moments
                  if one.evidence_id == evidence_id}  # fmt: skip
        following: Callable[[], None] = partial(self._cut, moments, tuple(rest))

        def cut(pictures: object) -> None:
            if moments is self._moments:
                self.pictured.emit(pictures)
                following()

        self._background.run(
            lambda cancel, _progress: crops(source, places, cancel),
            cut,
            # A file that is gone has no pictures; going to its moment says what is wrong.
            lambda _error: following(),
        )


def _moment(said: dict[str, Any], names: dict[int, str]) -> AlikeMoment:
    evidence_id = int(said["evidence_id"])
    return AlikeMoment(
        rank=int(said["rank"]),
        evidence_id=evidence_id,
        file=names.get(evidence_id, f"evidence {evidence_id}"),
        run_id=int(said["run_id"]),
        start_s=float(said["start_s"]),
        end_s=float(said["end_s"]),
        frame=int(said["peak_frame"]),
        box=Box(*map(int, said["box"])),
        likeness=float(said["likeness"]),
        itself=bool(said["itself"]),
    )


def _sources(
    folder: Path, moments: tuple[AlikeMoment, ...], case: Case
) -> tuple[tuple[int, ThumbnailSource], ...]:
    """Returns where the files of moments lie, in order of their best moment."""
    indexes = IndexCache(folder / "cache" / "indexes")
    runs = {one.evidence_id: case.runs.get(one.run_id) for one in reversed(moments)}
    found = []
    for evidence_id in dict.fromkeys(one.evidence_id for one in moments):
        row = case.evidence.get(evidence_id)
        stream = runs[evidence_id].stream
        found.append(
            (evidence_id, ThumbnailSource(case.evidence_path(row), stream, row.fps, indexes))
        )
    return tuple(found)


def _span(view: EvidenceView, moment: AlikeMoment) -> tuple[int, int]:
    return view.index.nearest(moment.start_s), view.index.nearest(moment.end_s)
