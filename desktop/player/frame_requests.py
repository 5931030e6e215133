"""What the frame thread is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from engine.case import TrajectorySummary
from engine.core.geometry import Box
from engine.media import IndexCache


@dataclass(frozen=True)
class FrameSource:
    """Where frames and what lies over them come from.

    Attributes:
        path: the evidence.
        stream: number of the stream.
        fps: frame rate of a folder of images; None otherwise.
        case: the case folder; None when there is none.
        run_id: the run whose heat, regions and trajectories are shown; None for none.
        derived: changes when the run was derived again, so that nothing old is shown.
        channel: whose heat is shown; empty for the leading one.
        only_first: only the first picture is wanted, because the file is still being added.
        indexes: where the index of the file is kept.
        trajectories: of the run, in order of number.
    """

    path: Path
    stream: int = 0
    fps: float | None = None
    case: Path | None = None
    run_id: int | None = None
    derived: int = 0
    channel: str = ""
    only_first: bool = False
    indexes: IndexCache | None = field(default=None, compare=False)
    trajectories: tuple[TrajectorySummary, ...] = field(default=(), compare=False, hash=False)


@dataclass(frozen=True)
class FrameRequest:
    """A wish for one frame; a newer one replaces it.

    Attributes:
        id: grows with every request.
        frame: index in the stream.
        preview: whether a stand-in will do, because the hand is still moving.
    """

    id: int
    frame: int
    preview: bool = False


@dataclass(frozen=True)
class AccumulateRequest:
    """A wish for the accumulated view of a span; a newer request replaces it.

    Attributes:
        id: grows with every request.
        first: first frame.
        last: last frame, inclusive.
        trajectories: ids of the trajectories whose paths are drawn, strongest first.
    """

    id: int
    first: int
    last: int
    trajectories: tuple[int, ...] = ()


@dataclass(frozen=True)
class PlayRequest:
    """A wish to play.

    Attributes:
        id: grows with every request.
        frame: where to begin.
        rate: in times of real time; negative plays backwards.
        every_frame: whether no frame may be left out, at the price of real time.
    """

    id: int
    frame: int
    rate: float
    every_frame: bool


@dataclass(frozen=True)
class ShownRegion:
    """A region over a frame, or the accumulated view; without a score where nothing scored it."""

    box: Box
    score: float | None
    trajectory: int | None


@dataclass(frozen=True, eq=False)
class ShownPath:
    """The recent path of a trajectory.

    Attributes:
        number: of the trajectory within its run.
        points: float32 [n, 2], x and y in decoded pixels, oldest first.
        ages: float32 [n], 0 for now to 1 for the oldest shown.
    """

    number: int
    points: NDArray[np.float32]
    ages: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FrameOverlay:
    """What lies over one frame.

    Attributes:
        heat: uint8 [R, C], 255 for 1.0; None when the run keeps no heatmaps.
        regions: in no order.
        paths: of the targets in sight.
    """

    heat: NDArray[np.uint8] | None = None
    regions: tuple[ShownRegion, ...] = ()
    paths: tuple[ShownPath, ...] = ()


NOTHING_OVER = FrameOverlay()


@dataclass(frozen=True, eq=False)
class FrameReply:
    """One frame with what lies over it.

    Attributes:
        request_id: what it answers; 0 for the first picture of a file that is still being indexed.
        index: of the frame.
        pts: of the frame.
        seconds: stream time.
        image: the picture; None when the frame cannot be decoded.
        overlay: of that very frame.
        pict_type: `I`, `P`, `B` or `?`.
        damaged: it could not be decoded, or only in part.
        preview: a stand-in; the exact frame follows.
        scale: width of the picture / decoded width.
        dropped: frames left out since playing began.
        accumulated: whether the picture is the accumulated view of a span.
    """

    request_id: int
    index: int
    pts: int
    seconds: float
    image: QImage | None
    overlay: FrameOverlay = NOTHING_OVER
    pict_type: str = "?"
    damaged: bool = False
    preview: bool = False
    scale: float = 1.0
    dropped: int = 0
    accumulated: bool = False
