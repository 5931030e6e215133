"""The spans that a dialogue is judged on, with the heatmap that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.case import Case, is_case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.core.settings import MotionSettings
from engine.dialogue.leading_target import Heat, HeatOf
from engine.dialogue.span_evidence import heat_at, leading_channel, run_for
from engine.lab.datasets.dataset import Dataset, Video
from engine.lab.datasets.rendered import RenderedVideo, rendered_videos
from engine.lab.dialogue_corpus.files.dialogue_files import Turn
from engine.lab.dialogue_corpus.samples.truth_spans import TruthSpan, draw_spans, true_heat
from engine.lab.dialogue_corpus.wording import QUESTIONS, interview
from engine.media import open_source
from engine.motion.grid import Grid

OWN, EMPTY, SWAPPED, TRUTH = "own", "empty", "swapped", "truth"
SWAPPED_TRUTH = "swapped-truth"
HEATMAPS = (OWN, EMPTY, SWAPPED, TRUTH, SWAPPED_TRUTH)
OF_ANOTHER = (SWAPPED, SWAPPED_TRUTH)

_WINDOW = 16
_SEED = 20
_TRUE = 0.95


@dataclass(frozen=True, eq=False)
class JudgedSpan:
    """A span with the questions it is asked.

    Attributes:
        video: name of the video.
        path: file or folder of images.
        first: index of its first frame.
        last: index of its last frame, inclusive.
        abnormal: whether it holds an anomaly.
        turns: questions with their references; without references on benchmarks.
        truth: what is true of it; None on benchmarks, which know less.
        true_heat: the heatmap of a perfect detector.
        normal: other footage of its camera known as normal.
    """

    video: str
    path: Path
    first: int
    last: int
    abnormal: bool
    turns: tuple[Turn, ...]
    truth: TruthSpan | None
    true_heat: HeatOf
    normal: tuple[Path, ...] = ()

    @property
    def places(self) -> tuple[str, str] | None:
        """The cells of *from* and *to*; None where they are not known."""
        if self.truth is None or self.truth.truth.target is None:
            return None
        return self.truth.truth.from_cell, self.truth.truth.to_cell


def rendered_spans(root: Path, split: str, limit: int | None) -> list[JudgedSpan]:
    """Draws spans of rendered footage, evenly over its videos.

    Args:
        root: a folder that `synth` wrote.
        split: train, validation or test.
        limit: spans; fewer only where the videos have no room for as many. None for four a video.

    Raises:
        BadInputError: the folder holds no such split.
    """
    videos = rendered_videos(root, split)
    wanted = limit or 4 * len(videos)
    each, found, more = -(-wanted // len(videos)), list[list[TruthSpan]](), True
    while more and sum(map(len, found)) < wanted:
        before, found = found, [draw_spans(video, each, _SEED) for video in videos]
        more = sum(map(len, found)) > sum(map(len, before))
        each += 1
    each = max(map(len, found))
    # One of every video, then the second of every video, and so on.
    spans = [one[n] for n in range(each) for one in found if n < len(one)][:wanted]
    return [_rendered(span, videos) for span in spans]


def benchmark_spans(dataset: Dataset, split: str, limit: int | None) -> list[JudgedSpan]:
    """Takes 16-frame windows of a benchmark, as many with an anomaly as without.

    Raises:
        BadInputError: the data set has no such split, or a file of it is damaged.
    """
    found: list[list[JudgedSpan]] = []
    videos = dataset.videos(split)
    each = max(1, (limit or 8 * len(videos)) // max(1, 2 * len(videos)))
    for video in videos:
        with open_source(video.path) as source:
            count, size = len(source.index), (source.info.width, source.info.height)
        labels = video.annotation.labels(video.annotation.frames or count)[:count]
        starts = np.arange(0, len(labels) - _WINDOW + 1, 4)
        inside = np.array([labels[start : start + _WINDOW].mean() for start in starts])
        chosen = [starts[inside == 1], starts[inside == 0]]
        both = min(len(one) for one in chosen)
        kept = min(each, both) if both else each
        for abnormal, places in zip((True, False), chosen, strict=True):
            picked = _evenly(places, kept)
            windows = [_window(video, int(n), abnormal, count, size) for n in picked]
            normal = tuple(dataset.normal(video.camera))
            found.append([replace(window, normal=normal) for window in windows])
    spans = [span for one in found for span in one]
    if not spans:
        raise BadInputError("no windows to ask about", dataset.name, "name another split")
    return spans if limit is None else spans[:limit]


class HeatGiver:
    """Gives the heatmap that a control asks for.

    Args:
        kind: `own` as an analysis finds it, `empty`, `swapped` for that of a span elsewhere,
            `truth`, or `swapped-truth` for the true one of a span elsewhere.
        spans: all spans; partners come from them.
        work: keeps the cases of analysed videos.
        pack: whose text channel joins the analysis; None leaves it out.
        learn_normal: whether an analysis learns from normal footage where a span has some.
        cancel: looked at between frames.
    """

    def __init__(
        self,
        kind: str,
        spans: Sequence[JudgedSpan],
        work: Path,
        pack: str | None,
        learn_normal: bool = True,
        cancel: CancelToken | None = None,
    ) -> None:
        self._kind = kind
        self._spans = list(spans)
        self._work = work
        self._pack = pack
        self._learn_normal = learn_normal
        self._cancel = cancel

    def of(self, span: JudgedSpan) -> HeatOf | None:
        """Returns what gives the heatmap of a span; None when there is no span to swap with."""
        if self._kind in OF_ANOTHER:
            partner = self.partner(span)
            if partner is None:
                return None
            theirs = self._own(partner) if self._kind == SWAPPED else partner.true_heat
            return _moved(theirs, span, partner)
        if self._kind == TRUTH:
            return span.true_heat
        if self._kind == EMPTY:
            return lambda frames: np.zeros_like(span.true_heat(frames))
        return self._own(span)

    def partner(self, span: JudgedSpan) -> JudgedSpan | None:
        """Returns the next abnormal span whose *from* and *to* both differ."""
        if span.places is None:
            return None
        start = self._spans.index(span)
        for step in range(1, len(self._spans)):
            other = self._spans[(start + step) % len(self._spans)]
            there = other.places
            if there and there[0] != span.places[0] and there[1] != span.places[1]:
                return other
        return None

    def _own(self, span: JudgedSpan) -> HeatOf:
        from engine.pipeline.evidence_intake import add_evidence

        normal = span.normal if self._learn_normal else ()
        path = self._work / f"{span.video}-{'normal' if normal else 'self'}.case"

        def heat(frames: Sequence[int]) -> Heat:
            with Case.open(path, write=True) if is_case(path) else Case.create(path) as case:
                known = case.evidence.all()
                if known:
                    evidence = known[0]
                else:
                    fps = 25.0 if span.path.is_dir() else None
                    evidence, source = add_evidence(case, span.path, fps=fps, cancel=self._cancel)
                    source.close()
                run = run_for(case, evidence, self._pack, self._cancel, normal=normal)
                return heat_at(case, run, leading_channel(case, run), frames)

        return heat


def _moved(heat: HeatOf, span: JudgedSpan, partner: JudgedSpan) -> HeatOf:
    """Reads a partner's heat at the times that correspond to frames of a span."""
    scale = (partner.last - partner.first) / max(1, span.last - span.first)
    return lambda frames: heat(
        [partner.first + round((frame - span.first) * scale) for frame in frames]
    )


def _rendered(span: TruthSpan, videos: Sequence[RenderedVideo]) -> JudgedSpan:
    video = span.video
    normal = (one for one in videos if one.camera == video.camera and one.normal)
    return JudgedSpan(
        span.video.name,
        span.video.path,
        span.first,
        span.last,
        span.abnormal,
        tuple(interview(span.truth)),
        span,
        lambda frames: true_heat(span.video, tuple(frames)),
        tuple(one.path for one in normal if one.name != video.name),
    )


def _window(
    video: Video, first: int, abnormal: bool, count: int, size: tuple[int, int]
) -> JudgedSpan:
    settings = MotionSettings()
    grid = Grid.fit(*size, settings.analysis_area, settings.cell)

    def heat(frames: Sequence[int]) -> Heat:
        masks = video.annotation.masks(count, size)
        if masks is None:
            raise BadInputError("no masks", video.name, "leave --heatmap truth out")
        cells = [
            cv2.resize(
                masks[frame].astype(np.float32), (grid.columns, grid.rows),
                interpolation=cv2.INTER_AREA,
            )
            for frame in frames
        ]  # fmt: skip
        return np.stack([np.minimum(1, 3 * one) * _TRUE for one in cells]).astype(np.float32)

    turn = Turn("anomaly", QUESTIONS["anomaly"][0], ())
    last = first + _WINDOW - 1
    return JudgedSpan(video.name, video.path, first, last, abnormal, (turn,), None, heat)


def _evenly(values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if len(values) <= count:
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, count).round().astype(int)], np.int64)
