"""The first picture of a file, without waiting for its index."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SightlineError
from engine.media.container import check_size, open_stream
from engine.media.image_folder import image_files
from engine.media.packets import read_packets
from engine.media.pixel_converter import PixelConverter

_MOST_PACKETS = 200


def first_picture(path: Path, *, stream: int | None = None) -> NDArray[np.uint8] | None:
    """Decodes the first picture that comes out of a file.

    It is a stand-in: whether it is the first frame, only the index can tell.

    Args:
        path: a video file or a folder of numbered images.
        stream: index of the video stream; None takes the first.

    Returns:
        uint8 [H, W, 3] RGB; None when the file gives none at once, whatever the reason: opening
        it properly says why.
    """
    try:
        if path.is_dir():
            from engine.media.image_file import read_image

            files = image_files(path)
            return read_image(files[0], "rgb") if files else None
        return _first_of_video(path, stream)
    except (SightlineError, av.error.FFmpegError, OSError, ValueError, MemoryError):
        return None


def _first_of_video(path: Path, stream: int | None) -> NDArray[np.uint8] | None:
    opened = open_stream(path, stream)
    try:
        context = opened.stream.codec_context
        for count, packet in enumerate(read_packets(opened, lambda: None)):
            if count > _MOST_PACKETS:
                return None
            for frame in context.decode(packet):
                check_size(frame.width, frame.height, path)
                return PixelConverter("rgb", (frame.width, frame.height)).convert(frame)
        for frame in context.decode(None):
            check_size(frame.width, frame.height, path)
            return PixelConverter("rgb", (frame.width, frame.height)).convert(frame)
        return None
    finally:
        opened.close()
