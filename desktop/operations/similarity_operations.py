"""The similarity search in all files of the case, and what is made of its moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal

from desktop.operations.marked_span import bookmark_of, own_event_of
from desktop.operations.operations import Operations
from desktop.operations.review_operations import ReviewOperations
from desktop.operations.search_operations import SearchOperations
from desktop.player.crops import crops
from desktop.session.background import Background
from desktop.session.case_edits import AddBookmark, AddOwnEvent
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.timeline.thumbnails import ThumbnailSource
from engine import protocol
from engine.case import Case
from engine.core.geometry import Box
from engine.media import IndexCache


@dataclass(frozen=True)
class SimilarMoment:
    """A moment that looks like the example or the description.

    Attributes:
        rank: 1 for the most similar moment.
        evidence_id: the evidence.
        file: name of the evidence.
        run_id: the run whose features were read.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        frame: index of the most similar frame.
        box: of the target in that frame, in decoded pixels.
        similarity: 1 for the example itself.
        is_example: whether it is the event or the mark that was searched for.
    """

    rank: int
    evidence_id: int
    file: str
    run_id: int
    start_s: float
    end_s: float
    frame: int
    box: Box
    similarity: float
    is_example: bool


@dataclass(frozen=True)
class SimilarMoments:
    """The result of a similarity search.

    Attributes:
        query: what was searched for, in words: 'like event 3', 'like "red bag"'.
        moments: the most similar one first.
        left_out: files that could not be searched, each with the reason.
    """

    query: str
    moments: tuple[SimilarMoment, ...]
    left_out: tuple[str, ...]


class SimilarityOperations(Operations):
    """Searches in the engine process, and makes events and bookmarks of the moments.

    Args:
        session: the open case.
        review: gives the selected event.
        search: goes to moments of any file.
        background: decodes the thumbnails.
    """

    finished = Signal(object)
    """A `SimilarMoments`."""

    pictures_ready = Signal(object)
    """dict[int, QImage]: a thumbnail of each moment by rank."""

    def __init__(
        self,
        session: Session,
        review: ReviewOperations,
        search: SearchOperations,
        background: Background,
    ) -> None:
        super().__init__(session)
        self._review = review
        self._search = search
        self._background = background
        self._moments: tuple[SimilarMoment, ...] = ()

    def like_event(self) -> None:
        """Searches for what looks like the target of the selected event."""
        row = self._review.selected_event()
        if row is None:
            self._refuse("no event is selected", "", "select one, or type what to look for")
        else:
            self._ask(f"like event {row.id}", event_id=row.id)

    def like_marks(self) -> None:
        """Searches for what looks like the target that was marked last."""
        marks = self._state.targets.value
        if not marks:
            self._refuse("no marks", "", "mark the target in a frame first")
            return
        last = marks[-1]
        same = [
            mark.fields()
            for mark in marks
            if (mark.name.casefold(), mark.evidence_id) == (last.name.casefold(), last.evidence_id)
        ]
        self._ask(f'like "{last.name}"', marks=same)

    def like_description(self, text: str) -> None:
        """Searches for what a description fits."""
        line = " ".join(text.split())
        if not line:
            self._refuse("no words to look for", "", "type what it looks like")
        else:
            self._ask(f'like "{line}"', text=line)

    def go_to(self, moment: SimilarMoment) -> None:
        """Shows the most similar frame of a moment."""
        self._search.show(moment.evidence_id, lambda view: self._go(view, moment))

    def bookmark(self, moment: SimilarMoment, text: str) -> None:
        """Bookmarks a moment, and goes there."""

        def add(view: EvidenceView) -> None:
            self._go(view, moment)
            self._session.editor.edit(AddBookmark(bookmark_of(view, *_span(view, moment), text)))

        self._search.show(moment.evidence_id, add)

    def make_event(self, moment: SimilarMoment, text: str) -> None:
        """Makes an event of the examiner's own of a moment, and goes there."""

        def add(view: EvidenceView) -> None:
            self._go(view, moment)
            self._session.editor.edit(AddOwnEvent(own_event_of(view, *_span(view, moment), text)))

        self._search.show(moment.evidence_id, add)

    def _go(self, view: EvidenceView, moment: SimilarMoment) -> None:
        self._state.playing.set(False)
        self._state.accumulated.set(False)
        self._state.position.set(min(moment.frame, len(view.index) - 1))

    def _ask(self, query: str, **fields: object) -> None:
        if work := self._writable_work():
            title = f"looking for more {query}"
            work.ask(title, protocol.FIND, partial(self._show_answer, query), **fields)

    def _show_answer(self, query: str, fields: dict[str, Any]) -> None:
        names = {item.id: item.name for item in self._session.items}
        moments = tuple(_moment(values, names) for values in fields.get("moments", []))
        left_out = tuple(
            f"{names.get(file['evidence_id'], '')}: {file['why']}"
            for file in fields.get("left_out", [])
        )
        self._moments = moments
        self.finished.emit(SimilarMoments(query, moments, left_out))
        case = self._session.case
        if moments and case is not None:
            self._session.read(
                partial(_sources, case.path, moments), partial(self._cut_pictures, moments)
            )

    def _cut_pictures(
        self, moments: tuple[SimilarMoment, ...], sources: tuple[tuple[int, ThumbnailSource], ...]
    ) -> None:
        """Cuts the thumbnails out of one file after the other, until another search finishes."""
        if not sources or moments is not self._moments:
            return
        (evidence_id, source), *rest = sources
        boxes = {moment.rank: (moment.frame, moment.box) for moment in moments
                 if moment.evidence_id == evidence_id}  # fmt: skip
        following: Callable[[], None] = partial(self._cut_pictures, moments, tuple(rest))

        def show(pictures: object) -> None:
            if moments is self._moments:
                self.pictures_ready.emit(pictures)
                following()

        self._background.run(
            lambda cancel, _progress: crops(source, boxes, cancel),
            show,
            # A file that is gone has no pictures; going to its moment says what is wrong.
            lambda _error: following(),
        )


def _moment(values: dict[str, Any], names: dict[int, str]) -> SimilarMoment:
    evidence_id = int(values["evidence_id"])
    return SimilarMoment(
        rank=int(values["rank"]),
        evidence_id=evidence_id,
        file=names.get(evidence_id, f"evidence {evidence_id}"),
        run_id=int(values["run_id"]),
        start_s=float(values["start_s"]),
        end_s=float(values["end_s"]),
        frame=int(values["peak_frame"]),
        box=Box(*map(int, values["box"])),
        similarity=float(values["likeness"]),
        is_example=bool(values["itself"]),
    )


def _sources(
    folder: Path, moments: tuple[SimilarMoment, ...], case: Case
) -> tuple[tuple[int, ThumbnailSource], ...]:
    """Returns the video of each file that has moments, in order of its most similar moment."""
    indexes = IndexCache(folder / "cache" / "indexes")
    runs = {moment.evidence_id: case.runs.get(moment.run_id) for moment in reversed(moments)}
    sources = []
    for evidence_id in dict.fromkeys(moment.evidence_id for moment in moments):
        row = case.evidence.get(evidence_id)
        stream = runs[evidence_id].stream
        sources.append(
            (evidence_id, ThumbnailSource(case.evidence_path(row), stream, row.fps, indexes))
        )
    return tuple(sources)


def _span(view: EvidenceView, moment: SimilarMoment) -> tuple[int, int]:
    return view.index.nearest(moment.start_s), view.index.nearest(moment.end_s)
