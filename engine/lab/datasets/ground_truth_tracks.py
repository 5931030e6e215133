"""Ground-truth tracks: where each abnormal target is in each frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.export.number_rows import check_boxes, read_rows, write_rows

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
        kept = self.frames < n_frames
        return GroundTruthTracks(self.track_ids[kept], self.frames[kept], self.boxes[kept])


def read_tracks(path: Path) -> GroundTruthTracks:
    """Reads rows `track_id,frame_id,x_min,y_min,x_max,y_max`; an empty file has no tracks.

    Raises:
        BadInputError: the file cannot be read or a line is no such row.
    """
    table = read_rows(path, COLUMNS, whole=2)
    check_boxes(table[:, 2:], path)
    return GroundTruthTracks(
        table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:]
    )


def write_tracks(path: Path, tracks: GroundTruthTracks) -> None:
    """Writes tracks in the format that `read_tracks` reads.

    Raises:
        BadInputError: the file cannot be written.
    """
    heads = np.column_stack([tracks.track_ids, tracks.frames])
    write_rows(path, heads, tracks.boxes)
