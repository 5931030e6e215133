"""Which frames of a span a backbone looks at, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.media import Source
from engine.tvad.backbones.backbone import Backbone, VideoWindow


@dataclass(frozen=True)
class SpanSteps:
    """Evenly spaced frames of a span.

    Attributes:
        first: index of the first frame of the span.
        last: index of its last frame, inclusive.
        steps: T', the number of steps that the backbone makes of a window.
    """

    first: int
    last: int
    steps: int

    @property
    def heatmap_frames(self) -> tuple[int, ...]:
        """The T'-1 frames whose heatmaps the RAE reads; it has none before the first step."""
        return _evenly_spaced(self.first, self.last, max(1, self.steps - 1))

    @property
    def video_frames(self) -> tuple[int, ...]:
        """The T' frames with which the steps begin."""
        return _evenly_spaced(self.first, self.last, self.steps)

    def window_frames(self, patch: int) -> tuple[int, ...]:
        """Returns the T frames of a window within the span, `patch` of them for each step."""
        gap = (self.last - self.first) / max(1, self.steps - 1) / patch
        return tuple(
            min(self.last, round(start + number * gap))
            for start in self.video_frames
            for number in range(patch)
        )


def _evenly_spaced(first: int, last: int, count: int) -> tuple[int, ...]:
    return tuple(int(frame) for frame in np.linspace(first, last, count).round())


def span_steps(first: int, last: int, backbone: Backbone) -> SpanSteps:
    """Returns the steps that a backbone makes of a span; both ends are inclusive."""
    return SpanSteps(first, last, backbone.window_frames // backbone.temporal_patch)


def read_window(
    source: Source,
    backbone: Backbone,
    frames: Sequence[int],
    cancel: CancelToken | None = None,
) -> VideoWindow:
    """Reads frames of evidence in the size that a backbone needs.

    Args:
        source: the evidence.
        backbone: names the size.
        frames: indices of the frames; a frame may occur several times.
        cancel: is checked between frames.

    Raises:
        BadInputError: a frame cannot be decoded.
        CancelledError: the user stopped.
    """
    size = backbone.picture_size(source.info.width, source.info.height)
    images: dict[int, NDArray[np.uint8]] = {}
    for index in sorted(set(frames)):
        if cancel is not None:
            cancel.check()
        image = source.frame(index, "rgb").image
        if image is None:
            raise BadInputError(
                f"frame {index} cannot be decoded", source.path, "ask about another span"
            )
        images[index] = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    seconds = np.array([source.index.seconds(index) for index in frames], np.float64)
    return VideoWindow(np.stack([images[index] for index in frames]), seconds)
