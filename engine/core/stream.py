"""A stream of frames as plain values: what it is, when its frames are shown, and one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StreamSummary:
    """One video stream of a file, from which the examiner chooses one.

    Attributes:
        number: index of the stream in its file, what `--stream` takes.
        codec: name of the codec (`h264`, `mjpeg`, …).
        width: width in pixels, 0 when the header does not say.
        height: height in pixels, 0 when the header does not say.
    """

    number: int
    codec: str
    width: int
    height: int


@dataclass(frozen=True)
class StreamInfo:
    """The properties of one video stream.

    Attributes:
        number: index of the stream in its file.
        container: name of the container format (`mp4`, `avi`, `images`, …).
        codec: name of the codec.
        width: width in decoded pixels, before rotation and pixel aspect.
        height: height in decoded pixels.
        time_base: seconds of one PTS unit.
        average_rate: frames a second as the container states it; None when it does not.
        pixel_aspect: width / height of one pixel; 1 when unknown.
        rotation: degrees clockwise (0, 90, 180 or 270) by which the frame is turned for display.
        interlaced: whether frames are made of two fields.
        sound: whether the file also has sound.
        streams: every video stream of the file, in order.
        metadata: what the container says about itself and the stream, untrusted text.
    """

    number: int
    container: str
    codec: str
    width: int
    height: int
    time_base: Fraction
    average_rate: Fraction | None
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    interlaced: bool = False
    sound: bool = False
    streams: tuple[StreamSummary, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """When each frame of a stream is shown.

    Attributes:
        pts: int64 [n], strictly ascending, in time_base units.
        keyframe: bool [n], frames at which decoding can start.
        duration: int64 [n], in time_base units.
        time_base: seconds of one PTS unit.
        made: whether the PTS are not the file's own but made from DTS or the frame rate.
        duplicates: packets left out because their PTS repeated another's.
        gaps: (index of the frame before the gap, seconds missing after it).
        variable_rate: whether frames follow each other at varying steps.
        missing: frames that the container promises but that are not there.
        discarded: packets that the container's edit list takes out.
        discontinuities: places where the file's clock jumps back and the PTS were carried on.
        unreadable: stretches of the file that the container's reader had to give up.
    """

    pts: NDArray[np.int64]
    keyframe: NDArray[np.bool_]
    duration: NDArray[np.int64]
    time_base: Fraction
    made: bool = False
    duplicates: int = 0
    gaps: tuple[tuple[int, float], ...] = ()
    variable_rate: bool = False
    missing: int = 0
    discarded: int = 0
    discontinuities: int = 0
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.pts)

    def seconds(self, index: int) -> float:
        """Returns the stream time of a frame in seconds, 0 for the first.

        Raises:
            IndexError: there is no such frame.
        """
        return float(int(self.pts[index] - self.pts[0]) * self.time_base)

    def nearest_pts(self, pts: int) -> int:
        """Returns the index of the frame with the nearest PTS (ties: the earlier)."""
        after = int(np.searchsorted(self.pts, pts))
        if after == 0:
            return 0
        if after == len(self.pts):
            return after - 1
        before = after - 1
        nearer = int(self.pts[after]) - pts < pts - int(self.pts[before])
        return after if nearer else before

    def nearest(self, seconds: float) -> int:
        """Returns the index of the frame nearest to a stream time (ties: the earlier)."""
        # 0.02 means two hundredths, not the binary number beside it: that would decide a tie.
        target = Fraction(repr(float(seconds))) / self.time_base + int(self.pts[0])
        before = self.nearest_pts(target.numerator // target.denominator)
        around = range(max(0, before - 1), min(len(self.pts), before + 2))
        return min(around, key=lambda i: (abs(int(self.pts[i]) - target), i))

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame's PTS to the end of the last frame."""
        span = int(self.pts[-1]) + int(self.duration[-1]) - int(self.pts[0])
        return float(span * self.time_base)


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a stream.

    Attributes:
        index: 0-based position in the stream's index.
        pts: its PTS, in time_base units.
        image: uint8 [height, width, 3] RGB or [height, width] grey; None when the frame could
            not be decoded.
        damaged: the decoder reported an error in it or in a frame it was predicted from, or the
            frame is not there at all.
        pict_type: `I`, `P`, `B`, or `?` when unknown.
    """

    index: int
    pts: int
    image: NDArray[np.uint8] | None
    damaged: bool
    pict_type: str


def analysed_frames(frames: int, stride: int) -> NDArray[np.int64]:
    """Returns the indices of the analysed frames, int64 [m], ascending; at least one.

    Args:
        frames: in the stream, from 1.
        stride: every how many frames one is analysed, from 1.
    """
    return np.arange(0, frames, min(stride, frames), dtype=np.int64)
