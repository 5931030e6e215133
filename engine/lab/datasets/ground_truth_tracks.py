"""Ground-truth tracks: where each abnormal target is in each frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.export.number_rows import check_boxes

COLUMNS = ("track_id", "frame_id", "x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True)
class GroundTruthTracks:
    """The ground-truth regions of one video, each belonging to a track.

    Attributes:
        track_ids: int64 [n]; any numbers, gaps allowed.
        frames: int64 [n], 0-based.
        boxes: float64 [n, 4], inclusive corners x_min, y_min, x_max, y_max in pixels.
    """

    track_ids: NDArray[np.int64]
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[float, ...]], where: object = "") -> GroundTruthTracks:
        """Makes tracks from rows `track_id, frame_id, x_min, y_min, x_max, y_max`.

        Raises:
            BadInputError: a box ends before it starts.
        """
        table = np.array(list(rows), np.float64).reshape(-1, len(COLUMNS))
        check_boxes(table[:, 2:], where)
        return cls(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:])

    def __len__(self) -> int:
        return len(self.frames)

    def until(self, n_frames: int) -> GroundTruthTracks:
        """Returns the regions of the frames before `n_frames`."""
        inside = self.frames < n_frames
        return GroundTruthTracks(self.track_ids[inside], self.frames[inside], self.boxes[inside])
