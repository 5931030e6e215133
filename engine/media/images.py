"""A folder of numbered images as a source of frames."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.core.errors import MediaError
from engine.core.progress import CancelToken, Progress, Report
from engine.core.stream import Frame, FrameIndex, StreamInfo, StreamSummary
from engine.media.cache import GroupCache
from engine.media.container import MAX_PIXELS, MAX_SIDE
from engine.media.pixels import Pixels
from engine.media.source import Size, Source

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP")
_NUMBER = re.compile(r"(\d+)")
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
_LOOK_EVERY = 256


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
            if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
        ]
    except FileNotFoundError as error:
        raise MediaError("the folder does not exist", folder, "check the path") from error
    except PermissionError as error:
        raise MediaError("no permission to read the folder", folder, "ask its owner") from error
    except OSError as error:
        raise MediaError(f"the folder cannot be read ({error})", folder, "check it") from error
    if not files:
        raise MediaError("the folder holds no images", folder, "name a folder of JPEG, PNG or TIFF")
    return sorted(files, key=_in_order)


class ImageSource(Source):
    """Numbered images as frames; their times are assumed from a frame rate and marked made."""

    def __init__(
        self, path: Path, fps: Fraction, cache_bytes: int, cancel: CancelToken, report: Report
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
        width, height, codec = self._first_size(cancel, report)
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
        key = 2 * self._checked(i) + (pixels == "rgb")
        kept = self._cache.get(key, 0)
        if kept is None:
            kept = self._load(i, (self.info.width, self.info.height), pixels)
            self._cache.put(key, 0, kept, 64 if kept.image is None else kept.image.nbytes)
        return kept

    def close(self) -> None:
        """Frees the cache."""
        self._cache.clear()

    def _iterate(self, wanted: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        for index in wanted:
            yield self._load(index, size, pixels)

    def _load(self, index: int, size: Size, pixels: Pixels) -> Frame:
        pts = int(self.index.pts[index])
        try:
            image = read_image(self._files[index], pixels)
        except _UNREADABLE:
            return Frame(index, pts, None, True, "?")
        fits = image.shape[:2] == (self.info.height, self.info.width)
        if image.shape[:2] != (size[1], size[0]):
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Frame(index, pts, image, not fits, "I")

    def _first_size(self, cancel: CancelToken, report: Report) -> tuple[int, int, str]:
        """Returns width, height and format of the first image that can be decoded."""
        for index, path in enumerate(self._files):
            if index % _LOOK_EVERY == 0:
                cancel.check()
                report(Progress("indexing", index, len(self._files), unit="images"))
            try:
                height, width = read_image(path, "gray").shape
            except _UNREADABLE:
                continue
            report(Progress("indexing", len(self._files), len(self._files), unit="images"))
            return width, height, path.suffix.lower().lstrip(".")
        raise MediaError(
            "none of the images can be decoded", self.path, "check that they are whole"
        )


def read_image(path: Path, pixels: Pixels) -> NDArray[np.uint8]:
    """Reads one image file.

    Samples of 16 bits keep their upper 8; alpha is dropped, palettes are looked up; pictures in
    colour become grey with the weights of BT.601.

    Args:
        path: the file.
        pixels: `gray` or `rgb`.

    Returns:
        uint8 [height, width] or [height, width, 3].

    Raises:
        OSError: the file cannot be read or is damaged.
        ValueError: it is no image of a known kind, or of an absurd size.
    """
    with warnings.catch_warnings(), path.open("rb") as file:
        # Sizes are judged here; damaged metadata is no concern of the pixels.
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=_FORMATS) as image:
                width, height = image.size
                if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
                    raise ValueError(f"the picture size {width}x{height} is not plausible")
                return _as_pixels(image, "L" if pixels == "gray" else "RGB")
        except UnidentifiedImageError as error:
            raise ValueError("not an image of a known kind") from error


def _as_pixels(image: Image.Image, mode: str) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        samples = np.asarray(image).astype(np.int64)
        image = Image.fromarray(np.clip(samples >> 8, 0, 255).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("pictures of floating-point numbers have no agreed white")
    elif image.mode in ("LA", "La"):
        image = image.getchannel("L")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return np.array(image.convert(mode), np.uint8)


def _in_order(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = _NUMBER.split(path.stem)
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in parts
        if part
    ], path.name
