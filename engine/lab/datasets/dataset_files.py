"""Listing and reading the files of a benchmark: numbered images, masks and arrays."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
_FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
_DAMAGED = "restore this file from the data set"


def natural_key(path: Path) -> tuple[tuple[int, str], ...]:
    """Returns a sort key that takes runs of digits as numbers: `2` before `10`."""
    parts = re.split(r"([0-9]+)", path.name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def list_entries(folder: Path, suffixes: frozenset[str] | None = None) -> list[Path]:
    """Lists files with one of the suffixes, or sub-folders, in numeric order.

    Args:
        folder: the folder to look into; hidden entries are left out.
        suffixes: lower-case suffixes of the wanted files; None for sub-folders.

    Raises:
        BadInputError: the folder is missing or cannot be read.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise BadInputError(
            f"no readable folder ({error.strerror})", folder, "check --root and the data set"
        ) from None
    if suffixes is None:
        entries_of_kind = [entry for entry in entries if entry.is_dir()]
    else:
        entries_of_kind = [e for e in entries if e.suffix.lower() in suffixes and e.is_file()]
    return sorted(entries_of_kind, key=natural_key)


def numbered_images(folder: Path) -> dict[int, Path]:
    """Lists the images of a folder by the last number in their names, ascending.

    Raises:
        BadInputError: the folder is missing, holds no numbered image, or a number occurs twice.
    """
    images: dict[int, Path] = {}
    for path in list_entries(folder, IMAGE_SUFFIXES):
        digits = re.findall(r"[0-9]+", path.stem)
        if not digits:
            continue
        number = int(digits[-1])
        if number in images:
            raise BadInputError(
                f"two images have the number {number}", path, f"keep it or {images[number].name}"
            )
        images[number] = path
    if not images:
        raise BadInputError("no numbered images", folder, "check --root and the data set")
    return dict(sorted(images.items()))


def image_size(path: Path) -> tuple[int, int]:
    """Returns width and height of an image from its header.

    Raises:
        BadInputError: the file is missing, damaged or beyond all size.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                return image.size
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise BadInputError(f"unreadable image ({_short(error)})", path, _DAMAGED) from None


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Reads a black-and-white mask of any depth.

    Returns:
        bool [height, width], True where the image is not black.

    Raises:
        BadInputError: the file is missing, damaged or beyond all size.
    """
    return _pixels(path, "L") > 0


def read_ids(path: Path) -> NDArray[np.uint8]:
    """Reads an 8-bit image whose pixels are object ids.

    Returns:
        uint8 [height, width]; 0 is background.

    Raises:
        BadInputError: the file is missing, damaged or beyond all size, or holds colours.
    """
    pixels = _pixels(path, None)
    if pixels.ndim == 3 and (pixels[..., :3] == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise BadInputError("not an 8-bit image of object ids", path, _DAMAGED)
    return pixels


def _pixels(path: Path, mode: str | None) -> NDArray[np.uint8]:
    """Decodes an image; palette images keep their indices unless a mode is asked for."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                return np.asarray(image if mode is None else image.convert(mode))
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise BadInputError(f"unreadable image ({_short(error)})", path, _DAMAGED) from None


def load_array(path: Path, ndim: int) -> NDArray[np.generic]:
    """Opens a `.npy` array of numbers as a memory map; pickled objects are refused.

    Raises:
        BadInputError: the file is missing or damaged, or has another number of dimensions.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise BadInputError(f"unreadable array ({_short(error)})", path, _DAMAGED) from None
    if not isinstance(array, np.ndarray) or array.ndim != ndim or array.dtype.kind not in "biuf":
        raise BadInputError(f"not an array of numbers with {ndim} dimensions", path, _DAMAGED)
    return array


def _short(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).splitlines()
    return lines[0][:100] if lines else type(error).__name__
