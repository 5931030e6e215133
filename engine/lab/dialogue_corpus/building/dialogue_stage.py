"""The last stage: dialogues about spans of the targets that passed, and about normal spans."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.lab.dialogue_corpus.answer_words import ACTIONS
from engine.lab.dialogue_corpus.building.applied_reviews import AppliedReviews
from engine.lab.dialogue_corpus.building.sighting_facts import STILL, overall_direction
from engine.lab.dialogue_corpus.building.timelines import commonest, make_timeline
from engine.lab.dialogue_corpus.files.dialogue_files import (
    DIALOGUES,
    SPLITS,
    CorpusDialogue,
    CorpusTurn,
)
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import (
    VideoRecord,
    read_checks,
    read_frames,
    read_videos,
    records_by_target,
)
from engine.lab.dialogue_corpus.span_limits import MAX_SPAN_S, MIN_SPAN_S, SPAN_MARGIN_S
from engine.lab.dialogue_corpus.true_heatmaps import analysis_grid, true_heatmap
from engine.lab.dialogue_corpus.wording import (
    QUESTIONS,
    SpanTruth,
    absent_turn,
    can_say,
    follow_up_parts,
    interview,
    references,
)

_SPLIT_ENDS = (0.8, 0.9)  # of the cameras, 80 % train, 10 % validate and 10 % test; a choice
_MAX_SPANS = 3  # of each target and of each normal stretch, so that none dominates; a choice
_FAST = 1.5  # sizes of a target a second from which on it is said to move fast; a choice

Rng = np.random.Generator


def build_dialogues(folder: Path, seed: int) -> Counter[str]:
    """Writes `dialogues/{train,validation,test}.jsonl` from what the other stages wrote.

    Args:
        folder: the folder of the other stages.
        seed: draws the spans and the absent actions that questions are about.

    Returns:
        Counts of dialogues by split, of those without a target, and of reviews.

    Raises:
        BadInputError: a file of the stages before is missing or damaged.
        ResourceError: the disk is full.
    """
    reviews = AppliedReviews(folder)
    passed = {(check.video, check.target) for check in read_checks(folder) if reviews.keeps(check)}
    by_video: dict[str, dict[int, list[FrameRecord]]] = defaultdict(dict)
    for (name, target), records in records_by_target(read_frames(folder)):
        by_video[name][target] = records
    videos = read_videos(folder)
    splits = camera_splits(videos)
    by_split: dict[str, list[CorpusDialogue]] = {split: [] for split in SPLITS}
    for video in videos:
        targets, dialogues = by_video[video.name], by_split[splits[video.camera]]
        for number in targets:
            if (video.name, number) in passed:
                rng = _rng(seed, video.name, number)
                dialogues += _abnormal_dialogues(video, number, targets, reviews, rng)
        dialogues += _normal_dialogues(video, targets, reviews, _rng(seed, video.name, None))
    counts: Counter[str] = Counter()
    for split, dialogues in by_split.items():
        path = folder / DIALOGUES / f"{split}.jsonl"
        write_lines(path, (dialogue.as_json() for dialogue in dialogues))
        counts[split] = len(dialogues)
        counts["normal"] += sum(dialogue.target is None for dialogue in dialogues)
    counts["reviews heeded"] = reviews.applied_count
    counts["reviews of what is gone"] = reviews.stale_count
    return counts


def _rng(seed: int, video: str, target: int | None) -> Rng:
    """Returns what draws for one target alone, so that no other target changes its spans."""
    number = 0 if target is None else target + 1
    return np.random.default_rng([seed, zlib.crc32(video.encode()), number])


def camera_splits(videos: Sequence[VideoRecord]) -> dict[str, str]:
    """Gives every camera one split, so that no scene is in two.

    A camera keeps the data set's own split where all its videos are in one; otherwise a hash of
    its name decides.
    """
    splits_of: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        splits_of[video.camera].add(video.split)
    has_several = len({split for splits in splits_of.values() for split in splits}) > 1
    chosen = {}
    for camera, splits in splits_of.items():
        own = next(iter(splits))
        keeps_own = has_several and len(splits) == 1 and own in SPLITS
        chosen[camera] = own if keeps_own else _hash_split(camera)
    return chosen


def _hash_split(camera: str) -> str:
    share = int(hashlib.sha256(camera.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return SPLITS[int(np.searchsorted(_SPLIT_ENDS, share))]


def _abnormal_dialogues(
    video: VideoRecord,
    number: int,
    targets: Mapping[int, Sequence[FrameRecord]],
    reviews: AppliedReviews,
    rng: Rng,
) -> Iterator[CorpusDialogue]:
    """Yields dialogues about spans in which a target is the largest.

    The heatmap shows all targets, but an answer is about one.
    """
    records = targets[number]
    frames = np.array([record.frame for record in records])
    for first, last in _spans(int(frames[0]), int(frames[-1]), video.fps, rng):
        start, stop = np.searchsorted(frames, [first, last + 1])
        in_span = records[start:stop]
        corrected = reviews.correct_records(in_span)
        if len(in_span) < 2 or len(corrected) < 2:
            continue
        if _largest(targets, in_span[len(in_span) // 2].frame) != number:
            continue
        span = in_span[0].frame, in_span[-1].frame
        yield from _dialogue(video, span, number, _truth(video, corrected), reviews, rng)


def _largest(targets: Mapping[int, Sequence[FrameRecord]], frame: int) -> int:
    """Returns the number of the target with the largest box in a sampled frame."""
    areas = {
        number: record.box.area
        for number, records in targets.items()
        for record in records
        if record.frame == frame
    }
    return max(areas, key=lambda number: areas[number])


def _normal_dialogues(
    video: VideoRecord,
    targets: Mapping[int, Sequence[FrameRecord]],
    reviews: AppliedReviews,
    rng: Rng,
) -> Iterator[CorpusDialogue]:
    """Yields dialogues about spans that keep away from every target, passed or not."""
    busy = np.zeros(video.frames, np.bool_)
    # A target may be there up to a step before it is sampled.
    margin = round(SPAN_MARGIN_S * video.fps) + video.step
    for records in targets.values():
        busy[max(0, records[0].frame - margin) : records[-1].frame + margin + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], busy, [True]]).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True):
        for span in _spans(begin, end, video.fps, rng):
            truth = SpanTruth(None, video.surroundings, video.grey, None)
            yield from _dialogue(video, span, None, truth, reviews, rng)


def _dialogue(
    video: VideoRecord,
    span: tuple[int, int],
    target: int | None,
    truth: SpanTruth,
    reviews: AppliedReviews,
    rng: Rng,
) -> Iterator[CorpusDialogue]:
    """Yields a dialogue, unless reviews left no turn of it."""
    absent = str(rng.choice(list(ACTIONS))), int(rng.integers(16))
    parts = [turn.part for turn in _turns(truth, absent)]
    answers = reviews.corrected_answers(video.name, target, span, parts)
    truth = replace(truth, corrected_answers=answers)
    turns = tuple(_turns(truth, absent))
    if interview(truth):
        yield CorpusDialogue(video.name, video.camera, *span, target, truth.as_json(), turns)


def _spans(begin: int, end: int, fps: float, rng: Rng) -> list[tuple[int, int]]:
    shortest, longest = round(MIN_SPAN_S * fps), round(MAX_SPAN_S * fps)
    spans: list[tuple[int, int]] = []
    for _ in range(_MAX_SPANS):
        if end - begin < shortest:
            break
        length = int(rng.integers(shortest, min(longest, end - begin) + 1))
        first = int(rng.integers(begin, end - length + 1))
        if all(abs(first - other) > fps / 4 for other, _ in spans):
            spans.append((first, first + length))
    return sorted(spans)


def _truth(video: VideoRecord, records: Sequence[FrameRecord]) -> SpanTruth:
    timeline = make_timeline(records, video.fps, video.size)
    appearance = {
        name: commonest(statements, timeline.frames)[0]
        for name, statements in (
            ("upper", timeline.upper),
            ("lower", timeline.lower),
            ("said", timeline.appearances),
        )
    }
    action, _ = commonest(timeline.actions, timeline.frames)
    classes = {words: name for name, words in ACTIONS.items()}
    return SpanTruth(
        target=classes.get(action, action) or _action_of_speed(timeline.speed),
        layout=video.surroundings,
        grey=video.grey,
        people=None,
        kind=commonest(timeline.kinds, timeline.frames)[0],
        appearance={name: words for name, words in appearance.items() if words},
        from_cell=records[0].cell,
        to_cell=records[-1].cell,
        direction=overall_direction(records, video.size),
    )


def _action_of_speed(speed: float) -> str:
    if speed < STILL:
        return "staying"
    return "moving fast" if speed > _FAST else "moving"


def _turns(truth: SpanTruth, absent: tuple[str, int]) -> Iterator[CorpusTurn]:
    """Yields the interview, what follows, and a question about what is not there."""
    yield from interview(truth)
    for part in follow_up_parts(truth):
        if can_say(truth, part):
            yield CorpusTurn(part, QUESTIONS[part][0], references(truth, part))
    # Where nobody named the action of a target, nobody knows what it does not do either.
    known = truth.target is None or truth.target in ACTIONS
    if known and can_say(truth, "absent"):
        yield absent_turn(truth, *absent)


def true_heat_from_masks(
    records: Sequence[FrameRecord], frames: Sequence[int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Returns the heatmaps of a perfect detector from masks, float32 [n, R, C].

    Args:
        records: the records of every abnormal target in the span.
        frames: frames of the span; the nearest sampled frame stands for each.
        size: width and height of the frame.
    """
    grid = analysis_grid(size)
    heatmaps = np.zeros((len(frames), grid.rows, grid.columns), np.float32)
    sampled = np.unique([record.frame for record in records])
    for index, frame in enumerate(frames):
        if not len(sampled):
            break
        nearest = int(sampled[np.abs(sampled - frame).argmin()])
        mask = np.zeros((size[1], size[0]), np.float32)
        for record in records:
            if record.frame == nearest:
                box = record.box
                of_target = decode_mask(record.mask, box)
                mask[box.y : box.y + box.h, box.x : box.x + box.w] += of_target
        heatmaps[index] = true_heatmap(np.minimum(mask, 1), grid)
    return heatmaps
