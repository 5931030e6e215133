"""What is true of a span of a rendered video: its target in words, from where to where."""

from __future__ import annotations

import numpy as np

from engine.core.geometry import cell_name, direction_name
from engine.lab.datasets.rendered_footage import RenderedVideo, Target
from engine.lab.dialogue_corpus.span_limits import MIN_SHIFT
from engine.lab.dialogue_corpus.wording import SpanTruth


def span_truth(
    video: RenderedVideo,
    target: Target | None,
    boxes: tuple[tuple[float, float], ...],
    people: int,
    span: tuple[int, int],
) -> SpanTruth:
    """Returns what is true of a span.

    Args:
        video: the video that the span is part of.
        target: the target that is abnormal in it; None for a normal span.
        boxes: centres of the target's box at the start and at the end, in pixels.
        people: how many others are in view.
        span: first and last frame.
    """
    if target is None:
        return SpanTruth(None, video.layout, video.grey, people)
    (x0, y0), (x1, y1) = boxes[0], boxes[-1]
    far = np.hypot(x1 - x0, y1 - y0) / np.hypot(*video.size) >= MIN_SHIFT
    return SpanTruth(
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
