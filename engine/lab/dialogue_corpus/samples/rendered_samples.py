"""Training samples from rendered videos.

A video is analysed as evidence would be, so that the heatmaps of the scene channel, of the text
channel and of both come from the program that uses the language model later.
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
from engine.dialogue.leading_target import HeatmapReader, LeadingTarget
from engine.dialogue.span_frames import SpanSteps, read_window, span_steps
from engine.dialogue.span_results import heatmaps_at
from engine.lab.datasets.rendered_footage import RenderedVideo
from engine.lab.dialogue_corpus.samples.detector_noise import agrees
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    TRUE,
    DialogueSample,
    HeatmapInputs,
    SampleFile,
)
from engine.lab.dialogue_corpus.samples.relocation import end_cells
from engine.lab.dialogue_corpus.samples.rendered_spans import RenderedSpan, draw_spans, true_heat
from engine.media import open_source
from engine.packs.pack import find_pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.video_tokens import VideoTokens


@dataclass(frozen=True)
class SampleRequest:
    """How samples are made.

    Attributes:
        seed: draws the spans.
        spans: how many spans each video has at most.
        analysed: how many videos are analysed as evidence; the others have true heatmaps only.
        pack: the pack whose text channel joins that analysis; None leaves it out.
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
    """Names the files of the samples of videos, with the function that makes each.

    Args:
        videos: rendered videos with their truth.
        request: how samples are made.
        folder: gets a file for each video.
    """
    files = []
    for index, video in enumerate(videos):
        measured = index < request.analysed
        name = f"{video.name}-{request.seed}-{request.spans}-{int(measured)}.samples"
        make = partial(_make_samples, video, request, folder if measured else None)
        files.append(SampleFile(folder / name, make))
    return files


def _make_samples(
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
        for index, span in enumerate(spans):
            steps = span_steps(span.first, span.last, backbone)
            truth, shown_heat = target_maps(steps, lambda frames: true_heat(video, tuple(frames)))
            if span.abnormal and end_cells(truth) != (span.truth.from_cell, span.truth.to_cell):
                # Its target merges with others, or is not where its heatmap shows it.
                continue
            window = read_window(
                source, backbone, steps.window_frames(backbone.temporal_patch), cancel=cancel
            )
            video_tokens = VideoTokens(backbone, window)
            inputs = {TRUE: HeatmapInputs(truth, video_tokens.under(shown_heat))}
            for channel, maps in measured.items():
                heat, shown_heat = maps[index]
                if agrees(heat, truth):
                    inputs[channel] = HeatmapInputs(heat, video_tokens.under(shown_heat))
            yield DialogueSample(video.name, (span.first, span.last), span.truth, inputs)


Maps = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Heat at the frames that RAE reads, and at those that the backbone sees."""


def target_maps(steps: SpanSteps, heat: HeatmapReader) -> Maps:
    """Returns the heat of the one target of a span."""
    target = LeadingTarget((steps.first, steps.last), heat)
    return target(steps.heatmap_frames), target(steps.video_frames)


def analysed_heat(
    video: RenderedVideo,
    spans: Sequence[RenderedSpan],
    backbone: Backbone,
    folder: Path,
    pack: str | None,
    cancel: CancelToken,
) -> dict[str, list[Maps]]:
    """Analyses a video as evidence and returns the heat of its spans by channel."""
    from engine.dialogue.span_results import current_or_new_run
    from engine.pipeline.evidence_intake import add_evidence

    path = folder / f"{video.name}.case"
    with Case.open(path, write=True) if is_case(path) else Case.create(path) as case:
        evidence, source = add_evidence(case, video.path, cancel=cancel)
        source.close()
        text_pack = None if pack is None else find_pack(pack)
        run = current_or_new_run(case, evidence, text_pack, cancel)
        return {
            channel: [
                target_maps(steps, partial(heatmaps_at, case, run, channel))
                for steps in (span_steps(span.first, span.last, backbone) for span in spans)
            ]
            for channel in case.results.heat_channels(run.id)
        }
