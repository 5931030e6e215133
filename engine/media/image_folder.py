"""A folder of numbered images as a source of frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import MediaError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.stream import Frame, FrameIndex, StreamInfo, StreamSummary
from engine.media.group_cache import EMPTY_FRAME_BYTES, GroupCache
from engine.media.pixel_converter import Pixels
from engine.media.source import Size, Source

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})

_NUMBER = re.compile(r"(\d+)")
_CHECK_INTERVAL = 256  # Images between two checks for a stop, a choice.


def image_files(folder: Path) -> list[Path]:
    """Returns a folder's images in the order of the numbers in their names (2 before 10).

    Hidden files and files of other kinds are left out.

    Raises:
        MediaError: the folder cannot be read or holds no image.
    """
    try:
        files = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in _SUFFIXES and path.name[0] != "." and path.is_file()
        ]
    except FileNotFoundError as error:
        raise MediaError("the folder does not exist", folder, "check the path") from error
    except PermissionError as error:
        raise MediaError("no permission to read the folder", folder, "ask its owner") from error
    except OSError as error:
        raise MediaError(f"the folder cannot be read ({error})", folder, "check it") from error
    if not files:
        raise MediaError("the folder holds no images", folder, "name a folder of JPEG, PNG or TIFF")
    return sorted(files, key=_sort_key)


class ImageSource(Source):
    """Numbered images as frames; their times are assumed from a frame rate and marked made."""

    def __init__(
        self,
        path: Path,
        fps: Fraction,
        cache_bytes: int,
        cancel: CancelToken,
        progress: ProgressCallback,
    ) -> None:
        self.path = path
        self._files = image_files(path)
        self._cache: GroupCache[Frame] = GroupCache(cache_bytes)
        count = len(self._files)
        time_base = 1 / fps
        self.index = FrameIndex(
            pts=np.arange(count, dtype=np.int64),
            keyframe=np.ones(count, np.bool_),
            duration=np.ones(count, np.int64),
            time_base=time_base,
            made=True,
        )
        width, height, codec = self._first_size(cancel, progress)
        self.info = StreamInfo(
            number=0,
            container="images",
            codec=codec,
            width=width,
            height=height,
            time_base=time_base,
            average_rate=fps,
            streams=(StreamSummary(0, codec, width, height),),
        )

    def frame(self, i: int, pixels: Pixels = "rgb") -> Frame:
        """Returns frame `i`; see `Source.frame`."""
        key = 2 * self._check_index(i) + (pixels == "rgb")
        frame = self._cache.get(key, 0)
        if frame is None:
            frame = self._load(i, (self.info.width, self.info.height), pixels)
            size = EMPTY_FRAME_BYTES if frame.image is None else frame.image.nbytes
            self._cache.put(key, 0, frame, size)
        return frame

    def close(self) -> None:
        """Frees the cache."""
        self._cache.clear()

    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        for index in indices:
            yield self._load(index, size, pixels)

    def _load(self, index: int, size: Size, pixels: Pixels) -> Frame:
        pts = int(self.index.pts[index])
        image = _read_or_none(self._files[index], pixels)
        if image is None:
            return Frame(index, pts, None, True, "?")
        fits = image.shape[:2] == (self.info.height, self.info.width)
        if image.shape[:2] != (size[1], size[0]):
            from engine.media.image_file import shrink

            image = shrink(image, size)
        return Frame(index, pts, image, not fits, "I")

    def _first_size(self, cancel: CancelToken, progress: ProgressCallback) -> tuple[int, int, str]:
        """Returns width, height and format of the first image that can be decoded."""
        for index, path in enumerate(self._files):
            if index % _CHECK_INTERVAL == 0:
                cancel.check()
                progress(Progress("indexing", index, len(self._files), unit="images"))
            image = _read_or_none(path, "gray")
            if image is None:
                continue
            height, width = image.shape
            progress(Progress("indexing", len(self._files), len(self._files), unit="images"))
            return width, height, path.suffix.lower().lstrip(".")
        raise MediaError(
            "none of the images can be decoded", self.path, "check that they are whole"
        )


def _read_or_none(path: Path, pixels: Pixels) -> NDArray[np.uint8] | None:
    """Returns an image; None when it cannot be decoded."""
    # Imported here because its libraries are slow to load and most evidence is video.
    from engine.media.image_file import UNREADABLE, read_image

    try:
        return read_image(path, pixels)
    except UNREADABLE:
        return None


def _sort_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = _NUMBER.split(path.stem)
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in parts
        if part
    ], path.name
