"""Decodes the first frame of a file without waiting for its index."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SightlineError
from engine.media.container import check_size, open_stream
from engine.media.image_folder import image_files
from engine.media.packets import read_packets
from engine.media.pixel_converter import PixelConverter

_MAX_PACKETS = 200  # Read before giving up: a choice, 8 seconds at 25 frames a second.


def read_first_frame(path: Path, *, stream: int | None = None) -> NDArray[np.uint8] | None:
    """Decodes the first frame that comes out of a file.

    It is a stand-in: whether it is the first one that is shown, only the index can tell.

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
        return _read_video(path, stream)
    except (SightlineError, av.error.FFmpegError, OSError, ValueError, MemoryError):
        return None


def _read_video(path: Path, stream: int | None) -> NDArray[np.uint8] | None:
    with open_stream(path, stream) as opened:
        packets = chain(read_packets(opened, lambda: None), (None,))
        for count, packet in enumerate(packets):
            if count > _MAX_PACKETS and packet is not None:
                return None
            for frame in opened.stream.codec_context.decode(packet):
                check_size(frame.width, frame.height, path)
                return PixelConverter("rgb", (frame.width, frame.height)).convert(frame)
    return None
