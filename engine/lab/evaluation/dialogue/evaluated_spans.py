"""The spans that a dialogue is evaluated on, with the heatmaps of each control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, is_case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.dialogue.leading_target import HeatArray, HeatmapReader
from engine.dialogue.span_results import current_or_new_run, dialogue_channel, heatmaps_at
from engine.lab.datasets.dataset import Dataset, Video
from engine.lab.datasets.rendered_footage import RenderedVideo, rendered_videos
from engine.lab.dialogue_corpus.files.dialogue_files import CorpusTurn
from engine.lab.dialogue_corpus.samples.rendered_spans import RenderedSpan, draw_spans, true_heat
from engine.lab.dialogue_corpus.true_heatmaps import analysis_grid, true_heatmap
from engine.lab.dialogue_corpus.wording import QUESTIONS, interview
from engine.media import open_source
from engine.packs.pack import Pack

OWN, EMPTY, SWAPPED, TRUTH = "own", "empty", "swapped", "truth"
SWAPPED_TRUTH = "swapped-truth"
HEATMAPS = (OWN, EMPTY, SWAPPED, TRUTH, SWAPPED_TRUTH)
OF_ANOTHER = (SWAPPED, SWAPPED_TRUTH)

_WINDOW = 16  # frames of a span of a benchmark: a full window of every backbone
_STEP = 4  # frames between the starts of such spans, a quarter of a window; a choice
_SEED = 20  # of the drawn spans, so that every evaluation asks about the same ones


@dataclass(frozen=True, eq=False)
class EvaluatedSpan:
    """A span with the questions that are asked about it.

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
    turns: tuple[CorpusTurn, ...]
    truth: RenderedSpan | None
    true_heat: HeatmapReader
    normal: tuple[Path, ...] = ()

    @property
    def end_cells(self) -> tuple[str, str] | None:
        """The cells of *from* and *to*; None where they are not known."""
        if self.truth is None or self.truth.truth.target is None:
            return None
        return self.truth.truth.from_cell, self.truth.truth.to_cell


def spans_of_rendered_footage(root: Path, split: str, limit: int | None) -> list[EvaluatedSpan]:
    """Draws spans of rendered footage, evenly over its videos.

    Args:
        root: a folder that `synth` wrote.
        split: train, validation or test.
        limit: how many spans; there are fewer only where the videos have no room for as many. None
            for four in each video.

    Raises:
        BadInputError: the folder holds no such split.
    """
    videos = rendered_videos(root, split)
    count = limit or 4 * len(videos)
    per_video, spans_by_video, has_more = -(-count // len(videos)), list[list[RenderedSpan]](), True
    while has_more and sum(map(len, spans_by_video)) < count:
        before = sum(map(len, spans_by_video))
        spans_by_video = [draw_spans(video, per_video, _SEED) for video in videos]
        has_more = sum(map(len, spans_by_video)) > before
        per_video += 1
    per_video = max(map(len, spans_by_video))
    # One of every video, then the second of every video, and so on.
    spans = [
        of_video[n] for n in range(per_video) for of_video in spans_by_video if n < len(of_video)
    ][:count]
    return [_rendered_span(span, videos) for span in spans]


def spans_of_benchmark(dataset: Dataset, split: str, limit: int | None) -> list[EvaluatedSpan]:
    """Takes 16-frame windows of a benchmark, as many with an anomaly as without.

    Raises:
        BadInputError: the data set has no such split, or a file of it is damaged.
    """
    spans: list[EvaluatedSpan] = []
    videos = dataset.videos(split)
    per_kind = max(1, (limit or 8 * len(videos)) // max(1, 2 * len(videos)))
    for video in videos:
        with open_source(video.path) as source:
            n_frames, size = len(source.index), (source.info.width, source.info.height)
        labels = video.annotation.labels(video.annotation.frames or n_frames)[:n_frames]
        starts = np.arange(0, len(labels) - _WINDOW + 1, _STEP)
        abnormal_share = np.array([labels[start : start + _WINDOW].mean() for start in starts])
        candidates = [starts[abnormal_share == 1], starts[abnormal_share == 0]]
        of_both = min(map(len, candidates))
        count = min(per_kind, of_both) if of_both else per_kind
        normal = tuple(dataset.normal(video.camera))
        for abnormal, of_kind in zip((True, False), candidates, strict=True):
            spans += [
                _benchmark_span(video, int(start), abnormal, n_frames, size, normal)
                for start in _spread(of_kind, count)
            ]
    if not spans:
        raise BadInputError("no windows to ask about", dataset.name, "name another split")
    return spans if limit is None else spans[:limit]


class ControlHeatmaps:
    """The heatmaps that a control gives to the language model.

    Args:
        kind: `own` as an analysis measures it, `empty`, `swapped` for that of a span elsewhere,
            `truth`, or `swapped-truth` for the true one of a span elsewhere.
        spans: all spans; partners are among them.
        work: folder for the cases of analysed videos.
        pack: the pack whose text channel joins the analysis; None leaves it out.
        learn_normal: whether an analysis learns from normal footage where a span has some.
        cancel: looked at between frames.
    """

    def __init__(
        self,
        kind: str,
        spans: Sequence[EvaluatedSpan],
        work: Path,
        pack: Pack | None,
        learn_normal: bool = True,
        cancel: CancelToken | None = None,
    ) -> None:
        self._kind = kind
        self._spans = list(spans)
        self._work = work
        self._pack = pack
        self._learn_normal = learn_normal
        self._cancel = cancel

    def of(self, span: EvaluatedSpan) -> HeatmapReader | None:
        """Returns the function that reads heatmaps of a span; None without a span to swap with."""
        if self._kind in OF_ANOTHER:
            partner = self.partner(span)
            if partner is None:
                return None
            heat = self._own(partner) if self._kind == SWAPPED else partner.true_heat
            return _at_times_of(heat, span, partner)
        if self._kind == TRUTH:
            return span.true_heat
        if self._kind == EMPTY:
            return lambda frames: np.zeros_like(span.true_heat(frames))
        return self._own(span)

    def partner(self, span: EvaluatedSpan) -> EvaluatedSpan | None:
        """Returns the next abnormal span whose *from* and *to* both differ."""
        if span.end_cells is None:
            return None
        start = self._spans.index(span)
        for step in range(1, len(self._spans)):
            other = self._spans[(start + step) % len(self._spans)]
            if other.end_cells and all(
                cell != own for cell, own in zip(other.end_cells, span.end_cells, strict=True)
            ):
                return other
        return None

    def _own(self, span: EvaluatedSpan) -> HeatmapReader:
        from engine.pipeline.evidence_intake import add_evidence

        normal = span.normal if self._learn_normal else ()
        path = self._work / f"{span.video}-{'normal' if normal else 'self'}.case"

        def heat(frames: Sequence[int]) -> HeatArray:
            with Case.open(path, write=True) if is_case(path) else Case.create(path) as case:
                rows = case.evidence.all()
                if rows:
                    evidence = rows[0]
                else:
                    fps = 25.0 if span.path.is_dir() else None
                    evidence, source = add_evidence(case, span.path, fps=fps, cancel=self._cancel)
                    source.close()
                run = current_or_new_run(case, evidence, self._pack, self._cancel, normal=normal)
                return heatmaps_at(case, run, dialogue_channel(case, run), frames)

        return heat


def _at_times_of(heat: HeatmapReader, span: EvaluatedSpan, partner: EvaluatedSpan) -> HeatmapReader:
    """Reads a partner's heatmaps at the times that correspond to frames of a span."""
    scale = (partner.last - partner.first) / max(1, span.last - span.first)
    return lambda frames: heat(
        [partner.first + round((frame - span.first) * scale) for frame in frames]
    )


def _rendered_span(span: RenderedSpan, videos: Sequence[RenderedVideo]) -> EvaluatedSpan:
    video = span.video
    return EvaluatedSpan(
        video.name,
        video.path,
        span.first,
        span.last,
        span.abnormal,
        tuple(interview(span.truth)),
        span,
        lambda frames: true_heat(video, tuple(frames)),
        tuple(
            other.path
            for other in videos
            if other.camera == video.camera and other.normal and other.name != video.name
        ),
    )


def _benchmark_span(
    video: Video,
    first: int,
    abnormal: bool,
    n_frames: int,
    size: tuple[int, int],
    normal: tuple[Path, ...],
) -> EvaluatedSpan:
    grid = analysis_grid(size)

    def heat(frames: Sequence[int]) -> HeatArray:
        masks = video.annotation.masks(n_frames, size)
        if masks is None:
            raise BadInputError("no masks", video.name, "leave --heatmap truth out")
        return np.stack([true_heatmap(masks[frame].astype(np.float32), grid) for frame in frames])

    turn = CorpusTurn("anomaly", QUESTIONS["anomaly"][0], ())
    last = first + _WINDOW - 1
    return EvaluatedSpan(
        video.name, video.path, first, last, abnormal, (turn,), None, heat, normal
    )  # fmt: skip


def _spread(values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Picks values at even distances, all of them where there are no more than `count`."""
    if len(values) <= count:
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, count).round().astype(int)], np.int64)
