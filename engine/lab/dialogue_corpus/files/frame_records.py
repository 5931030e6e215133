"""What is known about a target in a frame, as the stage frames writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box
from engine.core.json_input import Rule

MEASURED, ASKED, LABELLED = "measured", "asked", "labelled"


def _read_box(value: object) -> Box:
    if not isinstance(value, list) or [type(side) for side in value] != [int] * 4:
        raise ValueError("is no box")
    return Box(*value)


@dataclass(frozen=True)
class FrameRecord:
    """A target in one frame.

    Attributes:
        video: name of the video.
        camera: the camera (scene) it was taken with.
        target: number within the video.
        frame: 0-based.
        box: box of the target in decoded pixels.
        mask: runs of the box's pixels in raster order, beginning with those outside the target.
        cell: the cell of the 3x3 grid that holds the middle of the box.
        height: height of the box as a share of the frame's height.
        upper: name of the colour of its upper part; None when too few pixels show it.
        lower: the same for its lower part.
        speed: speed of the middle of the box since the sighting before, in own sizes a second (the
            larger side of the box); None for the first.
        direction: direction of that motion on screen; empty while it stays where it is or is new.
        description: what a language model answered: `kind`, `appearance`, `action`; None when none
            was asked or it gave no fitting answer. Files call this `asked`.
        source: `measured` alone, `asked` of a language model, or `labelled` by the footage.
    """

    video: str
    camera: str
    target: int
    frame: int
    box: Annotated[Box, Rule(_read_box, before=True)]
    mask: tuple[int, ...]
    cell: str
    height: float
    upper: str | None
    lower: str | None
    speed: float | None
    direction: str
    description: Mapping[str, str] | None = field(default=None, metadata={"alias": "asked"})
    source: str = MEASURED

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "video": self.video, "camera": self.camera, "target": self.target,
            "frame": self.frame, "box": self.box.as_list(), "mask": list(self.mask),
            "cell": self.cell, "height": self.height, "upper": self.upper, "lower": self.lower,
            "speed": self.speed, "direction": self.direction,
            "asked": None if self.description is None else dict(self.description),
            "source": self.source,
        }  # fmt: skip


def encode_mask(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Returns the lengths of a mask's runs in raster order, beginning with False."""
    flat = np.concatenate([[False], mask.ravel(), [not mask.ravel()[-1]]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate([[0], edges]))
    return tuple(int(run) for run in runs)


def decode_mask(runs: tuple[int, ...], box: Box) -> NDArray[np.bool_]:
    """Returns the mask bool [h, w] of a box.

    Raises:
        BadInputError: the runs do not fill the box.
    """
    if sum(runs) != box.area or min(runs, default=0) < 0:
        raise BadInputError("a mask that does not fill its box", box.as_list(), "build again")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(box.h, box.w)
