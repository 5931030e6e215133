"""The second and third stage: timelines of targets, and verdicts on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from engine.core.errors import BadInputError
from engine.lab.dialogue_corpus.building.checks import check
from engine.lab.dialogue_corpus.building.timelines import make_timeline
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import (
    CHECKS,
    TIMELINES,
    TargetTimeline,
    read_frames,
    read_timelines,
    read_videos,
    records_by_target,
)

_AGAIN = "run the stage frames again"


def build_timelines(folder: Path) -> Counter[str]:
    """Writes `timelines.jsonl` from `frames.jsonl`.

    Raises:
        BadInputError: a file of the stage before is missing or damaged.
        ResourceError: the disk is full.
    """
    videos = {record.name: record for record in read_videos(folder)}

    def link_targets() -> Iterator[TargetTimeline]:
        for (video, _), records in records_by_target(read_frames(folder)):
            if video not in videos:
                raise BadInputError("frames of a video that is not named", video, _AGAIN)
            yield make_timeline(records, videos[video].fps, videos[video].size)

    timelines = list(link_targets())
    write_lines(folder / f"{TIMELINES}.jsonl", (timeline.as_json() for timeline in timelines))
    return Counter(timelines=len(timelines))


def build_checks(folder: Path) -> Counter[str]:
    """Writes `checks.jsonl`: a verdict on each target.

    Returns:
        Counts by verdict, and by reason as `reason: CODE`.

    Raises:
        BadInputError: a file of the stages before is missing or damaged.
        ResourceError: the disk is full.
    """
    records = dict(records_by_target(read_frames(folder)))
    sizes = {record.name: record.size for record in read_videos(folder)}
    counts: Counter[str] = Counter()
    checks = []
    for timeline in read_timelines(folder):
        key = timeline.video, timeline.target
        if key not in records or timeline.video not in sizes:
            raise BadInputError("a timeline without frames", timeline.video, _AGAIN)
        target_check = check(timeline, records[key], sizes[timeline.video])
        checks.append(target_check)
        counts[target_check.verdict] += 1
        counts += Counter({f"reason: {reason.code}" for reason in target_check.reasons})
    write_lines(folder / f"{CHECKS}.jsonl", (target_check.as_json() for target_check in checks))
    return counts
