"""Opens evidence as a source of frames, whether it is a video file or a folder of images."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.media.image_folder import ImageSource
from engine.media.index_cache import IndexCache
from engine.media.source import Source
from engine.media.video_file import VideoSource

CACHE_BYTES = 384 << 20
"""Bytes of decoded frames that a source keeps by default, a choice: about 130 frames of Full HD."""


def open_source(
    path: Path,
    *,
    stream: int | None = None,
    fps: float | None = None,
    cancel: CancelToken | None = None,
    progress: ProgressCallback = silent,
    cache_bytes: int = CACHE_BYTES,
    indexes: IndexCache | None = None,
) -> Source:
    """Opens a video file or a folder of numbered images, and indexes it.

    The evidence is opened read-only and nothing is written beside it. One frame is decoded, so
    that a file whose frames cannot be decoded at all is refused here.

    Args:
        path: the file or folder.
        stream: index of the video stream; None takes the first.
        fps: frames a second of images (25 when None) and of a video without any times.
        cancel: checked while indexing.
        progress: called with how far indexing is.
        cache_bytes: bytes of decoded frames to keep for `frame`.
        indexes: where the index of a video is read from, or stored for the next time; None
            reads the whole file.

    Raises:
        MediaError: it is missing, empty, not readable, no video, encrypted, of an absurd size,
            or nothing in it can be decoded.
        BadInputError: `stream` or `fps` does not fit.
        CancelledError: the user stopped.
    """
    token = cancel or CancelToken()
    rate = _rate(fps)
    if _is_folder(path):
        if stream not in (None, 0):
            raise BadInputError(f"a folder of images has no stream {stream}", path)
        return ImageSource(path, rate or Fraction(25), cache_bytes, token, progress)
    return VideoSource(path, stream, rate, cache_bytes, token, progress, indexes)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # Opening it as a file says what is wrong with the path.
        return False


def _rate(fps: float | None) -> Fraction | None:
    if fps is None:
        return None
    if not 0.001 <= fps <= 10000:
        raise BadInputError(f"not a frame rate: {fps}", "", "give frames a second, for example 25")
    exact = Fraction(repr(float(fps)))
    # 29.97 is how people write 30000/1001.
    for whole in (24, 30, 60, 120):
        if abs(exact - Fraction(whole * 1000, 1001)) < Fraction(1, 200):
            return Fraction(whole * 1000, 1001)
    return exact
