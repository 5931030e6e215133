"""Dumps of an evaluation: `<video>.npz` and `<video>.txt`, and the figures computed from them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.export.region_rows import ScoredRegions, read_regions, write_regions
from engine.export.score_arrays import write_arrays
from engine.lab.datasets.dataset import Dataset, Video
from engine.lab.evaluation.benchmark_report import Evaluation, Figures
from engine.lab.evaluation.ground_truth import read_truth

_T = TypeVar("_T", bound=np.generic)
_MOST_FRAMES = 50_000_000
_MOST_CELLS = 1 << 26
_AGAIN = "write the dump again"


@dataclass(frozen=True)
class Dump:
    """The arrays of one video; heatmaps stay in the file until they are asked for.

    Attributes:
        path: the `.npz` file.
        scores: float32 [n].
        pts: int64 [n], in the stream's time base.
        analysed: bool [n]; other frames were interpolated.
        grid: rows and columns of a heatmap.
    """

    path: Path
    scores: NDArray[np.float32]
    pts: NDArray[np.int64]
    analysed: NDArray[np.bool_]
    grid: tuple[int, int]

    def heatmaps(self) -> Iterator[NDArray[np.float16]]:
        """Reads the heatmaps one by one, float16 [h, w].

        Raises:
            BadInputError: the file is damaged.
        """
        with _opened(self.path) as archive, _member(archive, self.path, "heatmap") as file:
            _header(file, self.path, "heatmap")
            size = 2 * self.grid[0] * self.grid[1]
            for _ in range(len(self.scores)):
                frame = np.frombuffer(_exactly(file, size, self.path, "heatmap"), np.dtype("<f2"))
                yield frame.reshape(self.grid).astype(np.float16)


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


def read_dump(path: Path) -> Dump:
    """Reads the arrays of one video; pickled objects are never loaded.

    Raises:
        BadInputError: the file is missing or damaged, or an array has the wrong type or length.
    """
    with _opened(path) as archive:
        scores = _vector(archive, path, "scores", np.dtype(np.float32))
        pts = _vector(archive, path, "pts", np.dtype(np.int64))
        analysed = _vector(archive, path, "analysed", np.dtype(np.bool_))
        with _member(archive, path, "heatmap") as file:
            shape, dtype = _header(file, path, "heatmap")
    if dtype != np.dtype("<f2") or len(shape) != 3 or not 1 <= shape[1] * shape[2] <= _MOST_CELLS:
        raise BadInputError(
            f"heatmap is {dtype} {list(shape)} instead of float16 [n, h, w]", path, _AGAIN
        )
    if not len(scores) == len(pts) == len(analysed) == shape[0]:
        raise BadInputError(
            f"{len(scores)} scores, {shape[0]} heatmaps, {len(pts)} PTS and {len(analysed)} flags",
            path,
            _AGAIN,
        )
    return Dump(path, scores, pts, analysed, (shape[1], shape[2]))


def evaluate_dump(
    folder: Path,
    dataset: Dataset,
    split: str = "test",
    videos: Sequence[str] | None = None,
    size_of: Callable[[Path], tuple[int, int]] | None = None,
) -> Figures:
    """Computes the figures of an evaluation again from its dump.

    Args:
        folder: holds `<video>.npz` and `<video>.txt` of each video.
        dataset: the data set that was evaluated.
        split: its split.
        videos: names of the videos to evaluate; None for all of the split.
        size_of: gives width and height of a video's decoded frames; needed for videos that have
            no masks because nothing in them is abnormal (UBnormal).

    Raises:
        BadInputError: a video is unknown, has no dump, or its dump does not fit it.
    """
    evaluation = Evaluation()
    for video in chosen_videos(dataset, split, videos):
        path = folder / f"{video.name}.npz"
        if not path.is_file():
            raise BadInputError(
                f"no dump of video {video.name}", path, "dump it too or name the videos to evaluate"
            )
        dump = read_dump(path)
        regions = read_regions(path.with_name(f"{video.name}.txt"))
        size = size_of(video.path) if size_of is not None else None
        truth = read_truth(video, len(dump.scores), size)
        evaluation.add(truth, dump.scores, dump.heatmaps(), regions)
    return evaluation.figures()


def chosen_videos(dataset: Dataset, split: str, names: Sequence[str] | None) -> list[Video]:
    """Returns the named videos of a split, or all, in the split's order.

    Raises:
        BadInputError: a name is not in the split.
    """
    videos = dataset.videos(split)
    if names is None:
        return videos
    unknown = set(names) - {video.name for video in videos}
    if unknown:
        raise BadInputError(
            f"no video {min(unknown)!r} in the {split} split",
            dataset.root,
            f"choose from: {', '.join(video.name for video in videos[:12])}"
            + (" …" if len(videos) > 12 else ""),
        )
    return [video for video in videos if video.name in set(names)]


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        raise BadInputError("not a readable .npz file", path, _AGAIN) from None


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> IO[bytes]:
    try:
        return archive.open(f"{name}.npy")
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        raise BadInputError(f"no array {name}", path, _AGAIN) from None


def _header(file: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Reads shape and type of an array before anything of that size is allocated."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = npy.read_array_header_1_0(file)
        else:
            shape, fortran, dtype = npy.read_array_header_2_0(file)
    except (ValueError, OSError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error):
        raise BadInputError(f"array {name} is damaged", path, _AGAIN) from None
    if fortran and len(shape) > 1:
        raise BadInputError(f"array {name} is stored by columns", path, _AGAIN)
    return shape, dtype


def _vector(archive: zipfile.ZipFile, path: Path, name: str, dtype: np.dtype[_T]) -> NDArray[_T]:
    with _member(archive, path, name) as file:
        shape, found = _header(file, path, name)
        if found != dtype or len(shape) != 1 or not 0 <= shape[0] <= _MOST_FRAMES:
            raise BadInputError(
                f"{name} is {found} {list(shape)} instead of {dtype} [n]", path, _AGAIN
            )
        return np.frombuffer(_exactly(file, shape[0] * dtype.itemsize, path, name), dtype).copy()


def _exactly(file: IO[bytes], size: int, path: Path, name: str) -> bytes:
    try:
        data = file.read(size)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        data = b""
    if len(data) != size:
        raise BadInputError(f"array {name} is cut short or damaged", path, _AGAIN)
    return data
