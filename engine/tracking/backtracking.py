"""Follows a target back in time: where it came from, and which target it continues."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.geometry import box_iou
from engine.core.settings import TrackingSettings
from engine.tracking.target_state import Support, Target, TargetSample, TargetState, make_sample
from engine.tracking.tracking_block import CellBox, FrameMaps

# Choices, each to be judged by the benchmarks of tracking; none was measured by itself.
_MEETING_IOU = 0.3  # Boxes that overlap more meet.
_MIN_MEETING_FRAMES = 3  # Frames in which two must meet before they are taken for one.
_MIN_AGREEMENT = 0.5  # Share of the owner's later samples that must lie on the target's.


def trace_back(
    target: Target,
    history: Sequence[FrameMaps],
    others: Sequence[Target],
    settings: TrackingSettings,
    cell: int,
) -> tuple[list[TargetSample], Target | None]:
    """Follows a target's foreground back from its first sample.

    Args:
        target: what is followed.
        history: maps of the last seconds, ascending.
        others: targets that it may turn out to continue.
        settings: say for how long it is followed.
        cell: edge of a cell in analysis pixels.

    Returns:
        Its samples before the first one, ascending, and the target it continues, if any: then
        the samples begin after that one's last.
    """
    first = target.first
    state = TargetState.at(first, target.early_velocity())
    meetings = _Meetings(others)
    samples: list[TargetSample] = []
    supported = first.seconds
    for maps in reversed(history):
        if maps.frame >= first.frame:
            continue
        unseen, cold = supported - maps.seconds, first.seconds - maps.seconds
        if unseen > settings.bridge_seconds or cold > settings.follow_seconds:
            break
        box = state.predict(maps.seconds)
        blob = state.follow(maps, cell)
        if blob is not None:
            support = Support.FOLLOWED if blob.whole else Support.MERGED
            samples.append(make_sample(maps, blob, support))
            state.update(blob)
            supported = maps.seconds if blob.whole else supported
            box = blob.box
        elif state.left_frame(maps.shape):
            break
        owner = meetings.at(maps.frame, box)
        if owner is not None and _continues(target, owner):
            return [s for s in reversed(samples) if s.frame > owner.last.frame], owner
        if owner is not None:
            # The two came together: before they parted, the path is the other target's.
            break
    while samples and samples[-1].support == Support.MERGED:
        samples.pop()
    return samples[::-1], None


def join_target(owner: Target, target: Target, between: Sequence[TargetSample]) -> None:
    """Makes a target the continuation of its owner.

    Args:
        owner: the earlier one; it is changed.
        target: the later one.
        between: samples after the owner's last and before the target's first.
    """
    start = target.first.frame
    before = [sample for sample in owner.samples if sample.frame < start]
    owner.samples = [*before, *between, *target.samples]
    owner.state = target.state
    owner.hot_seconds += target.hot_seconds
    owner.last_hot = max(owner.last_hot, target.last_hot)
    owner.last_support = max(owner.last_support, target.last_support)
    owner.overlap_since = None


class _Meetings:
    """Counts in how many frames a path that is traced back lies on other targets' paths."""

    def __init__(self, others: Sequence[Target]) -> None:
        self._others = others
        self._boxes = [{s.frame: s.box for s in other.samples} for other in others]
        self._counts = [0] * len(others)

    def at(self, frame: int, box: CellBox) -> Target | None:
        for i, other in enumerate(self._others):
            other_box = self._boxes[i].get(frame)
            if other_box is None or box_iou(other_box, box) <= _MEETING_IOU:
                continue
            self._counts[i] += 1
            if self._counts[i] >= _MIN_MEETING_FRAMES or frame == other.last.frame:
                return other
        return None


def _continues(target: Target, owner: Target) -> bool:
    """Returns whether the owner did not go on elsewhere while the target was seen."""
    start = target.first.frame
    later = [s for s in owner.samples if s.frame >= start and s.support > Support.MERGED]
    return not later or owner.agreement(target.samples) >= _MIN_AGREEMENT * len(later)
