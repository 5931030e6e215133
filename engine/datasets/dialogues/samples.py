"""Samples for training and judging a dialogue: a span's truth with every map of it, kept on disk.

A video is analysed as evidence would be, so that maps of the scene, of the text channel and of
both come from the very program that asks later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cases import Case, is_case
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.datasets.dialogues.maps import agrees
from engine.datasets.dialogues.placing import ends
from engine.datasets.dialogues.spans import TruthSpan, draw_spans, true_heat
from engine.datasets.dialogues.wording import Truth
from engine.datasets.rendered import RenderedVideo
from engine.dialogue.evidence import heat_at
from engine.dialogue.leading import HeatOf, LeadingTarget
from engine.dialogue.window import SpanSteps, read_window
from engine.media import open_source
from engine.tvad.backbone import Backbone
from engine.tvad.looks import Looks

TRUE = "true"
_VERSION = 2


@dataclass(frozen=True, eq=False)
class Seen:
    """One map of a span and the span looked at through it.

    Attributes:
        heat: float32 [T'-1, R, C], 0..1.
        video: float32 [T', s, C], video tokens before the projector.
    """

    heat: NDArray[np.float32]
    video: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DialogueSample:
    """A span with its truth.

    Attributes:
        video: name of the video.
        span: first and last frame.
        truth: what is true of it.
        seen: by source of the map: `true`, and `scene`, `text`, `fused` where they were measured
            and agree with the truth.
    """

    video: str
    span: tuple[int, int]
    truth: Truth
    seen: dict[str, Seen]


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


def samples_of(
    videos: Sequence[RenderedVideo],
    backbone: Backbone,
    request: SampleRequest,
    folder: Path,
    cancel: CancelToken | None = None,
    report: Report = silent,
) -> Iterator[DialogueSample]:
    """Makes the samples of videos, or reads those that are in the folder already.

    Args:
        videos: with their truth.
        backbone: looks at them.
        request: how samples are made.
        folder: keeps them, a file a video; what was made before is taken from there.
        cancel: looked at between videos.
        report: told after each video.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, video in enumerate(videos):
        if cancel is not None:
            cancel.check()
        measured = place < request.analysed
        path = folder / f"{video.name}-{request.seed}-{request.spans}-{int(measured)}.samples"
        cases = folder if measured else None
        yield from kept_samples(path, partial(_made, video, backbone, request, cases, cancel))
        report(Progress("dialogues", place + 1, len(videos), unit="videos"))


def _made(
    video: RenderedVideo,
    backbone: Backbone,
    request: SampleRequest,
    cases: Path | None,
    cancel: CancelToken | None,
) -> Iterator[DialogueSample]:
    spans = draw_spans(video, request.spans, request.seed)
    if not spans:
        return
    measured = (
        {} if cases is None else analysed_heat(video, spans, backbone, cases, request.pack, cancel)
    )
    with open_source(video.path) as source:
        for place, span in enumerate(spans):
            steps = span_steps(span, backbone)
            truth, shown = target_maps(steps, lambda frames: true_heat(video, tuple(frames)))
            if span.abnormal and ends(truth) != (span.truth.from_cell, span.truth.to_cell):
                # Its target cannot be told from others, or it is not where its map says.
                continue
            window = read_window(source, backbone, steps.shown(backbone.temporal_patch))
            looks = Looks(backbone, window)
            seen = {TRUE: Seen(truth, looks.tokens(shown))}
            for channel, maps in measured.items():
                heat, shown = maps[place]
                if agrees(heat, truth):
                    seen[channel] = Seen(heat, looks.tokens(shown))
            yield DialogueSample(video.name, (span.first, span.last), span.truth, seen)


def span_steps(span: TruthSpan, backbone: Backbone) -> SpanSteps:
    """Returns the frames of a span that are looked at."""
    steps = backbone.window_frames // backbone.temporal_patch
    return SpanSteps(span.first, span.last, steps)


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
    cancel: CancelToken | None = None,
) -> dict[str, list[Maps]]:
    """Analyses a video as evidence and returns the heat of its spans by channel."""
    from engine.analysis.evidence import add_evidence
    from engine.dialogue.evidence import run_for

    path = folder / f"{video.name}.case"
    with Case.open(path, write=True) if is_case(path) else Case.create(path) as case:
        evidence, source = add_evidence(case, video.path, cancel=cancel)
        source.close()
        run = run_for(case, evidence, pack, cancel)
        return {
            channel: [
                target_maps(span_steps(span, backbone), partial(heat_at, case, run, channel))
                for span in spans
            ]
            for channel in case.results.heat_channels(run.id)
        }


def kept_samples(
    path: Path, make: Callable[[], Iterable[DialogueSample]]
) -> Iterator[DialogueSample]:
    """Reads samples from a file; makes and writes them first, whole or not at all.

    Samples of another version of the program are made anew.

    Args:
        path: the file.
        make: makes them when there is no file.
    """
    if not path.is_file() or _version_of(path.read_bytes()) != _VERSION:
        part = path.with_suffix(".part")
        part.write_bytes(pack_samples(list(make())))
        part.replace(path)
    yield from unpack_samples(path.read_bytes())


def pack_samples(samples: Sequence[DialogueSample]) -> bytes:
    """Packs samples into bytes; maps and tokens keep half precision."""
    arrays: dict[str, NDArray[np.float16]] = {}
    about = []
    for place, one in enumerate(samples):
        about.append([one.video, list(one.span), asdict(one.truth), list(one.seen)])
        for source, seen in one.seen.items():
            arrays[f"{place}.{source}.heat"] = seen.heat.astype(np.float16)
            arrays[f"{place}.{source}.video"] = seen.video.astype(np.float16)
    head = json.dumps([_VERSION, about]).encode()
    return len(head).to_bytes(4, "little") + head + pack_arrays(arrays)


def unpack_samples(data: bytes) -> Iterator[DialogueSample]:
    """Restores what `pack_samples` gave."""
    length, (_, about) = _head(data)
    arrays = unpack_arrays(data[4 + length :])
    for place, (video, span, truth, sources) in enumerate(about):
        seen = {
            source: Seen(
                arrays[f"{place}.{source}.heat"].astype(np.float32),
                arrays[f"{place}.{source}.video"].astype(np.float32),
            )
            for source in sources
        }
        yield DialogueSample(video, (span[0], span[1]), Truth(**truth), seen)


def _version_of(data: bytes) -> int:
    return int(_head(data)[1][0])


def _head(data: bytes) -> tuple[int, list[Any]]:
    length = int.from_bytes(data[:4], "little")
    return length, json.loads(data[4 : 4 + length])
