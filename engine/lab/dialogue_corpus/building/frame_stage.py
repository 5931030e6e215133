"""The first stage: what is seen of each target in each sampled frame, measured and described."""

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
from engine.lab.dialogue_corpus.building.answer_log import Answer, Journal
from engine.lab.dialogue_corpus.building.description_forms import (
    PLACE,
    TARGET,
    Describer,
    described,
)
from engine.lab.dialogue_corpus.building.sighting_facts import is_grey, measured
from engine.lab.dialogue_corpus.building.sightings import Sighting, Trouble, sightings
from engine.lab.dialogue_corpus.building.target_highlight import highlighted
from engine.lab.dialogue_corpus.building.truth_labels import Labels, VideoLabels
from engine.lab.dialogue_corpus.files.frame_records import ASKED, LABELLED
from engine.lab.dialogue_corpus.files.json_lines import Line, read_lines, write_lines
from engine.lab.dialogue_corpus.files.timeline_files import FRAMES, VIDEOS, VideoAbout
from engine.media import Source, open_source

TROUBLES = "troubles"
_PARTS = "parts"

Images = Iterator[NDArray[np.uint8] | None]


@dataclass(frozen=True)
class BuildRequest:
    """What to build from.

    Attributes:
        dataset: a benchmark, or footage in the layout of one.
        splits: whose videos are read.
        folder: gets everything that is written.
        rate: sampled frames a second.
        fps: of folders of images.
        describer: is asked what cannot be measured; None leaves it at what can.
        labels: say it in its place, where the footage was rendered.
    """

    dataset: Dataset
    splits: tuple[str, ...]
    folder: Path
    rate: float = 5.0
    fps: float = 25.0
    describer: Describer | None = None
    labels: Labels | None = None

    @property
    def made(self) -> Mapping[str, Any]:
        """What decides what is said of a video; with another, it is said anew."""
        words = LABELLED if self.labels is not None else None
        model = None if self.describer is None else self.describer.name
        return {"rate": self.rate, "fps": self.fps, "words": model or words}


def build_frames(
    request: BuildRequest, progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> Counter[str]:
    """Writes `frames.jsonl`: what is seen of each target in each sampled frame.

    A video that was done before in the same way is not opened again, and no question is asked
    twice. What cannot be used is named in `troubles.jsonl` and costs nothing else.

    Returns:
        Counts: videos, records, troubles, and what became of the questions.

    Raises:
        BadInputError: a split is unknown or holds no videos.
        ResourceError: the disk is full, or the language model stopped.
        CancelledError: the user stopped.
    """
    given = [(split, video) for split in request.splits for video in request.dataset.videos(split)]
    counts: Counter[str] = Counter()
    paths = []
    for place, (split, video) in enumerate(given):
        path = request.folder / _PARTS / f"{split}-{video.name}.jsonl"
        if not _is_made(path, request.made):
            with Journal(path.with_suffix(".answers"), request.made) as journal:
                lines = _video_lines(_Building(request, split, video, journal, cancel))
                write_lines(path, [{"made": request.made}, *lines])
                journal.done()
        for line in read_lines(path):
            counts += Counter(line.get("counts", {}))
        paths.append(path)
        progress(Progress(FRAMES, place + 1, len(given), unit="videos"))
    for kind, name in (("record", FRAMES), ("about", VIDEOS), ("trouble", TROUBLES)):
        told = (line for path in paths for line in read_lines(path))
        write_lines(request.folder / f"{name}.jsonl", (one[kind] for one in told if kind in one))
    return counts


def _is_made(path: Path, made: Mapping[str, Any]) -> bool:
    """Whether a video was done before, and in the same way."""
    if not path.is_file():
        return False
    return next(read_lines(path), {}).get("made") == made


@dataclass(frozen=True, eq=False)
class _Building:
    """A video in the first stage."""

    request: BuildRequest
    split: str
    video: Video
    journal: Journal
    cancel: CancelToken | None

    def target(self, image: NDArray[np.uint8] | None, one: Sighting) -> Answer:
        """Asks about a target."""
        model = self.request.describer
        if model is None or image is None:
            return Answer()
        picture = highlighted(image, one)
        return self.journal.answer(
            (one.frame, one.target),
            lambda: described(model, TARGET, picture, one.box.h, self.cancel),
        )

    def place(self, image: NDArray[np.uint8] | None, frame: int) -> Answer:
        """Asks what the place is like."""
        model = self.request.describer
        if model is None or image is None:
            return Answer()
        height = image.shape[0]
        return self.journal.answer(
            (frame, None), lambda: described(model, PLACE, image, height, self.cancel)
        )


def _video_lines(building: _Building) -> list[Line]:
    """Returns everything the first stage says of a video, troubles with it included."""
    video = building.video
    fps = building.request.fps if video.path.is_dir() else None
    try:
        with open_source(video.path, fps=fps) as source:
            return _source_lines(building, source)
    except BadInputError as error:
        return _told(Counter(videos=1), [Trouble(video.name, None, error.line())])


def _source_lines(building: _Building, source: Source) -> list[Line]:
    request, video, count = building.request, building.video, len(source.index)
    seconds = source.index.seconds(count - 1)
    fps = (count - 1) / seconds if seconds > 0 else request.fps
    size = source.info.width, source.info.height
    step = max(1, round(fps / request.rate))
    found, troubles = sightings(video, count, size, step)
    labels = None if request.labels is None else request.labels.of(video)
    counts: Counter[str] = Counter(videos=1)
    middle = count // 2
    image = source.frame(middle, "rgb").image
    place = building.place(image, middle)
    counts += place.counts
    about = VideoAbout(
        video.name, video.camera, building.split, video.path.relative_to(request.dataset.root)
        .as_posix(), count, round(fps, 4), size, step,
        labels.place if labels is not None else _named(place),
        image is not None and is_grey(image),
    )  # fmt: skip
    lines: list[Line] = [{"about": about.as_json()}]
    lines += _records(building, found, _images(source, found, step), about, labels, counts)
    return [*lines, *_told(counts, troubles)]


def _named(place: Answer) -> str:
    """Returns what a place was called, without an article; empty where nobody said."""
    return re.sub(r"^(?:an?|the) ", "", (place.said or {}).get("place", "").lower())


def _records(
    building: _Building,
    found: Sequence[Sighting],
    images: Images,
    about: VideoAbout,
    labels: VideoLabels | None,
    counts: Counter[str],
) -> Iterator[Line]:
    before: dict[int, Sighting] = {}
    for frame, group in itertools.groupby(found, key=lambda one: one.frame):
        if building.cancel is not None:
            building.cancel.check()
        image = next(images, None)
        for one in group:
            earlier = before.get(one.target)
            since = None if earlier is None else (earlier, (frame - earlier.frame) / about.fps)
            # Infrared shows no colour: black cloth may look white in it, and white cloth black.
            coloured = None if about.grey else image
            record = measured(one, coloured, (about.name, about.camera), since, about.size)
            answer = building.target(image, one)
            if answer.said is not None:
                record = replace(record, asked=answer.said, source=ASKED)
            elif labels is not None:
                record = replace(record, asked=labels.said(one), source=LABELLED)
            yield {"record": record.as_json()}
            before[one.target] = one
            counts += answer.counts
            counts["records"] += 1


def _images(source: Source, found: Sequence[Sighting], step: int) -> Images:
    wanted = {one.frame for one in found}
    for frame in source.frames(0, None, step, pixels="rgb"):
        if frame.index in wanted:
            yield frame.image


def _told(counts: Counter[str], troubles: Sequence[Trouble]) -> list[Line]:
    counts["troubles"] += len(troubles)
    named = [
        {"trouble": {"video": one.video, "frame": one.frame, "reason": one.reason}}
        for one in troubles
    ]
    return [*named, {"counts": dict(sorted(counts.items()))}]
