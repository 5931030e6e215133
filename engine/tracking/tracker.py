"""Tracks targets: assigns hot regions to them and follows them through the foreground."""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.optimize import linear_sum_assignment

from engine.core.findings import Trajectory
from engine.core.geometry import box_area, box_iou, shared_area
from engine.core.settings import TrackingSettings
from engine.motion.grid import Grid
from engine.tracking.backtracking import join_target, trace_back
from engine.tracking.blobs import Blob, centre_distance, fits, region_blob, same_blob, size_limit
from engine.tracking.regions import CutRegion, RegionLog, cut_cells
from engine.tracking.target_state import Support, Target, make_sample
from engine.tracking.tracking_block import FrameMaps, TrackingBlock, box_size
from engine.tracking.trajectories import TargetPath, make_path, number_paths

# Choices, each to be judged by the benchmarks of tracking; none was measured by itself.
_MAX_COST = 3.0  # A blob that costs more is another target: some three sizes away.
_NO_PAIR = 1e6  # A cost that the assignment never prefers to any possible one.
_HISTORY_MARGIN_S = 2.0  # Maps are held this much longer than a target is traced back.
_MIN_AREA_SHARE = 0.5  # A region smaller than this share of a target is a part of it.
_OVERLAP_IOU = 0.6  # Two targets that overlap more are one;
_OVERLAP_S = 0.4  # after this time the younger of them ends.
_INSIDE_SHARE = 0.5  # A blob of which more lies on a target, or the reverse, belongs to it.
_MIN_CANDIDATE_IOU = 0.05  # Below this overlap a blob must be near to be a candidate:
_MAX_APART = 0.6  # so many sizes away, and one more for each second out of sight.
_SPEED_FLOOR = 2.0  # Sizes a second that damp changes of velocity of slow targets.
_CHANGE_WEIGHT = 1.5  # What a change of velocity costs against distance in sizes.

_Candidate = tuple[Blob, Support]


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
        self._paths: list[TargetPath] = []
        self._started = 0

    def add(self, block: TrackingBlock) -> None:
        """Tracks the next frames.

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
            self._add_frame(maps.copy())

    def finish(self) -> list[Trajectory]:
        """Ends tracking.

        Returns:
            All trajectories, numbered from 1 in order of first frame.
        """
        for target in self._live:
            self._close(target)
        for target in self._closed:
            self._finish(target)
        self._live, self._closed = [], []
        self._history.clear()
        return number_paths(self._paths, self._grid)

    def _add_frame(self, maps: FrameMaps) -> None:
        step = maps.seconds - self._history[-1].seconds if self._history else 0.0
        self._remember(maps)
        self._end_lost(maps.seconds)
        weak = self._settings.region_score * self._settings.region_weak_share
        parts = cut_cells(maps.heat, weak) if bool((maps.heat >= weak).any()) else []
        hot = [part for part in parts if part.score >= self._settings.region_score]
        self.regions.add(maps.frame, maps.pts, hot)
        if not self._live and not hot:
            return
        blobs = self._blobs(maps, parts)
        for blob, support in self._continue(maps, blobs, step):
            if support == Support.HOT and not self._belongs(blob, maps):
                self._started += 1
                self._live.append(Target.start(self._started, make_sample(maps, blob, support)))
        self._confirm()
        self._end_overlaps(maps.seconds)
        self._end_outside(maps)

    def _remember(self, maps: FrameMaps) -> None:
        self._history.append(maps)
        oldest = maps.seconds - self._settings.follow_seconds - _HISTORY_MARGIN_S
        while self._history[0].seconds < oldest:
            self._history.popleft()
        for target in [t for t in self._closed if t.last.seconds < oldest]:
            self._closed.remove(target)
            self._finish(target)

    def _blobs(self, maps: FrameMaps, parts: list[CutRegion]) -> list[_Candidate]:
        """Finds the blobs behind regions, strongest first, each target once."""
        blobs: list[_Candidate] = []
        for part in sorted(parts, key=lambda part: -part.score):
            hot = part.score >= self._settings.region_score
            blob = region_blob(maps, self._grid.cell, part)
            if not any(same_blob(blob, other) for other, _ in blobs):
                blobs.append((blob, Support.HOT if hot else Support.WARM))
        return blobs

    def _continue(self, maps: FrameMaps, blobs: list[_Candidate], step: float) -> list[_Candidate]:
        """Finds every target in the next frame and returns the blobs that belong to none."""
        for target in self._live:
            target.state.predict(maps.seconds)
        blob_of = self._assign(blobs, maps.seconds)
        for i, target in enumerate(self._live):
            blob, support = None, Support.MERGED
            if i in blob_of:
                blob, support = blobs[blob_of[i]]
                blob = self._fit(target, blob, maps)
            else:
                blob = target.state.follow(maps, self._grid.cell)
                if blob is not None and blob.whole:
                    support = Support.FOLLOWED
            if blob is not None:
                target.add(make_sample(maps, blob, support), blob, step)
        assigned = set(blob_of.values())
        return [blob for j, blob in enumerate(blobs) if j not in assigned]

    def _fit(self, target: Target, blob: Blob, maps: FrameMaps) -> Blob:
        """Returns a region's blob, or the whole target where that is a part of it or a merger."""
        state = target.state
        is_part = box_area(blob.box) < _MIN_AREA_SHARE * box_area(state.box)
        if not is_part and fits(blob.box, size_limit(state.size)):
            return blob
        whole = state.follow(maps, self._grid.cell, size_limit(box_size(blob.box)))
        if whole is None:
            return blob
        state.shrink(box_size(blob.box))
        return whole

    def _assign(self, blobs: list[_Candidate], now: float) -> dict[int, int]:
        """Assigns blobs to targets at the smallest total cost; returns target -> blob, by index."""
        if not self._live or not blobs:
            return {}
        cost = np.full((len(self._live), len(blobs)), _NO_PAIR)
        for i, target in enumerate(self._live):
            for j, (blob, _) in enumerate(blobs):
                value = _cost(target, blob, now)
                cost[i, j] = value if value < _MAX_COST else _NO_PAIR
        rows, columns = linear_sum_assignment(cost)
        return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] < _NO_PAIR}

    def _belongs(self, blob: Blob, maps: FrameMaps) -> bool:
        """Returns whether a blob is part of a target that was found in this frame already."""
        for target in self._live:
            if target.last.frame == maps.frame:
                shared = shared_area(blob.box, target.last.box)
                if shared > _INSIDE_SHARE * min(box_area(blob.box), box_area(target.last.box)):
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
        """Ends the younger of two targets that have lain on one another for a while."""
        for target in list(self._live):
            if not any(_covers(other, target) for other in self._live):
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

    def _end_outside(self, maps: FrameMaps) -> None:
        """Ends targets that have left the frame."""
        for target in list(self._live):
            if target.last.frame != maps.frame and target.state.left_frame(maps.shape):
                self._live.remove(target)
                self._close(target)

    def _close(self, target: Target) -> None:
        target.trim()
        if target.confirmed and target.samples:
            self._closed.append(target)

    def _finish(self, target: Target) -> None:
        if any(sample.support == Support.HOT for sample in target.samples):
            self._paths.append(make_path(target.samples, self._grid))


def _cost(target: Target, blob: Blob, now: float) -> float:
    """Returns what it costs to take a blob for a target: distance and change of velocity.

    Both are measured in sizes of the target, and missing overlap is added.
    """
    state = target.state
    edge = state.edge
    unseen = now - target.last.seconds
    distance = centre_distance(state.box, blob.box) / edge
    iou = box_iou(state.box, blob.box)
    if iou < _MIN_CANDIDATE_IOU and distance > _MAX_APART + unseen:
        return _NO_PAIR
    velocity = state.motion.velocity
    change = float(np.hypot(blob.velocity[0] - velocity[0], blob.velocity[1] - velocity[1]))
    speed = max(float(np.hypot(*velocity)), float(np.hypot(*blob.velocity)))
    return distance + _CHANGE_WEIGHT * change / (speed + _SPEED_FLOOR * edge) + (1 - iou)


def _covers(elder: Target, target: Target) -> bool:
    """Returns whether an older target lies on a target and both were found in the same frame."""
    rank, other = (elder.confirmed, -elder.number), (target.confirmed, -target.number)
    return (
        rank > other
        and elder.last.frame == target.last.frame
        and box_iou(elder.last.box, target.last.box) > _OVERLAP_IOU
    )
