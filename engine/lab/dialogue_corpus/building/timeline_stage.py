"""The second and third stage: timelines of targets, and verdicts on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from engine.core.errors import BadInputError
from engine.lab.dialogue_corpus.building.checks import check
from engine.lab.dialogue_corpus.building.timelines import timeline
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import (
    CHECKS,
    TIMELINES,
    Timeline,
    grouped,
    read_frames,
    read_timelines,
    read_videos,
)

_AGAIN = "run the stage frames again"


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
    write_lines(folder / f"{TIMELINES}.jsonl", (one.as_json() for one in made))
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
    write_lines(folder / f"{CHECKS}.jsonl", (one.as_json() for one in made))
    return counts
