"""What the tests of commands share: a clip's frames and what a command left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.case import Case
from tests.clips import Image, write_video

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


QUICK = {"preset": "ultrafast"}


def moving(count: int = 12, size: tuple[int, int] = (64, 48)) -> list[np.ndarray[Any, Any]]:
    frames = [np.full((size[1], size[0], 3), 90, np.uint8) for _ in range(count)]
    for i, frame in enumerate(frames):
        frame[16:32, 2 * i : 2 * i + 12] = 220
    return frames


def short(path: Path, count: int = 12) -> Path:
    return write_video(path, moving(count), options=QUICK)


def actions(case: Path) -> list[str]:
    with Case.open(case) as opened:
        return [str(row["action"]) for row in opened.database.rows("SELECT action FROM audit")]
