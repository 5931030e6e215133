"""Spans of rendered videos with their truth and the heatmap that a perfect detector would give."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.settings import MotionSettings
from engine.lab.datasets.rendered import RenderedVideo, Target
from engine.lab.dialogue_corpus.samples.span_truth import span_truth
from engine.lab.dialogue_corpus.wording import Truth
from engine.motion.grid import Grid

_SHORTEST_S, _LONGEST_S = 1.6, 5.0
_LEAST_PIXELS = 24
_MARGIN_S = 0.5
_TRIES = 24
_FULL = 0.95
_COVER = 3.0

Point = tuple[float, float]


@dataclass(frozen=True)
class TruthSpan:
    """A span of a video with what is true of it.

    Attributes:
        video: the video.
        first: index of its first frame.
        last: index of its last frame, inclusive.
        truth: what is true of it.
    """

    video: RenderedVideo
    first: int
    last: int
    truth: Truth

    @property
    def abnormal(self) -> bool:
        """Whether a target is abnormal in it."""
        return self.truth.target is not None


def draw_spans(video: RenderedVideo, count: int, seed: int) -> list[TruthSpan]:
    """Draws spans of a video; the same seed gives the same.

    In a video with abnormal targets two of three spans are inside their abnormal time, the others
    as far from it as there is room.

    Args:
        video: to draw from.
        count: spans at most; fewer where there is no room.
        seed: of the draw.
    """
    rng = np.random.default_rng([seed, zlib.crc32(video.name.encode())])
    spans: list[TruthSpan] = []
    for _ in range(count):
        wants = any(actor.spans for actor in video.targets) and rng.random() < 2 / 3
        found = _abnormal_span(video, rng) if wants else _normal_span(video, rng)
        if found is not None and all(abs(found.first - one.first) > 3 for one in spans):
            spans.append(found)
    return sorted(spans, key=lambda one: one.first)


def true_heat(video: RenderedVideo, frames: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns the heatmaps of a perfect detector, float32 [n, R, C] on an analysis' grid."""
    settings = MotionSettings()
    grid = Grid.fit(*video.size, settings.analysis_area, settings.cell)
    out = np.zeros((len(frames), grid.rows, grid.columns), np.float32)
    for place, frame in enumerate(frames):
        abnormal = [
            actor.number
            for actor in video.targets
            if any(first <= frame <= last for first, last in actor.spans)
        ]
        if not abnormal:
            continue
        mask = np.isin(video.ids(frame), abnormal).astype(np.float32)
        cover = cv2.resize(mask, (grid.columns, grid.rows), interpolation=cv2.INTER_AREA)
        out[place] = np.minimum(1, cover * _COVER) * _FULL
    return out


def _abnormal_span(video: RenderedVideo, rng: np.random.Generator) -> TruthSpan | None:
    shortest = round(_SHORTEST_S * video.fps)
    stretches = [
        (actor, first, last)
        for actor in video.targets
        for first, last in actor.spans
        if last - first >= shortest
    ]
    if not stretches:
        return None
    for _ in range(_TRIES):
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
        return TruthSpan(video, first, last, truth)
    return None


def _normal_span(video: RenderedVideo, rng: np.random.Generator) -> TruthSpan | None:
    margin = round(_MARGIN_S * video.fps)
    for _ in range(_TRIES):
        first, last = _draw(0, video.frames - 1, video.fps, rng)
        if not video.abnormal(first - margin, last + margin):
            truth = span_truth(video, None, (), _others(video, (first + last) // 2, ()), (0, 0))
            return TruthSpan(video, first, last, truth)
    return None


def _draw(begin: int, end: int, fps: float, rng: np.random.Generator) -> tuple[int, int]:
    longest = min(end - begin, round(_LONGEST_S * fps))
    shortest = min(longest, round(_SHORTEST_S * fps))
    length = int(rng.integers(shortest, longest + 1))
    first = int(rng.integers(begin, end - length + 1))
    return first, first + length


def _largest(video: RenderedVideo, first: int, last: int) -> Target | None:
    """Returns the abnormal target with the most pixels in the middle of a span."""
    ids = video.ids((first + last) // 2)
    sizes = {one.number: int((ids == one.number).sum()) for one in video.abnormal(first, last)}
    largest = max(sizes, key=lambda number: sizes[number], default=0)
    return next((one for one in video.targets if one.number == largest), None)


def _centre(video: RenderedVideo, actor: Target, frame: int) -> Point | None:
    mask = np.asarray(video.ids(frame) == actor.number, np.uint8)
    if int(mask.sum()) < _LEAST_PIXELS:
        return None
    x, y, width, height = cv2.boundingRect(mask)
    return x + width / 2, y + height / 2


def _others(video: RenderedVideo, frame: int, targets: tuple[Target, ...]) -> int:
    counts = np.bincount(video.ids(frame).ravel(), minlength=256)
    chosen = {one.number for one in targets}
    return sum(
        one.kind == "person"
        and one.number not in chosen
        and int(counts[one.number]) >= _LEAST_PIXELS
        for one in video.targets
    )
