"""The results of an analysis: reasons, regions, trajectories and events as plain values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box

_MIN_EDGE_DISTANCE = 0.5
"""Sides of its box that a target is away from the edge; a nearer one may be on its way out."""
_MIN_REMAINING_S = 1.0
"""Footage after the end of a trajectory; with less, the end of the footage ended it. A choice."""


@dataclass(frozen=True)
class Reason:
    """Why an event stands out, in one attribute of the scene channel.

    Attributes:
        attribute: name of the attribute (`speed`, `direction`, `size`, …).
        value: what was measured.
        usual: what is usual at that place, in the same unit.
        ratio: value / usual, or how many times beyond the usual where no quotient makes sense.
        unit: unit of value and usual.
        text: the reason in words, with its number.
    """

    attribute: str
    value: float
    usual: float
    ratio: float
    unit: str
    text: str


@dataclass(frozen=True)
class Region:
    """A connected part of one frame's heatmap.

    Attributes:
        frame: 0-based index of the frame in its stream.
        pts: PTS of the frame in the stream's time base.
        box: in decoded pixels.
        score: largest calibrated score inside, 0..1.
        mask: bool [rows, columns], the heatmap cells inside the box.
        trajectory: id of the trajectory it belongs to within its run, from 1; None when alone.
    """

    frame: int
    pts: int
    box: Box
    score: float
    mask: NDArray[np.bool_]
    trajectory: int | None = None


@dataclass(frozen=True)
class Trajectory:
    """The regions of one target over time.

    Attributes:
        number: id within its run, from 1, in order of first frame.
        frames: int64 [n], frame indices, ascending.
        pts: int64 [n], their PTS.
        boxes: int32 [n, 4], x, y, w, h in decoded pixels.
        scores: float32 [n], 0..1.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        from_cell: name of the 3x3 cell it came from.
        to_cell: name of the 3x3 cell it went to.
        direction: direction on screen in words, or `in place`.
        relative_speed: median speed in times of the usual at its places; None when unknown.
    """

    number: int
    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    boxes: NDArray[np.int32]
    scores: NDArray[np.float32]
    start_s: float
    end_s: float
    from_cell: str
    to_cell: str
    direction: str
    relative_speed: float | None

    def box_near(self, frame: int) -> list[int]:
        """Returns x, y, w, h at the frame nearest to a frame index, in decoded pixels."""
        nearest = int(np.abs(self.frames - frame).argmin())
        return [int(side) for side in self.boxes[nearest]]

    def ends_inside(self, size: tuple[int, int], duration_s: float) -> bool:
        """Returns whether it ends while the footage goes on, and not at an edge of the frame.

        Only what moves is followed: there its target stands still, or something hides it.

        Args:
            size: width and height of a decoded frame in pixels.
            duration_s: of the footage, in seconds of stream time.
        """
        x, y, w, h = (int(side) for side in self.boxes[-1])
        is_inside_x = min(x, size[0] - x - w) >= _MIN_EDGE_DISTANCE * w
        is_inside_y = min(y, size[1] - y - h) >= _MIN_EDGE_DISTANCE * h
        return is_inside_x and is_inside_y and duration_s - self.end_s >= _MIN_REMAINING_S


@dataclass(frozen=True)
class Event:
    """A span that stands out.

    Attributes:
        number: id within its run, from 1, in order of start.
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        peak_frame: index of the frame with the highest score.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        peak_pts: PTS of the peak frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        peak_s: stream time of the peak frame.
        peak_score: 0..1.
        channel: the channel that it comes from (`scene`, `text`, `fused`).
        reasons: strongest first.
        trajectories: numbers of the trajectories in it, strongest first.
        summary: one line in words.
    """

    number: int
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
    channel: str
    reasons: tuple[Reason, ...]
    trajectories: tuple[int, ...]
    summary: str


@dataclass(frozen=True)
class RunWarning:
    """A circumstance of a run that the examiner must know.

    Attributes:
        kind: `camera_moves`, `variable_rate`, `damaged_frames`, `made_pts`, `interlaced`,
            `short_calibration`, ….
        share: share of the analysed frames it concerns, 0..1.
        text: one sentence in words.
    """

    kind: str
    share: float
    text: str
