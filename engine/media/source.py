"""Evidence as frames: one interface for video files and folders of numbered images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.files import Closing
from engine.core.stream import Frame, FrameIndex, StreamInfo
from engine.media.pixel_converter import Pixels

Size = tuple[int, int]
"""Width and height in pixels."""


class Source(ABC, Closing):
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
    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        """Yields the frames of these indices in order; arguments are already checked."""

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
        (frame,) = self._iterate(range(self._check_index(i), i + 1), size, pixels)
        return frame

    def _check_index(self, i: int) -> int:
        if not 0 <= i < len(self.index):
            raise IndexError(f"frame {i} of {len(self.index)}")
        return i
