"""What is known of a target in a frame, as the stage frames writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.geometry import Box

MEASURED, ASKED, LABELLED = "measured", "asked", "labelled"


@dataclass(frozen=True)
class FrameRecord:
    """A target in one frame.

    Attributes:
        video: name of the video.
        camera: the camera (scene) it was taken with.
        target: number within the video.
        frame: 0-based.
        box: in decoded pixels.
        mask: runs of the box's pixels in raster order, beginning with those outside the target.
        cell: of the 3x3 grid that holds the middle of the box.
        height: of the box in heights of the picture.
        upper: name of the colour of its upper part; None when too few pixels show it.
        lower: likewise of its lower part.
        speed: of the middle of the box since the sighting before, in its own sizes a second (the
            larger side of the box); None for the first.
        direction: of that motion on screen; empty while it keeps its place or is new.
        asked: what a language model said: `kind`, `appearance`, `action`; None when none was asked
            or it gave no fitting answer.
        source: `measured` alone, `asked` of a language model, or `labelled` by the footage.
    """

    video: str
    camera: str
    target: int
    frame: int
    box: Box
    mask: tuple[int, ...]
    cell: str
    height: float
    upper: str | None
    lower: str | None
    speed: float | None
    direction: str
    asked: Mapping[str, str] | None = None
    source: str = MEASURED

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "video": self.video, "camera": self.camera, "target": self.target,
            "frame": self.frame, "box": self.box.as_list(), "mask": list(self.mask),
            "cell": self.cell, "height": self.height, "upper": self.upper, "lower": self.lower,
            "speed": self.speed, "direction": self.direction,
            "asked": None if self.asked is None else dict(self.asked),
            "source": self.source,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FrameRecord:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such record.
        """
        x, y, w, h = (int(side) for side in value["box"])
        asked = value["asked"]
        return cls(
            str(value["video"]), str(value["camera"]), int(value["target"]), int(value["frame"]),
            Box(x, y, w, h), tuple(int(run) for run in value["mask"]), str(value["cell"]),
            float(value["height"]), _word(value["upper"]), _word(value["lower"]),
            None if value["speed"] is None else float(value["speed"]), str(value["direction"]),
            None if asked is None else {str(name): str(said) for name, said in asked.items()},
            str(value["source"]),
        )  # fmt: skip


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


def _word(value: object) -> str | None:
    return None if value is None else str(value)
