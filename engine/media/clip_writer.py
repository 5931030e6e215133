"""Writes RGB frames with their own PTS to an MP4 file."""

from __future__ import annotations

import os
import secrets
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError
from engine.core.files import Closing

_ENCODERS = (
    ("libx264", {"preset": "veryfast", "crf": "20"}),
    ("mpeg4", {"qscale": "3"}),
)
_MAX_TIME_BASE = 1 << 16  # A choice: its steps of 15 microseconds are finer than those of frames.


class ClipWriter(Closing):
    """Writes an MP4 (H.264 where the encoder is there, otherwise MPEG-4) with given PTS.

    The file appears under its name only when it is complete: until then it has a temporary name
    beside it, and an error or a missing `close` leaves nothing. An odd width or height is padded
    by repeating the last column or row, because 4:2:0 video has even sides. Used as a context
    manager it is closed on leaving, or dropped when an error leaves it.

    Args:
        path: the file to write, replaced when it is there.
        size: width and height of the frames in pixels.
        time_base: seconds of one PTS unit; PTS are kept exactly where its denominator is at
            most 65536, otherwise to 1/65536 s.
        rate: frames a second, a hint for the encoder.
        pixel_aspect: width / height of one pixel.

    Raises:
        BadInputError: the size is not positive.
        ResourceError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        time_base: Fraction,
        *,
        rate: Fraction = Fraction(25),
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        if min(size) < 1:
            raise BadInputError(f"no picture size {size[0]}x{size[1]}", path)
        self.path = path
        self._size = size
        self._time_base = time_base
        exact = time_base.numerator == 1 and time_base.denominator <= _MAX_TIME_BASE
        self._clock = time_base if exact else Fraction(1, _MAX_TIME_BASE)
        self._last_time: int | None = None
        self._first_pts: int | None = None
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            # FFmpeg would open it at the first frame only, and then the error comes late.
            self._part.open("xb").close()
            self._container = av.open(
                str(self._part), "w", format="mp4", options={"movflags": "faststart"}
            )
        except (OSError, av.error.FFmpegError) as error:
            raise _write_error(path, error) from error
        self._is_closed = False
        try:
            self._stream = self._add_stream(rate, pixel_aspect)
        except BaseException:
            self.drop()
            raise

    def write(self, image: NDArray[np.uint8], pts: int) -> None:
        """Adds a frame.

        Args:
            image: uint8 [height, width, 3], RGB.
            pts: its time in `time_base` units, later than the frame before; the first one is
                written as time 0.

        Raises:
            BadInputError: the image has another size, or its PTS does not follow.
            ResourceError: the file cannot be written.
        """
        width, height = self._size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise BadInputError(f"a frame of shape {image.shape} does not fit", self.path)
        if self._first_pts is None:
            self._first_pts = pts
        time = round((pts - self._first_pts) * self._time_base / self._clock)
        if self._last_time is not None and time <= self._last_time:
            raise BadInputError(f"the PTS {pts} does not follow the one before", self.path)
        padded = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(padded), format="rgb24")
        frame.pts, frame.time_base = time, self._clock
        self._last_time = time
        self._mux(frame)

    def close(self) -> None:
        """Completes the file and gives it its name; may be called twice.

        Raises:
            BadInputError: no frame was written.
            ResourceError: the file cannot be written.
        """
        if self._is_closed:
            return
        if self._last_time is None:
            self.drop()
            raise BadInputError("no frame to write", self.path, "choose a longer span")
        self._mux(None)
        try:
            self._container.close()
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.replace(self.path)
        except (OSError, av.error.FFmpegError) as error:
            self.drop()
            raise _write_error(self.path, error) from error
        self._is_closed = True

    def drop(self) -> None:
        """Gives the file up and removes what was written of it; may be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._container.close()
        except (OSError, av.error.FFmpegError):
            # What could not be completed is removed next anyway.
            pass
        finally:
            self._part.unlink(missing_ok=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.drop()

    def _add_stream(self, rate: Fraction, pixel_aspect: Fraction) -> av.VideoStream:
        available = av.codecs_available
        name, options = next(pair for pair in _ENCODERS if pair[0] in available)
        stream = cast(av.VideoStream, self._container.add_stream(name, rate=rate, options=options))
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        stream.sample_aspect_ratio = pixel_aspect
        stream.codec_context.time_base = self._clock
        stream.time_base = self._clock
        return stream

    def _mux(self, frame: VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (OSError, av.error.FFmpegError) as error:
            self.drop()
            raise _write_error(self.path, error) from error


def _write_error(path: Path, error: Exception) -> ResourceError:
    reason = getattr(error, "strerror", None) or str(error)
    return ResourceError(f"the video cannot be written ({reason})", path, "check space and rights")
