"""Measured attributes and checks of the stages from masks to dialogues, on rendered footage.

Run: `python -m tests.benchmarks.lab.dialogue_building --root DIR [--split NAME] [--videos N]`; DIR
is a folder that `main.py synth` wrote.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.core.geometry import Box
from engine.core.progress import CancelToken, silent
from engine.lab.datasets.rendered_footage import RenderedVideo, Target, rendered_videos
from engine.lab.datasets.ubnormal import ObjectSpans, open_ubnormal
from engine.lab.dialogue_corpus.answer_words import ACTIONS
from engine.lab.dialogue_corpus.building.checks import check
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest, build_frames
from engine.lab.dialogue_corpus.building.timelines import commonest, make_timeline
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.timeline_files import (
    DROPPED,
    KEPT,
    TargetTimeline,
    read_frames,
    read_videos,
    records_by_target,
)
from engine.lab.dialogue_corpus.wording import SpanTruth, references
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.render.colour_names import COLOUR_NAMES, colour_distance
from tests.benchmarks.lab.building_attributes import (
    ATTRIBUTES,
    Right,
    from_trajectories,
    judge,
    whereabouts,
)
from tests.benchmarks.lines import Line, table

_PLANTED, _SEED, _VIDEOS = 500, 7, 60
_FAR = 45.0
_LEAST = 10

Records = list[FrameRecord]
Rng = np.random.Generator


@dataclass(frozen=True)
class Known:
    """A target with its truth.

    Attributes:
        records: its frames, described as the truth has it.
        told: its timeline.
        target: the truth.
        span: first and last frame in which it is abnormal.
        fps: of the video.
        size: of the video.
    """

    records: Records
    told: TargetTimeline
    target: Target
    span: tuple[int, int]
    fps: float
    size: tuple[int, int]

    def verdict(self, records: Records) -> str:
        """Returns the verdict on other records of it."""
        return check(make_timeline(records, self.fps, self.size), records, self.size).verdict


def known_targets(root: Path, split: str, folder: Path) -> list[Known]:
    """Builds the frames of rendered footage and puts the truth beside them."""
    data = open_ubnormal(root)
    build_frames(BuildRequest(data, (split,), folder))
    about = {video.name: video for video in read_videos(folder)}
    videos = {video.name: video for video in rendered_videos(root, split)}
    spans = {video.name: video.annotation for video in data.videos(split)}
    out = []
    for (name, row), records in records_by_target(read_frames(folder)):
        truth = spans[name]
        assert isinstance(truth, ObjectSpans)
        target = _target(videos[name], truth, row)
        described = [
            replace(record, description=_described(videos[name], target, record))
            for record in records
        ]
        fps, size = about[name].fps, about[name].size
        timeline = make_timeline(described, fps, size)
        out.append(Known(described, timeline, target, truth.spans[row], fps, size))
    return out


def _target(video: RenderedVideo, truth: ObjectSpans, row: int) -> Target:
    number = truth.objects_of_rows[row]
    return next(target for target in video.targets if target.number == number)


def _described(video: RenderedVideo, target: Target, record: FrameRecord) -> dict[str, str]:
    doing = target.class_at(record.frame)
    truth = SpanTruth(doing, video.layout, video.grey, 0, target.kind, target.appearance)
    noun = references(truth, "target")[1]
    return {"kind": target.kind, "appearance": noun, "action": ACTIONS.get(doing, doing)}


def from_masks(known: Sequence[Known], root: Path, split: str) -> Right:
    """Judges the attributes that were measured from the given masks."""
    right: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    by_video: dict[str, list[Known]] = {}
    for target in known:
        by_video.setdefault(target.told.video, []).append(target)
    for video in rendered_videos(root, split):
        mine = by_video.get(video.name, [])
        where = whereabouts(video) if mine else {}
        for target in mine:
            first, last = target.span
            cells = where[target.target.number].inside(first, last)
            judge(target.told, cells, target.target, video, right)
    return right


def planted(known: Sequence[Known]) -> tuple[float, dict[str, float]]:
    """Plants contradictions in consistent targets; returns the shares that are found."""
    rng = np.random.default_rng(_SEED)
    sound = [target for target in known if target.verdict(target.records) == KEPT
             and len(target.records) >= _LEAST]  # fmt: skip
    outcomes: dict[str, list[bool]] = {name: [] for name in _KINDS}
    while sum(map(len, outcomes.values())) < _PLANTED:
        name = str(rng.choice(list(_KINDS)))
        target = sound[int(rng.integers(len(sound)))]
        changed = _KINDS[name](target, rng)
        if changed is not None:
            outcomes[name].append(target.verdict(changed) != KEPT)
    shares = {name: float(np.mean(hits)) for name, hits in outcomes.items() if hits}
    return float(np.mean([hit for hits in outcomes.values() for hit in hits])), shares


def _asked(records: Records, **words: str) -> Records:
    return [
        replace(record, description={**(record.description or {}), **words}) for record in records
    ]


def _other_action(target: Known, rng: Rng) -> Records | None:
    speed = target.told.speed
    if speed > 2.2:
        return _asked(target.records, action="walking")
    if speed > 1.0:
        return _asked(target.records, action=str(rng.choice(["lying on the ground", "standing"])))
    return _asked(target.records, action="running") if speed < 0.3 else None


def _other_way(target: Known, rng: Rng) -> Records | None:
    sides = {"left": "right", "right": "left"}
    own = next((side for side in sides if side in target.told.direction), None)
    action = f"{ACTIONS['running']} to the {sides[own]}" if own else ""
    return _asked(target.records, action=action) if action else None


def _other_clothes(target: Known, rng: Rng) -> Records | None:
    colours = [
        commonest(part, target.told.frames)[0] for part in (target.told.upper, target.told.lower)
    ]
    if not all(colours):
        return None
    far = [
        name for name in COLOUR_NAMES if all(colour_distance(name, own) > _FAR for own in colours)
    ]
    if not far:
        return None
    return _asked(target.records, appearance=f"a person in a {rng.choice(far)} coat")


def _other_colour(target: Known, rng: Rng) -> Records | None:
    half = len(target.records) // 2
    own, _ = commonest(target.told.upper, target.told.frames)
    far = [name for name in COLOUR_NAMES if own and colour_distance(name, own) > _FAR]
    if not far:
        return None
    new = str(rng.choice(far))
    return [
        *target.records[:half],
        *(replace(record, upper=new) for record in target.records[half:]),
    ]


def _jump(target: Known, rng: Rng) -> Records | None:
    index = int(rng.integers(2, len(target.records) - 2))
    box = target.records[index].box
    by = round(float(rng.uniform(4, 8)) * max(box.w, box.h))
    moved = replace(target.records[index], box=Box(box.x + by, box.y, box.w, box.h))
    return [*target.records[:index], moved, *target.records[index + 1 :]]


_KINDS: dict[str, Callable[[Known, Rng], Records | None]] = {
    "action against speed": _other_action,
    "way against motion": _other_way,
    "clothes of other colours": _other_clothes,
    "a colour that changes": _other_colour,
    "a path that jumps": _jump,
}


def lines(root: Path, split: str, videos: int = 0) -> list[Line]:
    """Measures and returns the lines of the table."""
    with tempfile.TemporaryDirectory() as name:
        known = known_targets(root, split, Path(name))
        masks = from_masks(known, root, split)
    own, followed = from_trajectories(root, split, videos)
    footage_kind = f"own trajectories, {sum(followed)} of {len(followed)} targets followed"
    caught, by_kind = planted(known)
    dropped = float(np.mean([target.verdict(target.records) == DROPPED for target in known]))
    each = ", ".join(f"{name} {value:.3f}" for name, value in by_kind.items())
    command = f"python -m tests.benchmarks.lab.dialogue_building --root FOOTAGE --split {split}"
    command += f" --videos {videos}" if videos else ""
    return [
        *_attribute_lines("masks given", masks, 0.9, command),
        *_attribute_lines(footage_kind, own, 0.75, command),
        Line(f"{_PLANTED} planted contradictions found", ">= 0.95", f"{caught:.3f} ({each})",
             caught >= 0.95, command),
        Line("consistent targets dropped", "<= 0.03", f"{dropped:.3f} of {len(known)}",
             dropped <= 0.03, command),
    ]  # fmt: skip


def _attribute_lines(source: str, right: Right, least: float, command: str) -> list[Line]:
    return [
        Line(
            f"*{name}*, {source}", f">= {least:.2f}", f"{np.mean(outcomes):.3f} of {len(outcomes)}",
            bool(np.mean(outcomes) >= least), command,
        )
        for name, outcomes in right.items()
    ]  # fmt: skip


def section() -> str:
    """Measures everything and returns the section of docs/evaluation.md."""
    with tempfile.TemporaryDirectory() as name:
        rendered = Path(name) / "rendered"
        write_footage(rendered, FootageRequest(_VIDEOS, 1, "test"), 2, silent, CancelToken())
        return table(lines(rendered, "test"))


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description="Figures of the stages to dialogues.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--videos", type=int, default=0, help="analysed ones; 0 takes all")
    options = parser.parse_args()
    print(table(lines(options.root, options.split, options.videos)))


if __name__ == "__main__":
    main()
