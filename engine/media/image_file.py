"""Reads one image file as pixels."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine.media.container import MAX_PIXELS, MAX_SIDE
from engine.media.pixel_converter import Pixels

UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
"""What reading a damaged or hostile image may raise."""

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP")


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
        # Sizes are checked here; damaged metadata is no concern of the pixels.
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


def shrink(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns an image at another width and height, each pixel the mean of what it covers."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
