"""What is true of a span of a rendered video: its target in words, from where to where."""

from __future__ import annotations

import numpy as np

from engine.core.directions import cell_name, direction_name
from engine.lab.datasets.rendered import RenderedVideo, Target
from engine.lab.dialogue_corpus.wording import Truth

_STILL = 0.04
"""Share of the picture's diagonal that a target moves at least to have a direction."""


def span_truth(
    video: RenderedVideo,
    target: Target | None,
    boxes: tuple[tuple[float, float], ...],
    people: int,
    span: tuple[int, int],
) -> Truth:
    """Says what is true of a span.

    Args:
        video: it is a span of.
        target: that is abnormal in it; None for a normal span.
        boxes: centres of the target's box at the start and at the end, in pixels.
        people: how many others are in view.
        span: first and last frame.
    """
    if target is None:
        return Truth(None, video.layout, video.grey, people)
    (x0, y0), (x1, y1) = boxes[0], boxes[-1]
    far = np.hypot(x1 - x0, y1 - y0) / np.hypot(*video.size) >= _STILL
    return Truth(
        target=target.class_in(*span) or "walking",
        layout=video.layout,
        grey=video.grey,
        people=people,
        kind=target.kind,
        appearance=dict(target.appearance),
        from_cell=cell_name(x0, y0, *video.size),
        to_cell=cell_name(x1, y1, *video.size),
        direction=direction_name(x1 - x0, y1 - y0) if far else "",
    )
