"""Which frames of a span are looked at, and reading them for a backbone."""

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
        first: index of its first frame.
        last: index of its last frame, inclusive.
        steps: T', steps of the backbone.
    """

    first: int
    last: int
    steps: int

    @property
    def heat(self) -> tuple[int, ...]:
        """The T'-1 frames whose evidence RAE reads; before the first there is none."""
        return _spread(self.first, self.last, max(1, self.steps - 1))

    @property
    def video(self) -> tuple[int, ...]:
        """The T' frames that the backbone sees first of each step."""
        return _spread(self.first, self.last, self.steps)

    def shown(self, patch: int) -> tuple[int, ...]:
        """Returns all T frames, `patch` of each step, within the span."""
        gap = (self.last - self.first) / max(1, self.steps - 1) / patch
        return tuple(
            min(self.last, round(start + place * gap))
            for start in self.video
            for place in range(patch)
        )


def _spread(first: int, last: int, count: int) -> tuple[int, ...]:
    return tuple(int(one) for one in np.linspace(first, last, count).round())


def span_steps(first: int, last: int, backbone: Backbone) -> SpanSteps:
    """Returns the frames of a span, first and last inclusive, as a backbone looks at them."""
    return SpanSteps(first, last, backbone.window_frames // backbone.temporal_patch)


def read_window(
    source: Source,
    backbone: Backbone,
    frames: Sequence[int],
    people: float | None = None,
    cancel: CancelToken | None = None,
) -> VideoWindow:
    """Reads frames of evidence at the size that a backbone wants.

    Raises:
        BadInputError: a frame cannot be decoded.
        CancelledError: it was asked to stop.
    """
    size = backbone.picture_size(source.info.width, source.info.height, people)
    read: dict[int, NDArray[np.uint8]] = {}
    for index in sorted(set(frames)):
        if cancel is not None:
            cancel.check()
        image = source.frame(index, "rgb").image
        if image is None:
            raise BadInputError(
                f"frame {index} cannot be decoded", source.path, "ask about another span"
            )
        read[index] = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    seconds = np.array([source.index.seconds(one) for one in frames], np.float64)
    return VideoWindow(np.stack([read[one] for one in frames]), seconds)
