"""Stage after stage from footage to checked timelines; every one can be stopped and resumed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, Report, silent
from engine.datasets.base import Dataset, Video
from engine.datasets.dialogues.building.checking import check
from engine.datasets.dialogues.building.describing import Describer, described, highlighted
from engine.datasets.dialogues.building.measuring import measured
from engine.datasets.dialogues.building.records import FrameRecord, read_lines, write_lines
from engine.datasets.dialogues.building.sightings import Sighting, Trouble, sightings
from engine.datasets.dialogues.building.timelines import Timeline, timeline
from engine.media import Source, open_source

FRAMES, TIMELINES, CHECKS = "frames", "timelines", "checks"
STAGES = (FRAMES, TIMELINES, CHECKS)
VIDEOS, TROUBLES = "videos.jsonl", "troubles.jsonl"
_AGAIN = "run the stage frames again"

Line = Mapping[str, Any]
T = TypeVar("T")


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
    """

    dataset: Dataset
    splits: tuple[str, ...]
    folder: Path
    rate: float = 5.0
    fps: float = 25.0
    describer: Describer | None = None


@dataclass(frozen=True)
class VideoAbout:
    """What later stages need to know of a video.

    Attributes:
        name: unique within the data set.
        camera: the camera it was taken with.
        split: it belongs to.
        frames: how many there are.
        fps: frames a second.
        size: width and height in pixels.
        step: distance of the sampled frames.
    """

    name: str
    camera: str
    split: str
    frames: int
    fps: float
    size: tuple[int, int]
    step: int

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {"name": self.name, "camera": self.camera, "split": self.split,
                "frames": self.frames, "fps": self.fps, "size": list(self.size),
                "step": self.step}  # fmt: skip

    @classmethod
    def from_json(cls, value: Line) -> VideoAbout:
        """Restores what `as_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no such line.
        """
        width, height = (int(side) for side in value["size"])
        return cls(
            str(value["name"]), str(value["camera"]), str(value["split"]), int(value["frames"]),
            float(value["fps"]), (width, height), int(value["step"]),
        )  # fmt: skip


def build_frames(
    request: BuildRequest, report: Report = silent, cancel: CancelToken | None = None
) -> Counter[str]:
    """Writes `frames.jsonl`: what is seen of each target in each sampled frame.

    A video that was done before is not opened again. What cannot be used is named in
    `troubles.jsonl` and costs nothing else.

    Returns:
        Counts: videos, records, troubles, and what became of the questions.

    Raises:
        BadInputError: a split is unknown or holds no videos.
        ResourceError: the disk is full.
        CancelledError: the user stopped.
    """
    given = [(split, video) for split in request.splits for video in request.dataset.videos(split)]
    parts = request.folder / "parts"
    counts: Counter[str] = Counter()
    for place, (split, video) in enumerate(given):
        path = parts / f"{split}-{video.name}.jsonl"
        if not path.is_file():
            write_lines(path, _video_lines(request, split, video, cancel))
        for line in read_lines(path):
            counts += Counter(line.get("counts", {}))
        report(Progress(FRAMES, place + 1, len(given), unit="videos"))
    paths = [parts / f"{split}-{video.name}.jsonl" for split, video in given]
    for kind, name in (("record", "frames.jsonl"), ("about", VIDEOS), ("trouble", TROUBLES)):
        lines = (line for path in paths for line in read_lines(path))
        write_lines(request.folder / name, (one[kind] for one in lines if kind in one))
    return counts


def build_timelines(folder: Path) -> Counter[str]:
    """Writes `timelines.jsonl` from `frames.jsonl`.

    Raises:
        BadInputError: a file of the stage before is missing or damaged.
        ResourceError: the disk is full.
    """
    about = {one.name: one for one in read_videos(folder)}

    def told() -> Iterator[Timeline]:
        for (video, _), records in grouped(read_frames(folder)):
            if video not in about:
                raise BadInputError("frames of a video that is not named", video, _AGAIN)
            yield timeline(records, about[video].fps, about[video].size)

    made = list(told())
    write_lines(folder / "timelines.jsonl", (one.as_json() for one in made))
    return Counter(timelines=len(made))


def build_checks(folder: Path) -> Counter[str]:
    """Writes `checks.jsonl`: a verdict on each target.

    Returns:
        Counts by verdict, and by reason as `reason: CODE`.

    Raises:
        BadInputError: a file of the stages before is missing or damaged.
        ResourceError: the disk is full.
    """
    records = dict(grouped(read_frames(folder)))
    sizes = {one.name: one.size for one in read_videos(folder)}
    counts: Counter[str] = Counter()
    made = []
    for told in read_timelines(folder):
        if (told.video, told.target) not in records or told.video not in sizes:
            raise BadInputError("a timeline without frames", told.video, _AGAIN)
        made.append(check(told, records[told.video, told.target], sizes[told.video]))
        counts[made[-1].verdict] += 1
        counts += Counter({f"reason: {one.code}" for one in made[-1].reasons})
    write_lines(folder / "checks.jsonl", (one.as_json() for one in made))
    return counts


def read_videos(folder: Path) -> list[VideoAbout]:
    """Reads what the first stage wrote about the videos.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / VIDEOS, VideoAbout.from_json)


def read_frames(folder: Path) -> list[FrameRecord]:
    """Reads what the first stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / "frames.jsonl", FrameRecord.from_json)


def read_timelines(folder: Path) -> list[Timeline]:
    """Reads what the second stage wrote.

    Raises:
        BadInputError: it is missing or damaged.
    """
    return read_all(folder / "timelines.jsonl", Timeline.from_json)


def grouped(
    records: Sequence[FrameRecord],
) -> Iterator[tuple[tuple[str, int], list[FrameRecord]]]:
    """Yields video and target with their records, in order of frame."""
    ordered = sorted(records, key=lambda one: (one.video, one.target, one.frame))
    for key, group in itertools.groupby(ordered, key=lambda one: (one.video, one.target)):
        yield key, list(group)


def read_all(path: Path, restore: Callable[[Line], T]) -> list[T]:
    """Reads every line of a file that a stage wrote.

    Raises:
        BadInputError: it is missing, or a line is not what `restore` takes.
    """
    out = []
    for number, value in enumerate(read_lines(path), start=1):
        try:
            out.append(restore(value))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadInputError(f"line {number} is damaged ({error})", path, _AGAIN) from error
    return out


def _video_lines(
    request: BuildRequest, split: str, video: Video, cancel: CancelToken | None
) -> list[Line]:
    """Returns everything the first stage says of a video, troubles with it included."""
    fps = request.fps if video.path.is_dir() else None
    try:
        with open_source(video.path, fps=fps) as source:
            return _source_lines(request, split, video, source, cancel)
    except BadInputError as error:
        return _told(Counter(videos=1), [Trouble(video.name, None, error.line())])


def _source_lines(
    request: BuildRequest, split: str, video: Video, source: Source, cancel: CancelToken | None
) -> list[Line]:
    seconds = source.index.seconds(len(source.index) - 1)
    fps = (len(source.index) - 1) / seconds if seconds > 0 else request.fps
    size = source.info.width, source.info.height
    step = max(1, round(fps / request.rate))
    found, troubles = sightings(video, len(source.index), size, step)
    counts: Counter[str] = Counter(videos=1)
    count = len(source.index)
    about = VideoAbout(video.name, video.camera, split, count, round(fps, 4), size, step)
    lines: list[Line] = [{"about": about.as_json()}]
    before: dict[int, Sighting] = {}
    wanted = {one.frame for one in found}
    images = _images(source, wanted, step)
    for frame, group in itertools.groupby(found, key=lambda one: one.frame):
        if cancel is not None:
            cancel.check()
        image = next(images)
        for one in group:
            earlier = before.get(one.target)
            since = None if earlier is None else (earlier, (frame - earlier.frame) / fps)
            record = measured(one, image, (video.name, video.camera), since, size)
            asked = _asked(request.describer, image, one, counts, cancel)
            lines.append({"record": replace(record, asked=asked).as_json()})
            before[one.target] = one
            counts["records"] += 1
    return [*lines, *_told(counts, troubles)]


def _asked(
    model: Describer | None,
    image: NDArray[np.uint8] | None,
    sighting: Sighting,
    counts: Counter[str],
    cancel: CancelToken | None,
) -> dict[str, str] | None:
    if model is None or image is None:
        return None
    answers: Counter[str] = Counter()
    said = described(model, highlighted(image, sighting), answers, cancel)
    counts.update({f"answer: {name}": count for name, count in answers.items()})
    return said


def _images(source: Source, wanted: set[int], step: int) -> Iterator[NDArray[np.uint8] | None]:
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
