"""Samples of rendered videos.

A video is analysed as evidence would be, so that maps of the scene, of the text channel and of
both come from the very program that asks later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, is_case
from engine.core.progress import CancelToken
from engine.dialogue.leading_target import HeatOf, LeadingTarget
from engine.dialogue.span_evidence import heat_at
from engine.dialogue.span_frames import SpanSteps, read_window, span_steps
from engine.lab.datasets.rendered import RenderedVideo
from engine.lab.dialogue_corpus.samples.detector_noise import agrees
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    TRUE,
    DialogueSample,
    SampleFile,
    Seen,
)
from engine.lab.dialogue_corpus.samples.relocation import ends
from engine.lab.dialogue_corpus.samples.truth_spans import TruthSpan, draw_spans, true_heat
from engine.media import open_source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.video_tokens import Looks


@dataclass(frozen=True)
class SampleRequest:
    """How samples are made.

    Attributes:
        seed: of the spans.
        spans: of each video, at most.
        analysed: how many videos are analysed as evidence; the others have true maps only.
        pack: whose text channel joins that analysis; None leaves it out.
    """

    seed: int
    spans: int
    analysed: int
    pack: str | None = None


def rendered_sample_files(
    videos: Sequence[RenderedVideo],
    request: SampleRequest,
    folder: Path,
) -> list[SampleFile]:
    """Names the files of the samples of videos, with what makes them.

    Args:
        videos: with their truth.
        request: how samples are made.
        folder: keeps them, a file a video.
    """
    files = []
    for place, video in enumerate(videos):
        measured = place < request.analysed
        name = f"{video.name}-{request.seed}-{request.spans}-{int(measured)}.samples"
        make = partial(_made, video, request, folder if measured else None)
        files.append(SampleFile(folder / name, make))
    return files


def _made(
    video: RenderedVideo,
    request: SampleRequest,
    cases: Path | None,
    backbone: Backbone,
    cancel: CancelToken,
) -> Iterator[DialogueSample]:
    spans = draw_spans(video, request.spans, request.seed)
    if not spans:
        return
    measured = (
        {} if cases is None else analysed_heat(video, spans, backbone, cases, request.pack, cancel)
    )
    with open_source(video.path) as source:
        for place, span in enumerate(spans):
            steps = span_steps(span.first, span.last, backbone)
            truth, shown = target_maps(steps, lambda frames: true_heat(video, tuple(frames)))
            if span.abnormal and ends(truth) != (span.truth.from_cell, span.truth.to_cell):
                # Its target cannot be told from others, or it is not where its map says.
                continue
            window = read_window(
                source, backbone, steps.shown(backbone.temporal_patch), cancel=cancel
            )
            looks = Looks(backbone, window)
            seen = {TRUE: Seen(truth, looks.tokens(shown))}
            for channel, maps in measured.items():
                heat, shown = maps[place]
                if agrees(heat, truth):
                    seen[channel] = Seen(heat, looks.tokens(shown))
            yield DialogueSample(video.name, (span.first, span.last), span.truth, seen)


Maps = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Heat at the frames that RAE reads, and at those that the backbone sees."""


def target_maps(steps: SpanSteps, heat: HeatOf) -> Maps:
    """Returns the heat of the one target of a span."""
    target = LeadingTarget((steps.first, steps.last), heat)
    return target(steps.heat), target(steps.video)


def analysed_heat(
    video: RenderedVideo,
    spans: Sequence[TruthSpan],
    backbone: Backbone,
    folder: Path,
    pack: str | None,
    cancel: CancelToken,
) -> dict[str, list[Maps]]:
    """Analyses a video as evidence and returns the heat of its spans by channel."""
    from engine.dialogue.span_evidence import run_for
    from engine.pipeline.evidence_intake import add_evidence

    path = folder / f"{video.name}.case"
    with Case.open(path, write=True) if is_case(path) else Case.create(path) as case:
        evidence, source = add_evidence(case, video.path, cancel=cancel)
        source.close()
        run = run_for(case, evidence, pack, cancel)
        return {
            channel: [
                target_maps(one, partial(heat_at, case, run, channel))
                for one in (span_steps(span.first, span.last, backbone) for span in spans)
            ]
            for channel in case.results.heat_channels(run.id)
        }
