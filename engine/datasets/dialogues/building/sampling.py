"""Samples for training from built dialogues: maps made from masks, the footage looked at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from engine.built.dialogues import Dialogue, read_dialogues
from engine.built.records import FrameRecord
from engine.built.targets import VideoAbout, read_frames, read_videos
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.datasets.base import Dataset
from engine.datasets.dialogues.building.writing import heat_of
from engine.datasets.dialogues.samples import TRUE, DialogueSample, Seen, kept_samples, target_maps
from engine.datasets.dialogues.wording import Truth
from engine.dialogue.window import SpanSteps, read_window
from engine.media import open_source
from engine.tvad.backbone import Backbone
from engine.tvad.looks import Looks


def built_samples(
    built: Path,
    dataset: Dataset,
    split: str,
    backbone: Backbone,
    folder: Path,
    cancel: CancelToken | None = None,
    report: Report = silent,
) -> Iterator[DialogueSample]:
    """Makes samples of the dialogues of a split, or reads those that are in the folder already.

    Args:
        built: folder that `dialogues build` wrote.
        dataset: that it was built from.
        split: of the dialogues: `train`, `validation` or `test`.
        backbone: looks at the footage.
        folder: keeps the samples, a file a video.
        cancel: looked at between dialogues.
        report: told after each video.

    Raises:
        BadInputError: a file is missing or damaged, or a video is not in the data set.
    """
    paths = {one.name: one.path for name in dataset.splits for one in dataset.videos(name)}
    abouts = {one.name: one for one in read_videos(built)}
    records: dict[str, list[FrameRecord]] = {}
    for record in read_frames(built):
        records.setdefault(record.video, []).append(record)
    groups = [
        (name, list(group))
        for name, group in itertools.groupby(read_dialogues(built, split), lambda one: one.video)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for place, (name, dialogues) in enumerate(groups):
        if name not in paths or name not in abouts:
            raise BadInputError("dialogues about a video that is not there", name, "build again")
        path = folder / f"{name}-built.samples"
        about, seen = abouts[name], records.get(name, [])
        make = partial(_made, paths[name], about, dialogues, seen, backbone, cancel)
        yield from kept_samples(path, make)
        report(Progress("dialogues", place + 1, len(groups), unit="videos"))


def _made(
    path: Path,
    about: VideoAbout,
    dialogues: Sequence[Dialogue],
    records: Sequence[FrameRecord],
    backbone: Backbone,
    cancel: CancelToken | None,
) -> list[DialogueSample]:
    out = []
    with open_source(path, fps=about.fps if path.is_dir() else None) as source:
        for one in dialogues:
            steps = backbone.window_frames // backbone.temporal_patch
            span = SpanSteps(one.first, one.last, steps)
            shown = span.shown(backbone.temporal_patch)
            looks = Looks(backbone, read_window(source, backbone, shown, cancel=cancel))
            # A span without a target keeps away from every one, and so do its maps.
            inside = records if one.target is not None else ()
            heat, hot = target_maps(span, partial(heat_of, inside, size=about.size))
            seen = {TRUE: Seen(heat, looks.tokens(hot))}
            out.append(DialogueSample(one.video, (one.first, one.last), Truth(**one.truth), seen))
    return out
