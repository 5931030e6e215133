"""Dumps of an evaluation: `<video>.npz` and `<video>.txt` with what was evaluated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.export.region_rows import ScoredRegions, write_regions
from engine.export.score_arrays import write_arrays


def write_dump(
    folder: Path,
    name: str,
    scores: NDArray[np.floating],
    heatmap: NDArray[np.floating],
    pts: NDArray[np.int64],
    analysed: NDArray[np.bool_],
    regions: ScoredRegions,
) -> None:
    """Writes `<name>.npz` and `<name>.txt`; equal results give equal files.

    Args:
        folder: an existing folder.
        name: the video.
        scores: float [n], 0..1, as they were evaluated.
        heatmap: float [n, h, w], 0..1.
        pts: int64 [n], in the stream's time base.
        analysed: bool [n]; False for frames that were skipped and interpolated.
        regions: the regions that were evaluated.

    Raises:
        BadInputError: a file cannot be written.
    """
    path = folder / f"{name}.npz"
    try:
        write_arrays(path, scores, heatmap, heatmap.shape[1:], pts, analysed)
    except OSError as error:
        raise BadInputError(
            f"cannot be written ({error.strerror})", path, "choose a folder you may write to"
        ) from None
    write_regions(folder / f"{name}.txt", regions)
