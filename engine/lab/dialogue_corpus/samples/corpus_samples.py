"""Training samples from a dialogue corpus: heatmaps made from masks, tokens from the footage."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.dialogue.span_frames import read_window, span_steps
from engine.lab.datasets.dataset import Dataset
from engine.lab.dialogue_corpus.building.dialogue_stage import true_heat_from_masks
from engine.lab.dialogue_corpus.files.dialogue_files import CorpusDialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import VideoRecord, read_frames, read_videos
from engine.lab.dialogue_corpus.samples.dialogue_samples import (
    TRUE,
    DialogueSample,
    HeatmapInputs,
    SampleFile,
)
from engine.lab.dialogue_corpus.samples.rendered_samples import target_maps
from engine.lab.dialogue_corpus.wording import SpanTruth
from engine.media import open_source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.video_tokens import VideoTokens


def corpus_sample_files(
    corpus: Path, dataset: Dataset, split: str, folder: Path
) -> list[SampleFile]:
    """Names the files of the samples of a split's dialogues, with the function that makes each.

    Args:
        corpus: folder that `dialogues build` wrote.
        dataset: the data set that the corpus was built from.
        split: which dialogues: `train`, `validation` or `test`.
        folder: gets a file for each video.

    Raises:
        BadInputError: a file is missing or damaged, or a video is not in the data set.
    """
    paths = {video.name: video.path for name in dataset.splits for video in dataset.videos(name)}
    videos = {record.name: record for record in read_videos(corpus)}
    records: dict[str, list[FrameRecord]] = {}
    for record in read_frames(corpus):
        records.setdefault(record.video, []).append(record)
    groups = [
        (name, list(group))
        for name, group in itertools.groupby(
            read_dialogues(corpus, split), lambda dialogue: dialogue.video
        )
    ]
    files = []
    for name, dialogues in groups:
        if name not in paths or name not in videos:
            raise BadInputError("dialogues about a video that is not there", name, "build again")
        make = partial(_make_samples, paths[name], videos[name], dialogues, records.get(name, []))
        files.append(SampleFile(folder / f"{name}-built.samples", make))
    return files


def _make_samples(
    path: Path,
    video: VideoRecord,
    dialogues: Sequence[CorpusDialogue],
    records: Sequence[FrameRecord],
    backbone: Backbone,
    cancel: CancelToken,
) -> list[DialogueSample]:
    samples = []
    with open_source(path, fps=video.fps if path.is_dir() else None) as source:
        for dialogue in dialogues:
            steps = span_steps(dialogue.first, dialogue.last, backbone)
            shown_frames = steps.window_frames(backbone.temporal_patch)
            video_tokens = VideoTokens(
                backbone, read_window(source, backbone, shown_frames, cancel=cancel)
            )
            # A span without a target keeps away from every target, and so do its heatmaps.
            target_records = records if dialogue.target is not None else ()
            heat, shown_heat = target_maps(
                steps, partial(true_heat_from_masks, target_records, size=video.size)
            )
            inputs = {TRUE: HeatmapInputs(heat, video_tokens.under(shown_heat))}
            truth = SpanTruth.from_json(dialogue.truth)
            samples.append(
                DialogueSample(dialogue.video, (dialogue.first, dialogue.last), truth, inputs)
            )
    return samples
