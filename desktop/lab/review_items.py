"""What there is to review in a folder of built dialogues, as rows and with what is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, CorpusDialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord
from engine.lab.dialogue_corpus.files.reviews import (
    ANSWER,
    RECORD_FIELDS,
    CorpusReview,
    CorpusReviews,
    ReviewSubject,
)
from engine.lab.dialogue_corpus.files.timeline_files import (
    KEPT,
    TargetCheck,
    TargetTimeline,
    VideoRecord,
    read_checks,
    read_frames,
    read_timelines,
    read_videos,
    records_by_target,
)

Target = tuple[str, int]
_NO_REVIEWS: Mapping[ReviewSubject, CorpusReview] = {}


@dataclass(frozen=True, eq=False)
class Item:
    """Something to review.

    Attributes:
        subject: what a review names.
        title: what is said.
        detail: of whom or in answer to what.
        fields: field -> what is said now, of what can be corrected.
        first: first frame that shows it.
        last: last frame, inclusive.
        doubted: whether the checks did not keep the target.
        doubts: why, in sentences.
    """

    subject: ReviewSubject
    title: str
    detail: str
    fields: Mapping[str, str]
    first: int
    last: int
    doubted: bool = False
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Material:
    """A folder of built dialogues.

    Attributes:
        folder: where it lies.
        root: the data set's folder, where the videos lie.
        videos: by name.
        records: by video and target, in order of frame.
        timelines: by video and target.
        items: everything to review: each target followed by its sentences, then the others.
        reviews: what people made of it so far.
    """

    folder: Path
    root: Path
    videos: Mapping[str, VideoRecord]
    records: Mapping[Target, list[FrameRecord]]
    timelines: Mapping[Target, TargetTimeline]
    items: tuple[Item, ...]
    reviews: CorpusReviews

    def path(self, video: str) -> Path:
        """Returns where a video lies."""
        return self.root / self.videos[video].path

    def target_of(self, item: Item) -> list[FrameRecord]:
        """Returns the records of the target an item is about; none without a target."""
        number = item.subject.target
        return [] if number is None else self.records.get((item.subject.video, number), [])


@dataclass
class _SentencesByTarget:
    """Sentences by what they are about."""

    by_target: dict[tuple[str, int | None], list[CorpusDialogue]] = field(default_factory=dict)

    def add(self, dialogues: Iterable[CorpusDialogue]) -> None:
        for dialogue in dialogues:
            self.by_target.setdefault((dialogue.video, dialogue.target), []).append(dialogue)


def load_material(
    folder: Path, root: Path, cancel: CancelToken, _progress: ProgressCallback
) -> Material:
    """Reads everything; takes a while for a large folder.

    Args:
        folder: that `dialogues build` wrote.
        root: the data set's folder.
        cancel: looked at between files.

    Raises:
        BadInputError: a stage is missing or damaged, or the videos do not lie there.
        CancelledError: it was asked to stop.
    """
    videos = {video.name: video for video in read_videos(folder)}
    lost = [video.path for video in videos.values() if not (root / video.path).exists()]
    if videos and len(lost) == len(videos):
        raise BadInputError(
            f"no {lost[0]} in it", root, "choose the folder that was given with --root"
        )
    cancel.check()
    records = dict(records_by_target(read_frames(folder)))
    cancel.check()
    timelines = {(timeline.video, timeline.target): timeline for timeline in read_timelines(folder)}
    gathered = _SentencesByTarget()
    for split in SPLITS:
        gathered.add(read_dialogues(folder, split))
        cancel.check()
    reviews = CorpusReviews(folder)
    checks = read_checks(folder)
    items = tuple(_items(checks, records, gathered, reviews.standing))
    known = tuple(item for item in items if item.subject.video in videos)
    return Material(folder, root, videos, records, timelines, known, reviews)


def _items(
    checks: Iterable[TargetCheck],
    records: Mapping[Target, list[FrameRecord]],
    gathered: _SentencesByTarget,
    standing: Mapping[ReviewSubject, CorpusReview],
) -> Iterator[Item]:
    there: set[ReviewSubject] = set()
    of_frames = [item for item in standing if item.kind == "frame"]
    for check in checks:
        key = (check.video, check.target)
        if key not in records:
            continue
        yield _of_target(check, records[key])
        for frame in of_frames:
            if (frame.video, frame.target) == key:
                yield frame_item(frame)
        for item in _sentences(gathered.by_target.pop(key, [])):
            there.add(item.subject)
            yield item
    for dialogues in gathered.by_target.values():
        for item in _sentences(dialogues):
            there.add(item.subject)
            yield item
    # What a person left out is in no dialogue any more, and can still be taken in again.
    for subject in standing:
        if subject.kind == "sentence" and subject not in there:
            yield _left_out(subject)


def frame_item(subject: ReviewSubject) -> Item:
    """Returns the item of one frame of a target."""
    frame = subject.first or 0
    title = f"Frame {frame:,} of target {subject.target}"
    return Item(subject, title, subject.video, {}, frame, frame)


def _of_target(check: TargetCheck, records: list[FrameRecord]) -> Item:
    attributes = {name: _commonest(records, name) for name in RECORD_FIELDS}
    words = [attributes["appearance"] or _clothes(attributes), attributes["action"]]
    kind = attributes["kind"].capitalize() or "Target"
    title = " · ".join([f"{kind} {check.target}", *(word for word in words if word)])
    detail = f"{check.video} · {check.verdict} by the checks"
    return Item(
        ReviewSubject("target", check.video, check.target), title, detail, attributes,
        records[0].frame, records[-1].frame, check.verdict != KEPT,
        tuple(reason.text for reason in check.reasons),
    )  # fmt: skip


def _clothes(attributes: Mapping[str, str]) -> str:
    parts = [
        f"{attributes[name]} {where}"
        for name, where in (("upper", "above"), ("lower", "below"))
        if attributes[name]
    ]
    return ", ".join(parts)


def _commonest(records: list[FrameRecord], name: str) -> str:
    measured = name in ("upper", "lower")
    values = [
        getattr(record, name) if measured else (record.description or {}).get(name)
        for record in records
    ]
    counted = Counter(value for value in values if value)
    return counted.most_common(1)[0][0] if counted else ""


def _sentences(dialogues: Iterable[CorpusDialogue]) -> Iterator[Item]:
    for dialogue in dialogues:
        for turn in dialogue.turns:
            subject = ReviewSubject(
                "sentence",
                dialogue.video,
                dialogue.target,
                dialogue.first,
                dialogue.last,
                turn.part,
            )
            whom = "no target" if dialogue.target is None else f"target {dialogue.target}"
            frames = f"frames {dialogue.first}–{dialogue.last}"
            detail = f"{turn.question} · {dialogue.video}, {whom}, {frames}"
            # What is not there is one of many; a correction would be about another question.
            fields = {} if turn.part == "absent" else {ANSWER: turn.references[0]}
            yield Item(subject, turn.references[0], detail, fields, dialogue.first, dialogue.last)


def _left_out(subject: ReviewSubject) -> Item:
    first, last = subject.first or 0, subject.last or 0
    detail = f"{subject.video}, frames {first}–{last}"
    return Item(subject, f"({subject.part}: not said any more)", detail, {}, first, last)
