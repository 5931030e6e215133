"""What an examiner adds to a case, as values: bookmarks, notes, tags, own events; and heat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NewBookmark:
    """A moment or span about to be bookmarked; a moment starts and ends with the same frame.

    Attributes:
        evidence_id: the evidence.
        run_id: the run on screen then; None when there was none.
        start_frame: index of the first frame.
        end_frame: index of the last frame, inclusive.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        text: the examiner's words.
    """

    evidence_id: int
    run_id: int | None
    start_frame: int
    end_frame: int
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float
    text: str = ""


@dataclass(frozen=True)
class BookmarkRow(NewBookmark):
    """A stored bookmark.

    Attributes:
        id: per case, from 1.
        author: who made it.
        utc: when, ISO.
        removed: whether the examiner took it out of sight.
    """

    id: int = 0
    author: str = ""
    utc: str = ""
    removed: bool = False


@dataclass(frozen=True)
class NewNote:
    """A note about to be written.

    Attributes:
        object: what it is about: `case`, `evidence:N`, `event:N`, `trajectory:N`, `bookmark:N`.
        text: the examiner's words.
        evidence_id: the evidence on screen then; None when about the case.
        pts: PTS of the frame on screen then.
        seconds: its stream time.
    """

    object: str
    text: str
    evidence_id: int | None = None
    pts: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class NoteRow:
    """One version of a note.

    Attributes:
        id: of this version, per case, from 1.
        first_id: of the first version; all versions of a note share it.
        note: what it says.
        author: who wrote this version.
        utc: when, ISO.
        removed: whether the examiner took the note out of sight.
        versions: how many versions there are.
    """

    id: int
    first_id: int
    note: NewNote
    author: str
    utc: str
    removed: bool
    versions: int = 1

    @property
    def text(self) -> str:
        """The examiner's words."""
        return self.note.text


@dataclass(frozen=True)
class TagRow:
    """A tag on something; `object` is as in a note."""

    id: int
    object: str
    name: str
    author: str
    utc: str
    removed: bool


@dataclass(frozen=True)
class NewOwnEvent:
    """An event that the examiner makes from in and out marks.

    Attributes:
        evidence_id: the evidence.
        run_id: the run on screen then; None when there was none.
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        peak_frame: index of the frame with the highest score, or the first.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        peak_pts: PTS of the peak frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        peak_s: stream time of the peak frame.
        peak_score: 0..1; 0 without a run.
        summary: the examiner's words.
    """

    evidence_id: int
    run_id: int | None
    first_frame: int
    last_frame: int
    peak_frame: int
    start_pts: int
    end_pts: int
    peak_pts: int
    start_s: float
    end_s: float
    peak_s: float
    peak_score: float
    summary: str


@dataclass(frozen=True)
class TrajectorySummary:
    """A stored trajectory without its points.

    Attributes:
        id: per case, from 1.
        run_id: its run.
        number: within its run, from 1.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        from_cell: name of the 3x3 cell it came from.
        to_cell: name of the 3x3 cell it went to.
        direction: on screen in words.
        relative_speed: in times of the usual; None when unknown.
        peak_score: largest score; None when an older version stored it.
    """

    id: int
    run_id: int
    number: int
    start_s: float
    end_s: float
    from_cell: str
    to_cell: str
    direction: str
    relative_speed: float | None
    peak_score: float | None


@dataclass(frozen=True, eq=False)
class HeatBlock:
    """Heatmaps of consecutive analysed frames of one channel.

    Attributes:
        channel: `scene`, `text`, `fused`.
        frames: int64 [m], indices of the frames, ascending.
        heat: uint8 [m, R, C], 255 for 1.0.
    """

    channel: str
    frames: NDArray[np.int64]
    heat: NDArray[np.uint8]

    def at(self, frame: int) -> NDArray[np.uint8]:
        """Returns the heatmap of the analysed frame at or before a frame, uint8 [R, C]."""
        place = int(np.searchsorted(self.frames, frame, side="right")) - 1
        return np.asarray(self.heat[max(0, place)])
