"""Writes the arrays of one video as `.npz`, heatmap by heatmap, so that memory stays bounded."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def write_arrays(
    path: Path,
    scores: NDArray[np.floating],
    heatmaps: Iterable[NDArray[np.floating]],
    grid: tuple[int, int],
    pts: NDArray[np.int64],
    analysed: NDArray[np.bool_],
) -> None:
    """Writes `scores`, `heatmap`, `pts` and `analysed`; equal results give equal files.

    Args:
        path: the file, replaced when it is there.
        scores: float [n], 0..1.
        heatmaps: one for each frame, float [h, w], 0..1.
        grid: rows and columns of a heatmap.
        pts: int64 [n], in the stream's time base.
        analysed: bool [n]; False for frames that were skipped and interpolated.

    Raises:
        OSError: the file cannot be written.
        ValueError: the heatmaps are not one a frame, or of another size.
    """
    count = len(scores)
    if not count == len(pts) == len(analysed):
        raise ValueError(f"{count} scores, {len(pts)} PTS and {len(analysed)} flags")
    # Members carry no time of writing, so that equal results give equal files.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "scores", scores.astype(np.float32))
        with archive.open("heatmap.npy", "w", force_zip64=True) as file:
            shape = (count, *grid)
            npy.write_array_header_1_0(
                file, {"descr": "<f2", "fortran_order": False, "shape": shape}
            )
            written = 0
            for heat in heatmaps:
                if heat.shape != grid:
                    raise ValueError(f"a heatmap of {heat.shape} instead of {grid}")
                file.write(heat.astype("<f2").tobytes())
                written += 1
        if written != count:
            raise ValueError(f"{written} heatmaps of {count} frames")
        _write(archive, "pts", pts.astype(np.int64))
        _write(archive, "analysed", analysed.astype(np.bool_))


def _write(
    archive: zipfile.ZipFile,
    name: str,
    array: NDArray[np.float32] | NDArray[np.int64] | NDArray[np.bool_],
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        npy.write_array(file, array, allow_pickle=False)
