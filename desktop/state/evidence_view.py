"""One piece of evidence as the window shows it: times, scores, events, trajectories, marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import BookmarkRow, EventRow, EvidenceRow, NoteRow, RunRow, TrajectorySummary
from engine.core.stream import FrameIndex

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) in decoded pixels."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of one channel at the analysed frames.

    Attributes:
        frames: int64 [m], indices of the analysed frames, ascending.
        scores: float32 [m], 0..1.
        provisional: whether the run is still in progress and the scores may change.
    """

    frames: NDArray[np.int64]
    scores: NDArray[np.float32]
    provisional: bool = False

    def at(self, frame: int) -> float | None:
        """Returns the score of the analysed frame at or before one; None outside what is there."""
        position = int(np.searchsorted(self.frames, frame, side="right")) - 1
        if position < 0 or (
            position == len(self.frames) - 1 and frame > int(self.frames[-1]) + 250
        ):
            return None
        return float(self.scores[position])


@dataclass(frozen=True, eq=False)
class OtherCurve:
    """Scores to be compared with those on screen.

    Attributes:
        evidence_id: the evidence.
        name: what gives these scores.
        curve: the scores.
    """

    evidence_id: int
    name: str
    curve: Curve


@dataclass(frozen=True, eq=False)
class EvidenceView:
    """What the case holds about one piece of evidence and its current run.

    Attributes:
        evidence: its row.
        path: where its frames are read from.
        index: when each frame is shown.
        seconds: float64 [n], stream time of each frame.
        width: in decoded pixels.
        height: in decoded pixels.
        rotation: degrees clockwise by which the file says frames are turned.
        pixel_aspect: width / height of one pixel, as the file says.
        derivation_id: of the results shown; 0 when there are none.
        run: the run shown, finished or in progress; None before the first.
        stream: number of the stream shown.
        curves: by channel; `fused` comes first when there are several channels.
        events: found and made by the examiner, in order of start.
        trajectories: in order of number.
        bookmarks: in order of time.
        notes: newest version of each, in order of making.
        watched: spans in frames, both ends inclusive, ascending and disjoint.
        clock_offset_s: seconds to add to the stream time to get the burned-in clock; None when
            the examiner gave none.
        mismatches: UTC times at which the file was found changed.
        missing: whether the file is not where the case says.
        lost_frames: frames that the file promises and does not hold.
        normal_spans: stream times marked as normal footage for the results shown.
        ignore: polygons in decoded pixels that do not count.
        interest: polygons in decoded pixels outside which nothing counts; none for everything.
        tags: names of the tags on each object (`event:3`).
    """

    evidence: EvidenceRow
    path: Path
    index: FrameIndex
    seconds: NDArray[np.float64]
    width: int
    height: int
    rotation: int = 0
    pixel_aspect: float = 1.0
    derivation_id: int = 0
    run: RunRow | None = None
    stream: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)
    events: tuple[EventRow, ...] = ()
    trajectories: tuple[TrajectorySummary, ...] = ()
    bookmarks: tuple[BookmarkRow, ...] = ()
    notes: tuple[NoteRow, ...] = ()
    watched: tuple[tuple[int, int], ...] = ()
    clock_offset_s: float | None = None
    mismatches: tuple[str, ...] = ()
    missing: bool = False
    lost_frames: int = 0
    normal_spans: tuple[tuple[float, float], ...] = ()
    ignore: tuple[Polygon, ...] = ()
    interest: tuple[Polygon, ...] = ()
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return self.index.duration_s

    @property
    def time_base(self) -> Fraction:
        """Seconds of one PTS unit."""
        return self.index.time_base


def highest(view: EvidenceView) -> tuple[int, float] | None:
    """Returns frame and score of the highest score of the first channel; None without scores."""
    curve = next(iter(view.curves.values()), None)
    if curve is None or not len(curve.scores):
        return None
    best = int(np.argmax(curve.scores))
    return int(curve.frames[best]), float(curve.scores[best])
