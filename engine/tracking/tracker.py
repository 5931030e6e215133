"""Follows what stands out: hot regions assigned to targets, targets followed by foreground."""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.optimize import linear_sum_assignment

from engine.core.findings import Trajectory
from engine.core.settings import TrackingSettings
from engine.motion.grid import Grid
from engine.tracking.backtracking import join_target, trace_back
from engine.tracking.blobs import Blob, centre_distance, fits, region_blob, same_blob, size_limit
from engine.tracking.regions import CutRegion, RegionLog, cut_cells
from engine.tracking.target_state import Support, Target, make_sample
from engine.tracking.tracking_block import (
    FrameMaps,
    TrackingBlock,
    box_area,
    box_iou,
    box_shared,
    box_size,
)
from engine.tracking.trajectories import Path, make_path, number_paths

_GATE = 3.0
_FAR = 1e6
_HISTORY_SPARE_S = 2.0
_LEAST_PART = 0.5
_OVERLAP = 0.6
_OVERLAP_S = 0.4

_Found = tuple[Blob, Support]


class Tracker:
    """Turns the maps of consecutive frames into trajectories.

    Memory holds the maps of the last seconds, the targets that are still followed, and the
    finished trajectories and regions in compact form. The result does not depend on how the
    frames are cut into blocks.
    """

    def __init__(self, grid: Grid, settings: TrackingSettings) -> None:
        self.regions = RegionLog(grid)
        self._grid = grid
        self._settings = settings
        self._history: deque[FrameMaps] = deque()
        self._live: list[Target] = []
        self._closed: list[Target] = []
        self._paths: list[Path] = []
        self._born = 0

    def add(self, block: TrackingBlock) -> None:
        """Takes in the next frames.

        Args:
            block: their maps; frames follow those added before.

        Raises:
            ValueError: the maps do not fit the grid, or frames do not ascend.
        """
        if block.heat.shape != (len(block), self._grid.rows, self._grid.columns):
            raise ValueError(f"maps {block.heat.shape} do not fit the grid")
        for maps in block:
            if self._history and maps.seconds <= self._history[-1].seconds:
                raise ValueError(f"frame {maps.frame} does not follow the frames before it")
            self._frame(maps.kept())

    def finish(self) -> list[Trajectory]:
        """Ends tracking.

        Returns:
            All trajectories, numbered from 1 in order of first frame.
        """
        for target in self._live:
            self._close(target)
        for target in self._closed:
            self._keep(target)
        self._live, self._closed = [], []
        self._history.clear()
        return number_paths(self._paths, self._grid)

    def _frame(self, maps: FrameMaps) -> None:
        step = maps.seconds - self._history[-1].seconds if self._history else 0.0
        self._remember(maps)
        self._end_lost(maps.seconds)
        weak = self._settings.region_score * self._settings.region_weak_share
        parts = cut_cells(maps.heat, weak) if bool((maps.heat >= weak).any()) else []
        hot = [part for part in parts if part.score >= self._settings.region_score]
        self.regions.add(maps.frame, maps.pts, hot)
        if not self._live and not hot:
            return
        found = self._blobs(maps, parts)
        free = self._continue(maps, found, step)
        for blob, support in free:
            if support == Support.HOT and not self._belongs(blob, maps):
                self._born += 1
                self._live.append(Target.born(self._born, make_sample(maps, blob, support)))
        self._confirm()
        self._end_overlaps(maps.seconds)
        self._end_gone(maps)

    def _remember(self, maps: FrameMaps) -> None:
        self._history.append(maps)
        oldest = maps.seconds - self._settings.follow_seconds - _HISTORY_SPARE_S
        while self._history[0].seconds < oldest:
            self._history.popleft()
        for target in [t for t in self._closed if t.last.seconds < oldest]:
            self._closed.remove(target)
            self._keep(target)

    def _blobs(self, maps: FrameMaps, parts: list[CutRegion]) -> list[_Found]:
        """Finds what the regions stand for, strongest first, each target once."""
        found: list[_Found] = []
        for part in sorted(parts, key=lambda part: -part.score):
            hot = part.score >= self._settings.region_score
            blob = region_blob(maps, self._grid.cell, part)
            if not any(same_blob(blob, other) for other, _ in found):
                found.append((blob, Support.HOT if hot else Support.WARM))
        return found

    def _continue(self, maps: FrameMaps, found: list[_Found], step: float) -> list[_Found]:
        """Moves every target on and returns the blobs that are nobody's."""
        for target in self._live:
            target.course.move(maps.seconds)
        pairs = self._assign(found, maps.seconds)
        for i, target in enumerate(self._live):
            blob, support = None, Support.MERGED
            if i in pairs:
                blob, support = found[pairs[i]]
                blob = self._fitted(target, blob, maps)
            else:
                blob = target.course.follow(maps, self._grid.cell)
                if blob is not None and blob.whole:
                    support = Support.FOLLOWED
            if blob is not None:
                target.add(make_sample(maps, blob, support), blob, step)
        taken = set(pairs.values())
        return [item for j, item in enumerate(found) if j not in taken]

    def _fitted(self, target: Target, blob: Blob, maps: FrameMaps) -> Blob:
        """Returns the blob of a region, or the target around it when it is a part or a merger."""
        course = target.course
        part = box_area(blob.box) < _LEAST_PART * box_area(course.box)
        if not part and fits(blob.box, size_limit(course.size)):
            return blob
        around = course.follow(maps, self._grid.cell, size_limit(box_size(blob.box)))
        if around is None:
            return blob
        course.shrink(box_size(blob.box))
        return around

    def _assign(self, found: list[_Found], now: float) -> dict[int, int]:
        """Assigns blobs to targets at the least total cost; returns target -> blob."""
        if not self._live or not found:
            return {}
        cost = np.full((len(self._live), len(found)), _FAR)
        for i, target in enumerate(self._live):
            for j, (blob, _) in enumerate(found):
                value = _cost(target, blob, now)
                cost[i, j] = value if value < _GATE else _FAR
        rows, columns = linear_sum_assignment(cost)
        return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] < _FAR}

    def _belongs(self, blob: Blob, maps: FrameMaps) -> bool:
        """Whether a blob is part of a target that is already followed in this frame."""
        for target in self._live:
            if target.last.frame == maps.frame:
                shared = box_shared(blob.box, target.last.box)
                if shared > 0.5 * min(box_area(blob.box), box_area(target.last.box)):
                    return True
        return False

    def _confirm(self) -> None:
        for target in list(self._live):
            if target.confirmed or target.hot_seconds < self._settings.trajectory_least_seconds:
                continue
            target.confirmed = True
            others = [t for t in self._closed + self._live if t is not target and t.confirmed]
            earlier, owner = trace_back(
                target, list(self._history), others, self._settings, self._grid.cell
            )
            if owner is None:
                target.samples[:0] = earlier
                continue
            join_target(owner, target, earlier)
            self._live.remove(target)
            if owner in self._closed:
                self._closed.remove(owner)
            if owner not in self._live:
                self._live.append(owner)

    def _end_overlaps(self, now: float) -> None:
        """Ends the younger of two targets that have been one for a while."""
        for target in list(self._live):
            elder = next((t for t in self._live if _covers(t, target)), None)
            if elder is None:
                target.overlap_since = None
            elif target.overlap_since is None:
                target.overlap_since = now
            elif now - target.overlap_since >= _OVERLAP_S:
                since = target.overlap_since
                target.samples = [s for s in target.samples if s.seconds < since]
                self._live.remove(target)
                self._close(target)

    def _end_lost(self, now: float) -> None:
        """Ends targets that were not seen for too long, or stood out too long ago."""
        for target in list(self._live):
            unseen, cold = now - target.last_support, now - target.last_hot
            if unseen > self._settings.bridge_seconds or cold > self._settings.follow_seconds:
                self._live.remove(target)
                self._close(target)

    def _end_gone(self, maps: FrameMaps) -> None:
        """Ends targets that have left the picture."""
        for target in list(self._live):
            if target.last.frame != maps.frame and target.course.gone(maps.shape):
                self._live.remove(target)
                self._close(target)

    def _close(self, target: Target) -> None:
        target.trim()
        if target.confirmed and target.samples:
            self._closed.append(target)

    def _keep(self, target: Target) -> None:
        if any(sample.support == Support.HOT for sample in target.samples):
            self._paths.append(make_path(target.samples, self._grid))


def _cost(target: Target, blob: Blob, now: float) -> float:
    """Cost of a blob being a target's next place: distance and change of velocity in its sizes."""
    course = target.course
    edge = course.edge
    unseen = now - target.last.seconds
    distance = centre_distance(course.box, blob.box) / edge
    iou = box_iou(course.box, blob.box)
    if iou < 0.05 and distance > 0.6 + unseen:
        return _FAR
    velocity = course.motion.velocity
    change = float(np.hypot(blob.velocity[0] - velocity[0], blob.velocity[1] - velocity[1]))
    speed = max(float(np.hypot(*velocity)), float(np.hypot(*blob.velocity)))
    return distance + 1.5 * change / (speed + 2.0 * edge) + (1 - iou)


def _covers(elder: Target, target: Target) -> bool:
    """Whether an older target lies on a target and both are seen there now."""
    rank, other = (elder.confirmed, -elder.number), (target.confirmed, -target.number)
    return (
        rank > other
        and elder.last.frame == target.last.frame
        and box_iou(elder.last.box, target.last.box) > _OVERLAP
    )
