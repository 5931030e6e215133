"""Spans of rendered videos with their truth and the heatmap that a perfect detector would give."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.lab.datasets.rendered_footage import RenderedVideo, Target
from engine.lab.dialogue_corpus.samples.span_truth import span_truth
from engine.lab.dialogue_corpus.span_limits import (
    MAX_SPAN_S,
    MIN_SPAN_S,
    MIN_TARGET_PIXELS,
    SPAN_MARGIN_S,
)
from engine.lab.dialogue_corpus.true_heatmaps import analysis_grid, true_heatmap
from engine.lab.dialogue_corpus.wording import SpanTruth

_MAX_DRAWS = 24  # draws of a span before a video counts as having no room for it; a choice

Point = tuple[float, float]


@dataclass(frozen=True)
class RenderedSpan:
    """A span of a rendered video with what is true of it.

    Attributes:
        video: the video.
        first: index of its first frame.
        last: index of its last frame, inclusive.
        truth: what is true of it.
    """

    video: RenderedVideo
    first: int
    last: int
    truth: SpanTruth

    @property
    def abnormal(self) -> bool:
        """Whether a target is abnormal in the span."""
        return self.truth.target is not None


def draw_spans(video: RenderedVideo, count: int, seed: int) -> list[RenderedSpan]:
    """Draws spans of a video; the same seed gives the same.

    In a video with abnormal targets two of three spans are inside their abnormal time, the others
    as far from it as there is room.

    Args:
        video: the video.
        count: spans at most; fewer where there is no room.
        seed: decides which spans are drawn.
    """
    rng = np.random.default_rng([seed, zlib.crc32(video.name.encode())])
    spans: list[RenderedSpan] = []
    for _ in range(count):
        wants_abnormal = any(actor.spans for actor in video.targets) and rng.random() < 2 / 3
        span = _abnormal_span(video, rng) if wants_abnormal else _normal_span(video, rng)
        if span is not None and all(abs(span.first - other.first) > 3 for other in spans):
            spans.append(span)
    return sorted(spans, key=lambda span: span.first)


def true_heat(video: RenderedVideo, frames: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns the heatmaps of a perfect detector, float32 [n, R, C], on the grid of an analysis."""
    grid = analysis_grid(video.size)
    heatmaps = np.zeros((len(frames), grid.rows, grid.columns), np.float32)
    for index, frame in enumerate(frames):
        abnormal = [actor.number for actor in video.targets if actor.abnormal_at(frame)]
        if abnormal:
            mask = np.isin(video.ids(frame), abnormal).astype(np.float32)
            heatmaps[index] = true_heatmap(mask, grid)
    return heatmaps


def _abnormal_span(video: RenderedVideo, rng: np.random.Generator) -> RenderedSpan | None:
    shortest = round(MIN_SPAN_S * video.fps)
    stretches = [
        (actor, first, last)
        for actor in video.targets
        for first, last in actor.spans
        if last - first >= shortest
    ]
    if not stretches:
        return None
    for _ in range(_MAX_DRAWS):
        actor, begin, end = stretches[int(rng.integers(len(stretches)))]
        first, last = _draw(begin, end, video.fps, rng)
        target = _largest(video, first, last)
        if target is None or target.number != actor.number:
            continue
        start, stop = _centre(video, actor, first), _centre(video, actor, last)
        if start is None or stop is None:
            continue
        others = _others(video, (first + last) // 2, video.abnormal(first, last))
        truth = span_truth(video, actor, (start, stop), others, (first, last))
        return RenderedSpan(video, first, last, truth)
    return None


def _normal_span(video: RenderedVideo, rng: np.random.Generator) -> RenderedSpan | None:
    margin = round(SPAN_MARGIN_S * video.fps)
    for _ in range(_MAX_DRAWS):
        first, last = _draw(0, video.frames - 1, video.fps, rng)
        if not video.abnormal(first - margin, last + margin):
            truth = span_truth(video, None, (), _others(video, (first + last) // 2, ()), (0, 0))
            return RenderedSpan(video, first, last, truth)
    return None


def _draw(begin: int, end: int, fps: float, rng: np.random.Generator) -> tuple[int, int]:
    longest = min(end - begin, round(MAX_SPAN_S * fps))
    shortest = min(longest, round(MIN_SPAN_S * fps))
    length = int(rng.integers(shortest, longest + 1))
    first = int(rng.integers(begin, end - length + 1))
    return first, first + length


def _largest(video: RenderedVideo, first: int, last: int) -> Target | None:
    """Returns the abnormal target with the most pixels in the middle of a span."""
    ids = video.ids((first + last) // 2)
    sizes = {
        target.number: int((ids == target.number).sum()) for target in video.abnormal(first, last)
    }
    largest = max(sizes, key=lambda number: sizes[number], default=0)
    return next((target for target in video.targets if target.number == largest), None)


def _centre(video: RenderedVideo, actor: Target, frame: int) -> Point | None:
    mask = np.asarray(video.ids(frame) == actor.number, np.uint8)
    if int(mask.sum()) < MIN_TARGET_PIXELS:
        return None
    x, y, width, height = cv2.boundingRect(mask)
    return x + width / 2, y + height / 2


def _others(video: RenderedVideo, frame: int, targets: tuple[Target, ...]) -> int:
    counts = np.bincount(video.ids(frame).ravel(), minlength=256)
    chosen = {target.number for target in targets}
    return sum(
        target.kind == "person"
        and target.number not in chosen
        and int(counts[target.number]) >= MIN_TARGET_PIXELS
        for target in video.targets
    )
