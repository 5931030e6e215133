"""Which frames are analysed and how they are cut into chunks: a function of index and settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.settings import AnalysisSettings
from engine.core.stream import FrameIndex, StreamInfo, analysed_frames
from engine.motion.grid import Grid

# Analysed frames in a chunk: fewer would be dominated by the context that each chunk needs besides,
# and more would take much memory and lose much when a run is killed. A choice.
_MIN_CHUNK, _MAX_CHUNK = 32, 256
_FALLBACK_RATE = 25.0  # frames a second where a stream has a single frame: usual for cameras
_MAX_RATE = 240.0  # frames a second: faster than a surveillance camera, but a file may claim any


@dataclass(frozen=True, eq=False)
class AnalysisPlan:
    """The frames of one stream that are analysed, and their chunks.

    Attributes:
        grid: size of the analysis picture and its cells.
        frames: int64 [m], indices of the analysed frames.
        pts: int64 [m], their PTS.
        seconds: float64 [m], their stream time.
        rate: analysed frames a second (the median step), at most 240, because the frames of
            context and of smoothing grow with it.
        chunk: analysed frames in a chunk.
    """

    grid: Grid
    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    seconds: NDArray[np.float64]
    rate: float
    chunk: int

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-len(self.frames) // self.chunk)

    def span(self, chunk: int) -> tuple[int, int]:
        """Returns the index in `frames` of a chunk's first frame and of the one after its last."""
        return chunk * self.chunk, min(len(self.frames), (chunk + 1) * self.chunk)


def frame_seconds(index: FrameIndex) -> NDArray[np.float64]:
    """Returns the stream time of every frame, float64 [n], in seconds."""
    return np.asarray((index.pts - index.pts[0]) * float(index.time_base), np.float64)


def make_plan(info: StreamInfo, index: FrameIndex, settings: AnalysisSettings) -> AnalysisPlan:
    """Plans the analysis of a stream.

    Raises:
        BadInputError: the stride is not a positive number, or the picture is too small.
    """
    motion = settings.motion
    if settings.stride < 1:
        raise BadInputError("the stride must be at least 1", settings.stride, "leave --stride out")
    if min(info.width, info.height) < motion.cell:
        raise BadInputError(
            f"a picture of {info.width}x{info.height} is too small to analyse",
            "",
            f"give footage of at least {motion.cell}x{motion.cell} pixels",
        )
    stride = min(settings.stride, len(index))
    frames = analysed_frames(len(index), stride)
    seconds = frame_seconds(index)[frames]
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    rate = min(_MAX_RATE, 1 / step) if step > 0 else _FALLBACK_RATE / stride
    chunk = int(np.clip(round(motion.chunk_seconds * rate), _MIN_CHUNK, _MAX_CHUNK))
    grid = Grid.fit(info.width, info.height, motion.analysis_area, motion.cell)
    return AnalysisPlan(grid, frames, index.pts[frames], seconds, rate, chunk)
