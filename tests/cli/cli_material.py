"""What the tests of commands share: a clip's frames and what a command left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.clips import Image

FRAMES = 75


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def error(self) -> str:
        """The last line on stderr, which must be the error's."""
        last = self.err.rstrip("\n").rpartition("\n")[2]
        assert last.startswith("error: ")
        assert "Traceback" not in self.err
        return last


Command = Callable[..., Ran]


def moving_blob() -> list[Image]:
    """A bright blob that moves slowly and then fast: uint8 [120, 160, 3], 75 frames."""
    rng = np.random.default_rng(5)
    ground = np.kron(rng.integers(60, 120, (30, 40, 1)), np.ones((4, 4, 3), np.int64))
    frames = []
    for number in range(FRAMES):
        x = number if number < 45 else 45 + 5 * (number - 45)
        image = ground.copy()
        image[50:74, max(0, x - 10) : max(0, min(160, x + 10))] = (240, 230, 60)
        frames.append(np.ascontiguousarray(image, np.uint8))
    return frames
