"""Measured attributes of targets against their truth: from given masks, and from trajectories.

The truth is taken from the id picture of every frame, not from the sampled ones. How many targets
the analysis follows at all is counted beside what is right of those.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.findings import Trajectory
from engine.core.geometry import Box, cell_name, direction_name
from engine.core.settings import AnalysisSettings, TrackingSettings
from engine.lab.datasets.rendered_footage import RenderedVideo, Target, rendered_videos
from engine.lab.dialogue_corpus.building.sighting_facts import measure_sighting
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.building.timelines import commonest, make_timeline
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import TargetTimeline
from engine.media import Source, open_source
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming

ATTRIBUTES = ("from", "to", "direction", "stop", "colour")
BASIC = {"dark blue": "blue", "light blue": "blue", "beige": "brown",
         "dark grey": "grey", "light grey": "grey"}  # fmt: skip
"""Shades of the eleven names."""

_RATE = 5.0
_LEAST_PIXELS, _LEAST_IOU = 24, 0.1
_CHANGED, _BACKGROUND = 22, 15
_STILL, _STILL_S, _FAR = 0.12, 1.0, 0.04
_FOLLOWED = 0.02

Right = Mapping[str, list[bool]]


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """Where a target is in every frame that shows it.

    Attributes:
        frames: int64 [n].
        centres: float64 [n, 2], middle of the box.
        masses: float64 [n, 2], mean of its pixels.
        boxes: int64 [n, 4], x, y, w, h.
    """

    frames: NDArray[np.int64]
    centres: NDArray[np.float64]
    masses: NDArray[np.float64]
    boxes: NDArray[np.int64]

    def inside(self, first: int, last: int) -> Whereabouts:
        """Returns the part in a span."""
        inside = (self.frames >= first) & (self.frames <= last)
        return Whereabouts(
            self.frames[inside], self.centres[inside], self.masses[inside], self.boxes[inside]
        )

    def stops(self, fps: float) -> bool:
        """Whether it moves and keeps its place for a second."""
        count = max(1, round(_STILL_S * fps))
        if len(self.frames) <= count:
            return False
        sizes = self.boxes[:, 2:].max(1)
        gone = np.hypot(*(self.masses[count:] - self.masses[:-count]).T)
        speeds = gone / sizes[count:] / _STILL_S
        return bool((speeds < _STILL).any() and (speeds >= _STILL).any())


def whereabouts(video: RenderedVideo) -> dict[int, Whereabouts]:
    """Reads every id picture of a video; returns number of the object -> where it is."""
    rows_by_target: dict[int, list[tuple[int, list[float], list[float], list[int]]]] = {}
    for frame in range(video.frames):
        ids = video.ids(frame)
        for target in video.targets:
            mask = np.asarray(ids == target.number, np.uint8)
            if int(mask.sum()) < _LEAST_PIXELS:
                continue
            x, y, w, h = (int(side) for side in cv2.boundingRect(mask))
            ys, xs = np.nonzero(mask)
            row = frame, [x + w / 2, y + h / 2], [float(xs.mean()), float(ys.mean())], [x, y, w, h]
            rows_by_target.setdefault(target.number, []).append(row)
    return {
        number: Whereabouts(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float64),
            np.array([row[2] for row in rows], np.float64),
            np.array([row[3] for row in rows], np.int64),
        )
        for number, rows in rows_by_target.items()
    }


def judge(
    timeline: TargetTimeline,
    where: Whereabouts,
    target: Target,
    video: RenderedVideo,
    right: Right,
    rests: bool = False,
) -> None:
    """Adds to each attribute whether it is right.

    Args:
        timeline: what was measured.
        where: the target really was.
        target: that is meant.
        video: that shows it.
        right: whether it was right, by attribute.
        rests: whether its trajectory ends inside the picture, which is a stop as well.
    """
    (x0, y0), (x1, y1) = where.centres[0].tolist(), where.centres[-1].tolist()
    by = x1 - x0, y1 - y0
    goes = direction_name(*by) if np.hypot(*by) / np.hypot(*video.size) >= _FAR else ""
    stated = {
        "from": timeline.enters == cell_name(x0, y0, *video.size),
        "to": timeline.leaves == cell_name(x1, y1, *video.size),
        "direction": timeline.direction == goes,
        "stop": (rests or bool(timeline.stops)) == where.stops(video.fps),
    }
    for name, value in stated.items():
        right[name].append(value)
    for part in ("upper", "lower"):
        colour = target.appearance.get(part)
        if colour and not video.grey:
            named, _ = commonest(
                timeline.upper if part == "upper" else timeline.lower, timeline.frames
            )
            right["colour"].append(BASIC.get(named, named) == BASIC.get(colour, colour))


def from_trajectories(root: Path, split: str, most: int) -> tuple[Right, list[bool]]:
    """Analyses abnormal videos, each calibrated on itself, and judges what is followed.

    What moves is followed whether it stands out or not: whose trajectory is meant says the truth.

    Args:
        root: a folder that `synth` wrote.
        split: of its videos.
        most: how many videos, spread evenly; 0 takes all.

    Returns:
        What is right of the targets that were followed, and which were.
    """
    every: list[bool] = []
    right: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    videos = [
        video for video in rendered_videos(root, split) if any(t.spans for t in video.targets)
    ]
    for video in videos[:: max(1, len(videos) // most)] if most else videos:
        known = whereabouts(video)
        with tempfile.TemporaryDirectory() as folder:
            trajectories = _analysed(video, Path(folder))
        abnormal = [target for target in video.targets if target.spans and target.number in known]
        with open_source(video.path) as source:
            images = {
                frame.index: frame.image for frame in source.frames(pixels="rgb")
                if frame.image is not None
            }  # fmt: skip
            for target in abnormal:
                best = _followed(trajectories, known, target.number)
                every.append(best is not None)
                if best is not None:
                    timeline = _told(best, video, source, images)
                    rests = best.ends_inside(video.size, video.frames / video.fps)
                    judge(timeline, known[target.number], target, video, right, rests)
    return right, every


def _analysed(video: RenderedVideo, folder: Path) -> list[Trajectory]:
    settings = AnalysisSettings(tracking=TrackingSettings(region_score=_FOLLOWED))
    with Case.create(folder / "one.case") as case:
        evidence, source = add_evidence(case, video.path)
        with source:
            run = AnalysisRun(case, evidence, source, Recipe(settings))
            done = run.execute(Resuming(finished=False, unfinished=False))
        return [row.trajectory for row in case.results.trajectories(done.id)]


def _followed(
    trajectories: Sequence[Trajectory], known: Mapping[int, Whereabouts], number: int
) -> Trajectory | None:
    """Returns the longest trajectory that is the target's more than any other's."""
    mine = [trajectory for trajectory in trajectories if _owner(trajectory, known) == number]
    return max(mine, key=lambda trajectory: len(trajectory.frames), default=None)


def _owner(trajectory: Trajectory, known: Mapping[int, Whereabouts]) -> int | None:
    shares = {}
    for number, where in known.items():
        _, mine, its = np.intersect1d(trajectory.frames, where.frames, return_indices=True)
        shared = _iou(trajectory.boxes[mine].astype(np.float64), where.boxes[its])
        shares[number] = float(shared.sum()) / len(trajectory.frames)
    best = max(shares, key=lambda number: shares[number], default=None)
    return best if best is not None and shares[best] >= _LEAST_IOU else None


def _iou(boxes: NDArray[np.float64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    low = np.maximum(boxes[:, :2], other[:, :2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], other[:, :2] + other[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return np.asarray(shared / (boxes[:, 2:].prod(1) + other[:, 2:].prod(1) - shared))


def _told(
    followed: Trajectory,
    video: RenderedVideo,
    source: Source,
    images: Mapping[int, NDArray[np.uint8]],
) -> TargetTimeline:
    """Measures a trajectory as the stage frames measures masks; what changed is its mask."""
    sampled = sorted(images)[:: max(1, len(images) // _BACKGROUND)]
    usual = np.median(np.stack([images[index] for index in sampled]), axis=0).astype(np.uint8)
    seconds = source.index.seconds(len(source.index) - 1)
    fps = (len(source.index) - 1) / seconds
    records: list[FrameRecord] = []
    before: Sighting | None = None
    for sighting in _sightings(followed, images, usual, max(1, round(fps / _RATE))):
        since = None if before is None else (before, (sighting.frame - before.frame) / fps)
        about = video.name, ""
        records.append(measure_sighting(sighting, images[sighting.frame], about, since, video.size))
        before = sighting
    return make_timeline(records, fps, video.size)


def _sightings(
    followed: Trajectory,
    images: Mapping[int, NDArray[np.uint8]],
    usual: NDArray[np.uint8],
    step: int,
) -> Iterator[Sighting]:
    last = len(followed.frames) - 1
    for index in sorted({*range(0, last + 1, step), last}):
        frame = int(followed.frames[index])
        if frame not in images:
            continue
        x, y, w, h = (int(side) for side in followed.boxes[index])
        box = Box(max(0, x), max(0, y), w + min(0, x), h + min(0, y))
        cut = np.s_[box.y : box.y + box.h, box.x : box.x + box.w]
        changed = cv2.absdiff(images[frame][cut], usual[cut]).max(2) > _CHANGED
        if changed.size:
            # What stood still for most of the video is in its background.
            if changed.sum() < _LEAST_PIXELS:
                changed = np.ones_like(changed)
            box = Box(box.x, box.y, changed.shape[1], changed.shape[0])
            yield Sighting(followed.number, frame, box, np.asarray(changed, np.bool_))
