"""The last stage: dialogues about spans of kept targets, and about spans without any."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.settings import MotionSettings
from engine.dialogue.answer_parsing import ACTIONS
from engine.lab.dialogue_corpus.building.applied_reviews import Reviewed
from engine.lab.dialogue_corpus.building.sighting_facts import STILL, way
from engine.lab.dialogue_corpus.building.timelines import commonest, timeline
from engine.lab.dialogue_corpus.files.dialogue_files import DIALOGUES, SPLITS, Dialogue, Turn
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import (
    VideoAbout,
    grouped,
    read_checks,
    read_frames,
    read_videos,
)
from engine.lab.dialogue_corpus.wording import (
    QUESTIONS,
    Truth,
    absent_turn,
    can_say,
    follow_up_parts,
    interview,
    references,
)
from engine.motion.grid import Grid

_SHARES = (0.8, 0.9)
_SHORTEST_S, _LONGEST_S = 1.6, 5.0
_MARGIN_S = 0.5
_EACH = 3
_FAST = 1.5
_FULL, _COVER = 0.95, 3.0

Rng = np.random.Generator


def build_dialogues(folder: Path, seed: int) -> Counter[str]:
    """Writes `dialogues/{train,validation,test}.jsonl` from what the other stages wrote.

    Args:
        folder: of the other stages.
        seed: of the spans and of what is asked that is not there.

    Returns:
        Counts of dialogues by split, and of those without a target.

    Raises:
        BadInputError: a file of the stages before is missing or damaged.
        ResourceError: the disk is full.
    """
    reviewed = Reviewed(folder)
    kept = {(one.video, one.target) for one in read_checks(folder) if reviewed.keeps(one)}
    by_video: dict[str, dict[int, list[FrameRecord]]] = defaultdict(dict)
    for (video, target), records in grouped(read_frames(folder)):
        by_video[video][target] = records
    videos = read_videos(folder)
    splits = camera_splits(videos)
    made: dict[str, list[Dialogue]] = {split: [] for split in SPLITS}
    for about in videos:
        targets = by_video[about.name]
        for number in targets:
            if (about.name, number) in kept:
                rng = _rng(seed, about.name, number)
                made[splits[about.camera]] += _abnormal(about, number, targets, reviewed, rng)
        rng = _rng(seed, about.name, None)
        made[splits[about.camera]] += _normal(about, targets, reviewed, rng)
    for split, dialogues in made.items():
        path = folder / DIALOGUES / f"{split}.jsonl"
        write_lines(path, (one.as_json() for one in dialogues))
    counts = Counter({split: len(dialogues) for split, dialogues in made.items()})
    counts["normal"] = sum(one.target is None for all_ in made.values() for one in all_)
    counts["reviews heeded"], counts["reviews of what is gone"] = reviewed.used, reviewed.unused
    return counts


def _rng(seed: int, video: str, target: int | None) -> Rng:
    """Draws for one target alone, so that a verdict on another moves none of its spans."""
    number = 0 if target is None else target + 1
    return np.random.default_rng([seed, zlib.crc32(video.encode()), number])


def camera_splits(videos: Sequence[VideoAbout]) -> dict[str, str]:
    """Gives every camera one split, so that no scene is in two.

    A camera keeps the data set's own split where all its videos are in one; otherwise a hash of
    its name decides.
    """
    given: dict[str, set[str]] = defaultdict(set)
    for one in videos:
        given[one.camera].add(one.split)
    together = len({split for splits in given.values() for split in splits}) > 1
    out = {}
    for camera, splits in given.items():
        own = next(iter(splits))
        alone = together and len(splits) == 1 and own in SPLITS
        out[camera] = own if alone else _hashed(camera)
    return out


def _hashed(camera: str) -> str:
    place = int(hashlib.sha256(camera.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return SPLITS[int(np.searchsorted(_SHARES, place))]


def _abnormal(
    about: VideoAbout,
    number: int,
    targets: Mapping[int, Sequence[FrameRecord]],
    reviewed: Reviewed,
    rng: Rng,
) -> Iterator[Dialogue]:
    """Spans in which a target is the largest: the heatmap shows all, an answer is about one."""
    records = targets[number]
    frames = np.array([one.frame for one in records])
    for first, last in _spans(int(frames[0]), int(frames[-1]), about.fps, rng):
        start, stop = np.searchsorted(frames, [first, last + 1])
        drawn = records[start:stop]
        inside = reviewed.records(drawn)
        if len(drawn) < 2 or len(inside) < 2:
            continue
        if _largest(targets, drawn[len(drawn) // 2].frame) != number:
            continue
        span = drawn[0].frame, drawn[-1].frame
        yield from _dialogue(about, span, number, _truth(about, inside), reviewed, rng)


def _largest(targets: Mapping[int, Sequence[FrameRecord]], frame: int) -> int:
    """Returns the number of the target with the largest box in a sampled frame."""
    areas = {
        number: one.box.area for number, records in targets.items() for one in records
        if one.frame == frame
    }  # fmt: skip
    return max(areas, key=lambda one: areas[one])


def _normal(
    about: VideoAbout, targets: Mapping[int, Sequence[FrameRecord]], reviewed: Reviewed, rng: Rng
) -> Iterator[Dialogue]:
    """Spans that keep away from every target, those that were not kept included."""
    busy = np.zeros(about.frames, np.bool_)
    # A target may be there up to a step before it is sampled.
    margin = round(_MARGIN_S * about.fps) + about.step
    for records in targets.values():
        busy[max(0, records[0].frame - margin) : records[-1].frame + margin + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], busy, [True]]).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True):
        for span in _spans(begin, end, about.fps, rng):
            truth = Truth(None, about.place, about.grey, None)
            yield from _dialogue(about, span, None, truth, reviewed, rng)


def _dialogue(
    about: VideoAbout,
    span: tuple[int, int],
    target: int | None,
    truth: Truth,
    reviewed: Reviewed,
    rng: Rng,
) -> Iterator[Dialogue]:
    """Yields a dialogue, unless a person left nothing to say in it."""
    absent = str(rng.choice(list(ACTIONS))), int(rng.integers(16))
    parts = [turn.part for turn in _turns(truth, absent)]
    truth = replace(truth, said=reviewed.said(about.name, target, span, parts))
    turns = tuple(_turns(truth, absent))
    if interview(truth):
        yield Dialogue(about.name, about.camera, *span, target, asdict(truth), turns)


def _spans(begin: int, end: int, fps: float, rng: Rng) -> list[tuple[int, int]]:
    shortest, longest = round(_SHORTEST_S * fps), round(_LONGEST_S * fps)
    out: list[tuple[int, int]] = []
    for _ in range(_EACH):
        if end - begin < shortest:
            break
        length = int(rng.integers(shortest, min(longest, end - begin) + 1))
        first = int(rng.integers(begin, end - length + 1))
        if all(abs(first - one) > fps / 4 for one, _ in out):
            out.append((first, first + length))
    return sorted(out)


def _truth(about: VideoAbout, records: Sequence[FrameRecord]) -> Truth:
    told = timeline(records, about.fps, about.size)
    said = {
        name: commonest(values, told.frames)[0]
        for name, values in (("upper", told.upper), ("lower", told.lower),
                             ("said", told.appearances))
    }  # fmt: skip
    action, _ = commonest(told.actions, told.frames)
    classes = {words: name for name, words in ACTIONS.items()}
    return Truth(
        target=classes.get(action, action) or _moving(told.speed),
        layout=about.place,
        grey=about.grey,
        people=None,
        kind=commonest(told.kinds, told.frames)[0],
        appearance={name: words for name, words in said.items() if words},
        from_cell=records[0].cell,
        to_cell=records[-1].cell,
        direction=way(records, about.size),
    )


def _moving(speed: float) -> str:
    if speed < STILL:
        return "staying"
    return "moving fast" if speed > _FAST else "moving"


def _turns(truth: Truth, absent: tuple[str, int]) -> Iterator[Turn]:
    """Yields the interview, what follows, and a question about what is not there."""
    yield from interview(truth)
    for part in follow_up_parts(truth):
        if can_say(truth, part):
            yield Turn(part, QUESTIONS[part][0], references(truth, part))
    # Of a target whose action nobody named, what it does not do is not known either.
    known = truth.target is None or truth.target in ACTIONS
    if known and can_say(truth, "absent"):
        yield absent_turn(truth, *absent)


def heat_of(
    records: Sequence[FrameRecord], frames: Sequence[int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Returns the heatmaps of a perfect detector from masks, float32 [n, R, C].

    Args:
        records: of every abnormal target in the span.
        frames: of which the nearest sampled ones are taken.
        size: width and height of the frame.
    """
    settings = MotionSettings()
    grid = Grid.fit(*size, settings.analysis_area, settings.cell)
    out = np.zeros((len(frames), grid.rows, grid.columns), np.float32)
    sampled = np.unique([one.frame for one in records])
    for place, frame in enumerate(frames):
        if not len(sampled):
            break
        nearest = int(sampled[np.abs(sampled - frame).argmin()])
        mask = np.zeros((size[1], size[0]), np.float32)
        for one in records:
            if one.frame == nearest:
                box = one.box
                mask[box.y : box.y + box.h, box.x : box.x + box.w] += decode_mask(one.mask, box)
        cover = cv2.resize(np.minimum(mask, 1), (grid.columns, grid.rows),
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        out[place] = np.minimum(1, cover * _COVER) * _FULL
    return out
