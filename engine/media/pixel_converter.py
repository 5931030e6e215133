"""Turns decoded frames into arrays of pixels, the same way everywhere.

Grey is the luma plane, expanded to 0..255 where the stream uses the limited (TV) range; a range
that the stream does not state is taken as limited, as every player does. RGB follows the matrix
the stream states, BT.601 where it states none. Scaling averages over the area of each new pixel,
so that thin structures do not flicker; at the decoded size nothing is interpolated but chroma.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

Pixels = Literal["gray", "rgb"]

_FORMATS: dict[Pixels, str] = {"gray": "gray8", "rgb": "rgb24"}
_TYPES = {
    PictureType.I: "I",
    PictureType.SI: "I",
    PictureType.P: "P",
    PictureType.S: "P",
    PictureType.SP: "P",
    PictureType.B: "B",
    PictureType.BI: "B",
}


class PixelConverter:
    """Converts frames to one kind of pixels; keeps FFmpeg's scaler between frames.

    Belongs to one thread.

    Args:
        pixels: `gray` or `rgb`.
        size: width and height of the arrays.
    """

    def __init__(self, pixels: Pixels, size: tuple[int, int]) -> None:
        self._format = _FORMATS[pixels]
        self._width, self._height = size
        self._reformatter = VideoReformatter()

    def convert(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Returns uint8 [height, width] or [height, width, 3], owned by the caller."""
        same = (frame.width, frame.height) == (self._width, self._height)
        # One thread: slices cost more than they bring at these sizes, and decoding has the cores.
        converted = self._reformatter.reformat(
            frame,
            self._width,
            self._height,
            self._format,
            interpolation=Interpolation.BILINEAR if same else Interpolation.AREA,
            threads=1,
        )
        array = converted.to_ndarray()
        # What is still the decoder's own picture may serve it as a reference.
        owned = np.array(array) if converted is frame else np.ascontiguousarray(array)
        return owned.astype(np.uint8, copy=False)


def picture_type(frame: VideoFrame) -> str:
    """Returns `I`, `P`, `B` or `?`."""
    return _TYPES.get(PictureType(frame.pict_type), "?")


def frame_bytes(frame: VideoFrame) -> int:
    """Returns the bytes that a decoded frame occupies."""
    return sum(plane.buffer_size for plane in frame.planes)
