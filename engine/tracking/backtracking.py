"""Back in time: where a target came from before it stood out, and whose it was."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.settings import TrackingSettings
from engine.tracking.target_state import Course, Sample, Support, Target, make_sample
from engine.tracking.tracking_block import CellBox, FrameMaps, box_iou

_MEETING = 0.3
_MEETING_FRAMES = 3
_SAME_SHARE = 0.5


def trace_back(
    target: Target,
    history: Sequence[FrameMaps],
    others: Sequence[Target],
    settings: TrackingSettings,
    cell: int,
) -> tuple[list[Sample], Target | None]:
    """Follows a target's foreground back from its first sample.

    Args:
        target: what is followed.
        history: maps of the last seconds, ascending.
        others: targets it may turn out to be the continuation of.
        settings: for how long.
        cell: edge of a cell in analysis pixels.

    Returns:
        Its samples before the first one, ascending, and the target it continues, if any: then
        the samples begin after that one's last.
    """
    first = target.first
    course = Course.of(first, target.early_velocity())
    meetings = _Meetings(others)
    samples: list[Sample] = []
    supported = first.seconds
    for maps in reversed(history):
        if maps.frame >= first.frame:
            continue
        unseen, cold = supported - maps.seconds, first.seconds - maps.seconds
        if unseen > settings.bridge_seconds or cold > settings.follow_seconds:
            break
        box = course.move(maps.seconds)
        blob = course.follow(maps, cell)
        if blob is not None:
            support = Support.FOLLOWED if blob.whole else Support.MERGED
            samples.append(make_sample(maps, blob, support))
            course.take(blob)
            supported = maps.seconds if blob.whole else supported
            box = blob.box
        elif course.gone(maps.shape):
            break
        owner = meetings.at(maps.frame, box)
        if owner is not None and _continues(target, owner):
            return [s for s in reversed(samples) if s.frame > owner.last.frame], owner
        if owner is not None:
            # Two that came as one: before they parted the way is the other's.
            break
    while samples and samples[-1].support == Support.MERGED:
        samples.pop()
    return samples[::-1], None


def join_target(owner: Target, target: Target, between: Sequence[Sample]) -> None:
    """Makes a target the continuation of its owner.

    Args:
        owner: the earlier one; it is changed.
        target: the later one.
        between: samples after the owner's last and before the target's first.
    """
    start = target.first.frame
    before = [sample for sample in owner.samples if sample.frame < start]
    owner.samples = [*before, *between, *target.samples]
    owner.course = target.course
    owner.hot_seconds += target.hot_seconds
    owner.last_hot = max(owner.last_hot, target.last_hot)
    owner.last_support = max(owner.last_support, target.last_support)
    owner.overlap_since = None


class _Meetings:
    """Notices when a path that is traced back keeps lying on another target's path."""

    def __init__(self, others: Sequence[Target]) -> None:
        self._others = others
        self._boxes = [{s.frame: s.box for s in other.samples} for other in others]
        self._count = [0] * len(others)

    def at(self, frame: int, box: CellBox) -> Target | None:
        for i, other in enumerate(self._others):
            there = self._boxes[i].get(frame)
            if there is None or box_iou(there, box) <= _MEETING:
                continue
            self._count[i] += 1
            if self._count[i] >= _MEETING_FRAMES or frame == other.last.frame:
                return other
        return None


def _continues(target: Target, owner: Target) -> bool:
    """Whether the owner did not go on elsewhere while the target was seen."""
    start = target.first.frame
    later = [s for s in owner.samples if s.frame >= start and s.support > Support.MERGED]
    return not later or owner.agreement(target.samples) >= _SAME_SHARE * len(later)
