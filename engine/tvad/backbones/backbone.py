"""What a frozen vision-language backbone offers: one small protocol for all of them.

A backbone computes features of windows of T frames: T' = T / `temporal_patch` slices at four
depths. Everything that is trained lies in the decoder behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class WindowMotion:
    """Motion beside the frames of a window, one slice for each slice of features.

    Attributes:
        values: float32 [T', 6, R, C], channels over a grid of the whole picture:
            mean flow vector (right, down), mean magnitude of the flow and its deviation over
            about 0.2 s, in pixels of the analysis picture a second; difference to the frame
            0.2 s before and share of foreground, both 0..1.
        usual: float32 [R], the speed that is usual at each row, in the same pixels a second,
            from what came before or from a calibration; 0 where it is not known.
        width: width of the analysis picture in pixels; turns its speeds into those of another
            size.
    """

    values: NDArray[np.float32]
    usual: NDArray[np.float32]
    width: int


@dataclass(frozen=True, eq=False)
class VideoWindow:
    """Consecutive analysed frames as a backbone takes them.

    Attributes:
        frames: uint8 [T, H, W, 3], RGB, of the size that `Backbone.picture_size` chose.
        seconds: float64 [T], stream time of each frame.
        motion: motion that was measured on all frames of the stream around these; without it, a
            backbone that uses motion sees a still picture.
    """

    frames: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    motion: WindowMotion | None = None


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a window.

    Attributes:
        maps: float32 tensors [T', C_i, H_i, W_i], one a depth from shallow to deep, in raster
            order (row by row from the upper left).
        motion: float32 [T', M, h, w] in units of the scene, for backbones that use it.
    """

    maps: tuple[torch.Tensor, ...]
    motion: torch.Tensor | None = None


@dataclass(frozen=True)
class Cost:
    """What a backbone costs.

    Attributes:
        weights_bytes: memory of its weights.
        window_bytes: further memory for one window of the usual size, an estimate.
        window_ms: time for one window on the reference machine (two cores), in milliseconds; 0
            where nobody measured it.
    """

    weights_bytes: int
    window_bytes: int
    window_ms: float


class Backbone(Protocol):
    """A frozen vision encoder with its frozen text encoder.

    Attributes:
        name: name of its kind in the registry, which packs write.
        widths: channels of the four depths, from shallow to deep.
        text_width: D, the width of text embeddings.
        temporal_patch: frames that become one slice of features.
        stride: pixels of the picture in one cell of the heatmap's grid.
        window_frames: T, frames in a full window; a shorter one of a whole number of patches
            is possible as well.
        frame_rate: analysed frames a second that suit it.
        motion_channels: M of `Features.motion`; 0 for a backbone that sees frames only.
        cost: memory and time that it needs.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def widths(self) -> tuple[int, int, int, int]: ...  # noqa: D102

    @property
    def text_width(self) -> int: ...  # noqa: D102

    @property
    def temporal_patch(self) -> int: ...  # noqa: D102

    @property
    def stride(self) -> int: ...  # noqa: D102

    @property
    def window_frames(self) -> int: ...  # noqa: D102

    @property
    def frame_rate(self) -> float: ...  # noqa: D102

    @property
    def motion_channels(self) -> int: ...  # noqa: D102

    @property
    def cost(self) -> Cost: ...  # noqa: D102

    def picture_size(self, width: int, height: int, people: float | None = None) -> tuple[int, int]:
        """Chooses the size to which the frames of a stream are scaled.

        Args:
            width: width of the decoded picture.
            height: height of the decoded picture.
            people: usual height of people in decoded pixels, when it was measured.

        Returns:
            Width and height, multiples of what its grid asks for.
        """
        ...

    def features(self, window: VideoWindow) -> Features:
        """Computes the features of a window at four depths.

        Raises:
            BadInputError: the window's length or size does not fit.
            ResourceError: the device has no memory for it.
        """
        ...

    def video_tokens(self, window: VideoWindow) -> torch.Tensor:
        """Returns its own video tokens of a window, float32 [n, width]."""
        ...

    def embed_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts: float32 [n, D], each the mean over its tokens.

        Raises:
            BadInputError: a text is empty or too long.
        """
        ...
