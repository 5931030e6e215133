"""The regions a detector claims in one video, and their text files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.findings import Region
from engine.export.number_rows import check_boxes, write_rows

COLUMNS = ("frame_id", "x_min", "y_min", "x_max", "y_max", "score")


@dataclass(frozen=True)
class ScoredRegions:
    """Regions of one video in the order of their rows.

    Attributes:
        frames: int64 [n], 0-based.
        boxes: float64 [n, 4], inclusive corners x_min, y_min, x_max, y_max in pixels.
        scores: float64 [n], higher = more abnormal.
    """

    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[float, ...]], where: object = "") -> ScoredRegions:
        """Makes regions from rows `frame_id, x_min, y_min, x_max, y_max, score`.

        Raises:
            BadInputError: a box ends before it starts, or a number is not finite.
        """
        table = np.array(list(rows), np.float64).reshape(-1, len(COLUMNS))
        if not np.isfinite(table).all():
            raise BadInputError("a region is not finite", where, "analyse the video again")
        check_boxes(table[:, 1:5], where)
        return cls(table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5])

    @classmethod
    def from_regions(cls, regions: Iterable[Region]) -> ScoredRegions:
        """Makes rows of the regions that an analysis found."""
        return cls.from_rows((r.frame, *r.box.corners, r.score) for r in regions)

    def __len__(self) -> int:
        return len(self.frames)


def write_regions(path: Path, regions: ScoredRegions) -> None:
    """Writes regions so that `read_rows` gives exactly the same numbers.

    Raises:
        BadInputError: the file cannot be written.
    """
    write_rows(path, regions.frames[:, None], regions.boxes, regions.scores[:, None])
