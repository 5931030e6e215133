"""Samples for training from built dialogues: maps made from masks, the footage looked at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.dialogue.span_frames import read_window, span_steps
from engine.lab.datasets.dataset import Dataset
from engine.lab.dialogue_corpus.building.dialogue_stage import heat_of
from engine.lab.dialogue_corpus.files.dialogue_files import Dialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import VideoAbout, read_frames, read_videos
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    TRUE,
    DialogueSample,
    SampleFile,
    Seen,
)
from engine.lab.dialogue_corpus.samples.rendered_samples import target_maps
from engine.lab.dialogue_corpus.wording import Truth
from engine.media import open_source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.video_tokens import Looks


def built_sample_files(built: Path, dataset: Dataset, split: str, folder: Path) -> list[SampleFile]:
    """Names the files of the samples of a split's dialogues, with what makes them.

    Args:
        built: folder that `dialogues build` wrote.
        dataset: that it was built from.
        split: of the dialogues: `train`, `validation` or `test`.
        folder: keeps the samples, a file a video.

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
    files = []
    for name, dialogues in groups:
        if name not in paths or name not in abouts:
            raise BadInputError("dialogues about a video that is not there", name, "build again")
        make = partial(_made, paths[name], abouts[name], dialogues, records.get(name, []))
        files.append(SampleFile(folder / f"{name}-built.samples", make))
    return files


def _made(
    path: Path,
    about: VideoAbout,
    dialogues: Sequence[Dialogue],
    records: Sequence[FrameRecord],
    backbone: Backbone,
    cancel: CancelToken,
) -> list[DialogueSample]:
    out = []
    with open_source(path, fps=about.fps if path.is_dir() else None) as source:
        for one in dialogues:
            span = span_steps(one.first, one.last, backbone)
            shown = span.shown(backbone.temporal_patch)
            looks = Looks(backbone, read_window(source, backbone, shown, cancel=cancel))
            # A span without a target keeps away from every one, and so do its maps.
            inside = records if one.target is not None else ()
            heat, hot = target_maps(span, partial(heat_of, inside, size=about.size))
            seen = {TRUE: Seen(heat, looks.tokens(hot))}
            out.append(DialogueSample(one.video, (one.first, one.last), Truth(**one.truth), seen))
    return out
