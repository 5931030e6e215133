"""Evidence as frames: one interface for video files and folders of numbered images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.stream import Frame, FrameIndex, StreamInfo
from engine.media.index_cache import IndexCache
from engine.media.pixel_converter import Pixels

Size = tuple[int, int]
"""Width and height in pixels."""

CACHE_BYTES = 384 << 20
"""Bytes of decoded frames that a source keeps unless told otherwise."""


class Source(ABC):
    """Frames of one piece of evidence, addressed by index or PTS.

    A source belongs to one thread: decoders are not thread-safe. Open one per thread. `frames`
    has a decoder of its own, so `frame` may be called while an iteration is under way.

    Attributes:
        path: the file or folder.
        info: what is known about the stream.
        index: when each frame is shown.
    """

    path: Path
    info: StreamInfo
    index: FrameIndex

    @abstractmethod
    def frame(self, i: int, pixels: Pixels = "rgb") -> Frame:
        """Returns frame `i` at the decoded size, exactly as `frames` would give it.

        Raises:
            IndexError: there is no such frame.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the files and frees the cache; may be called twice."""

    @abstractmethod
    def _iterate(self, wanted: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        """Yields the wanted frames in order; arguments are already checked."""

    def frame_at(self, pts: int) -> Frame:
        """Returns the frame with the nearest PTS (ties: the earlier), as RGB."""
        return self.frame(self.index.nearest_pts(pts))

    def frames(
        self,
        start: int = 0,
        stop: int | None = None,
        step: int = 1,
        *,
        size: Size | None = None,
        pixels: Pixels = "gray",
    ) -> Iterator[Frame]:
        """Yields one frame for each index of `range(start, stop, step)`, in order.

        Decoding starts at the keyframe that `start` needs. Damage never ends the iteration.

        Args:
            start: first index.
            stop: index after the last one; None takes all, and so does any larger number.
            step: distance between indices, from 1.
            size: width and height of the images; None keeps the decoded size.
            pixels: `gray` or `rgb`.

        Raises:
            BadInputError: an argument is out of range.
        """
        if start < 0 or step < 1:
            raise BadInputError(f"no frames from {start} in steps of {step}", self.path)
        if size is not None and min(size) < 1:
            raise BadInputError(f"no picture size {size[0]}x{size[1]}", self.path)
        end = len(self.index) if stop is None else min(stop, len(self.index))
        decoded_size = self.info.width, self.info.height
        return self._iterate(range(start, end, step), size or decoded_size, pixels)

    def pick(self, i: int, *, size: Size, pixels: Pixels = "gray") -> Frame:
        """Returns frame `i` at a size, exactly as `frames` would give it.

        For single frames here and there: nothing is cached, and one decoder serves all calls.

        Raises:
            IndexError: there is no such frame.
        """
        (frame,) = self._iterate(range(self._checked(i), i + 1), size, pixels)
        return frame

    def _checked(self, i: int) -> int:
        if not 0 <= i < len(self.index):
            raise IndexError(f"frame {i} of {len(self.index)}")
        return i

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


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
        cancel: looked at while indexing.
        progress: told how far indexing is.
        cache_bytes: bytes of decoded frames to keep for `frame`.
        indexes: where the index of a video is found, or kept for the next time; None reads the
            file through.

    Raises:
        MediaError: it is missing, empty, not readable, no video, encrypted, of an absurd size,
            or nothing in it can be decoded.
        BadInputError: `stream` or `fps` does not fit.
        CancelledError: the user stopped.
    """
    # Imported here because both need `Source`.
    from engine.media.image_folder import ImageSource
    from engine.media.video_file import VideoSource

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
