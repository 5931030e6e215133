"""The first stage: each target in each sampled frame, measured and described."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.lab.datasets.dataset import Dataset, Video
from engine.lab.dialogue_corpus.building.answer_log import AnswerLog, LoggedAnswer
from engine.lab.dialogue_corpus.building.description_forms import (
    SURROUNDINGS,
    TARGET,
    Describer,
    describe,
)
from engine.lab.dialogue_corpus.building.sighting_facts import is_grey, measure_sighting
from engine.lab.dialogue_corpus.building.sightings import Sighting, Trouble, find_sightings
from engine.lab.dialogue_corpus.building.target_highlight import highlight
from engine.lab.dialogue_corpus.building.truth_labels import TruthLabels, VideoLabels
from engine.lab.dialogue_corpus.files.frame_records import ASKED, LABELLED
from engine.lab.dialogue_corpus.files.json_lines import read_lines, write_lines
from engine.lab.dialogue_corpus.files.timeline_files import FRAMES, VIDEOS, VideoRecord
from engine.media import Source, open_source

TROUBLES = "troubles"
_PARTS = "parts"

Images = Iterator[NDArray[np.uint8] | None]
Line = Mapping[str, Any]


@dataclass(frozen=True)
class BuildRequest:
    """What to build a corpus from.

    Attributes:
        dataset: a benchmark, or footage in the layout of one.
        splits: the splits whose videos are read.
        folder: gets everything that is written.
        rate: sampled frames a second.
        fps: frames a second of folders of images.
        describer: answers what cannot be measured; None leaves that out.
        labels: answer it in place of a model, where the footage was rendered.
    """

    dataset: Dataset
    splits: tuple[str, ...]
    folder: Path
    rate: float = 5.0
    fps: float = 25.0
    describer: Describer | None = None
    labels: TruthLabels | None = None

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What decides the lines of a video; with another recipe they are made again."""
        labels = LABELLED if self.labels is not None else None
        model = None if self.describer is None else self.describer.name
        return {"rate": self.rate, "fps": self.fps, "words": model or labels}


def build_frames(
    request: BuildRequest, progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> Counter[str]:
    """Writes `frames.jsonl`: a record of each target in each sampled frame.

    A video that was read before with the same recipe is not opened again, and no question is asked
    twice. What cannot be used is named in `troubles.jsonl` and left out.

    Returns:
        Counts: videos, records, troubles, and what became of the questions.

    Raises:
        BadInputError: a split is unknown or holds no videos.
        ResourceError: the disk is full, or the language model stopped.
        CancelledError: the user stopped.
    """
    videos = [(split, video) for split in request.splits for video in request.dataset.videos(split)]
    counts: Counter[str] = Counter()
    paths = []
    for index, (split, video) in enumerate(videos):
        path = request.folder / _PARTS / f"{split}-{video.name}.jsonl"
        if not _is_complete(path, request.recipe):
            with AnswerLog(path.with_suffix(".answers"), request.recipe) as log:
                lines = _video_lines(_VideoTask(request, split, video, log, cancel))
                write_lines(path, [{"made": request.recipe}, *lines])
                log.remove()
        for line in read_lines(path):
            counts += Counter(line.get("counts", {}))
        paths.append(path)
        progress(Progress(FRAMES, index + 1, len(videos), unit="videos"))
    for kind, name in (("record", FRAMES), ("about", VIDEOS), ("trouble", TROUBLES)):
        lines_of_all = (line for path in paths for line in read_lines(path))
        write_lines(
            request.folder / f"{name}.jsonl", (line[kind] for line in lines_of_all if kind in line)
        )
    return counts


def _is_complete(path: Path, recipe: Mapping[str, Any]) -> bool:
    """Returns whether the lines of a video were written before, with the same recipe."""
    if not path.is_file():
        return False
    return next(read_lines(path), {}).get("made") == recipe


@dataclass(frozen=True, eq=False)
class _VideoTask:
    """A video in the first stage."""

    request: BuildRequest
    split: str
    video: Video
    log: AnswerLog
    cancel: CancelToken | None

    def describe_target(self, image: NDArray[np.uint8] | None, sighting: Sighting) -> LoggedAnswer:
        """Asks about a target."""
        model = self.request.describer
        if model is None or image is None:
            return LoggedAnswer()
        highlighted = highlight(image, sighting)
        return self.log.answer(
            (sighting.frame, sighting.target),
            lambda: describe(model, TARGET, highlighted, sighting.box.h, self.cancel),
        )

    def describe_surroundings(self, image: NDArray[np.uint8] | None, frame: int) -> LoggedAnswer:
        """Asks about the surroundings."""
        model = self.request.describer
        if model is None or image is None:
            return LoggedAnswer()
        height = image.shape[0]
        return self.log.answer(
            (frame, None), lambda: describe(model, SURROUNDINGS, image, height, self.cancel)
        )


def _video_lines(task: _VideoTask) -> list[Line]:
    """Returns all lines of a video, or the trouble with it."""
    video = task.video
    fps = task.request.fps if video.path.is_dir() else None
    try:
        with open_source(video.path, fps=fps) as source:
            return _source_lines(task, source)
    except BadInputError as error:
        return _closing_lines(Counter(videos=1), [Trouble(video.name, None, error.line())])


def _source_lines(task: _VideoTask, source: Source) -> list[Line]:
    request, video, count = task.request, task.video, len(source.index)
    seconds = source.index.seconds(count - 1)
    fps = (count - 1) / seconds if seconds > 0 else request.fps
    size = source.info.width, source.info.height
    step = max(1, round(fps / request.rate))
    sightings, troubles = find_sightings(video, count, size, step)
    labels = None if request.labels is None else request.labels.of(video)
    counts: Counter[str] = Counter(videos=1)
    middle = count // 2
    image = source.frame(middle, "rgb").image
    surroundings = task.describe_surroundings(image, middle)
    counts += surroundings.counts
    record = VideoRecord(
        video.name, video.camera, task.split, video.path.relative_to(request.dataset.root)
        .as_posix(), count, round(fps, 4), size, step,
        labels.surroundings if labels is not None else _without_article(surroundings),
        image is not None and is_grey(image),
    )  # fmt: skip
    lines: list[Line] = [{"about": record.as_json()}]
    images = _images(source, sightings, step)
    lines += _records(task, sightings, images, record, labels, counts)
    return [*lines, *_closing_lines(counts, troubles)]


def _without_article(surroundings: LoggedAnswer) -> str:
    """Returns how the surroundings were named, without an article; empty without an answer."""
    return re.sub(r"^(?:an?|the) ", "", (surroundings.values or {}).get("place", "").lower())


def _records(
    task: _VideoTask,
    sightings: Sequence[Sighting],
    images: Images,
    video: VideoRecord,
    labels: VideoLabels | None,
    counts: Counter[str],
) -> Iterator[Line]:
    previous: dict[int, Sighting] = {}
    for frame, group in itertools.groupby(sightings, key=lambda sighting: sighting.frame):
        if task.cancel is not None:
            task.cancel.check()
        image = next(images, None)
        for sighting in group:
            before = previous.get(sighting.target)
            since = None if before is None else (before, (frame - before.frame) / video.fps)
            # Infrared shows no colour: black cloth may look white in it, and white cloth black.
            coloured = None if video.grey else image
            names = video.name, video.camera
            record = measure_sighting(sighting, coloured, names, since, video.size)
            answer = task.describe_target(image, sighting)
            if answer.values is not None:
                record = replace(record, description=answer.values, source=ASKED)
            elif labels is not None:
                description = labels.description(sighting)
                record = replace(record, description=description, source=LABELLED)
            yield {"record": record.as_json()}
            previous[sighting.target] = sighting
            counts += answer.counts
            counts["records"] += 1


def _images(source: Source, sightings: Sequence[Sighting], step: int) -> Images:
    indices = {sighting.frame for sighting in sightings}
    for frame in source.frames(0, None, step, pixels="rgb"):
        if frame.index in indices:
            yield frame.image


def _closing_lines(counts: Counter[str], troubles: Sequence[Trouble]) -> list[Line]:
    """Returns the lines of what was left out, and that of the counts."""
    counts["troubles"] += len(troubles)
    lines = [
        {"trouble": {"video": trouble.video, "frame": trouble.frame, "reason": trouble.reason}}
        for trouble in troubles
    ]
    return [*lines, {"counts": dict(sorted(counts.items()))}]
