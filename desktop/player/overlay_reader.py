"""Reads from the case what lies over a frame; belongs to the frame thread."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from desktop.player.frame_requests import (
    NOTHING_OVER,
    FrameOverlay,
    FrameSource,
    ShownPath,
    ShownRegion,
)
from engine.case import Case, HeatBlock
from engine.core.channels import CHANNELS, FUSED
from engine.core.files import Closing
from engine.core.findings import Trajectory

_TRAIL_S = 4.0  # seconds of a path that are drawn before and after the frame
_MAX_TRAJECTORIES = 64  # trajectories kept in memory, those of a few minutes of footage
_REGION_BLOCK = 128  # frames whose regions are read at once, about five seconds


class OverlayReader(Closing):
    """Gives heat, regions and paths of any frame of one run, keeping what is around it."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._case: Case | None = None
        self._channel = ""
        self._heat: HeatBlock | None = None
        self._heat_until = -1
        self._block = -1
        self._regions: dict[int, list[ShownRegion]] = {}
        self._trajectories: OrderedDict[int, Trajectory] = OrderedDict()
        summaries = source.trajectories
        self._starts = np.array([summary.start_s for summary in summaries], np.float64)
        self._ends = np.array([summary.end_s for summary in summaries], np.float64)

    def at(self, frame: int, seconds: float) -> FrameOverlay:
        """Returns what lies over a frame.

        Raises:
            SightlineError: the case cannot be read.
        """
        case, run_id = self._open(), self._source.run_id
        if case is None or run_id is None:
            return NOTHING_OVER
        return FrameOverlay(
            self._heat_at(case, run_id, frame),
            tuple(self._regions_at(case, run_id, frame)),
            tuple(self._paths_at(case, frame, seconds)),
        )

    def heat_of(self, first: int, last: int, max_frames: int) -> list[NDArray[np.uint8]]:
        """Returns up to `max_frames` heatmaps spread over a span, each uint8 [R, C]."""
        case, run_id = self._open(), self._source.run_id
        if case is None or run_id is None:
            return []
        frames = np.unique(np.linspace(first, last, max_frames).astype(np.int64))
        maps = [self._heat_at(case, run_id, int(frame)) for frame in frames]
        return [heat for heat in maps if heat is not None]

    def path(self, trajectory_id: int, first: int, last: int) -> NDArray[np.float32]:
        """Returns the path of a trajectory within a span, float32 [n, 2]."""
        case = self._open()
        if case is None:
            return np.zeros((0, 2), np.float32)
        trajectory = self._trajectory(case, trajectory_id)
        inside = (trajectory.frames >= first) & (trajectory.frames <= last)
        return _feet(trajectory.boxes[inside])

    def close(self) -> None:
        """Closes the connection to the case."""
        if self._case is not None:
            self._case.close()
            self._case = None

    def _open(self) -> Case | None:
        if self._case is None and self._source.case is not None:
            self._case = Case.open(self._source.case)
            if self._source.run_id is not None:
                stored = self._case.results.heat_channels(self._source.run_id)
                preferred = (self._source.channel, FUSED, *CHANNELS)
                self._channel = next((name for name in preferred if name in stored), "")
        return self._case

    def _heat_at(self, case: Case, run_id: int, frame: int) -> NDArray[np.uint8] | None:
        if not self._channel:
            return None
        block = self._heat
        if block is None or not int(block.frames[0]) <= frame <= self._heat_until:
            block = self._heat = case.results.heat(run_id, self._channel, frame)
            if block is not None:
                step = int(block.frames[1] - block.frames[0]) if len(block.frames) > 1 else 1
                self._heat_until = int(block.frames[-1]) + step - 1
        return None if block is None else block.at(frame)

    def _regions_at(self, case: Case, run_id: int, frame: int) -> list[ShownRegion]:
        block = frame // _REGION_BLOCK
        if block != self._block:
            first = block * _REGION_BLOCK
            self._regions = {}
            for row in case.results.regions(run_id, first, first + _REGION_BLOCK - 1):
                region = row.region
                overlay_region = ShownRegion(region.box, region.score, region.trajectory)
                self._regions.setdefault(region.frame, []).append(overlay_region)
            self._block = block
        return self._regions.get(frame, [])

    def _paths_at(self, case: Case, frame: int, seconds: float) -> list[ShownPath]:
        alive = np.flatnonzero((self._starts <= seconds + 1e-6) & (self._ends >= seconds - 1e-6))
        paths = []
        for index in alive.tolist():
            summary = self._source.trajectories[index]
            trajectory = self._trajectory(case, summary.id)
            until = int(np.searchsorted(trajectory.frames, frame, side="right"))
            span = max(1e-9, summary.end_s - summary.start_s)
            frames_a_second = (int(trajectory.frames[-1]) - int(trajectory.frames[0])) / span
            reach = max(2.0, _TRAIL_S * frames_a_second)
            since = int(np.searchsorted(trajectory.frames, frame - reach))
            if until - since >= 2:
                ages = (frame - trajectory.frames[since:until]) / reach
                points = _feet(trajectory.boxes[since:until])
                paths.append(ShownPath(summary.number, points, ages.astype(np.float32)))
        return paths

    def _trajectory(self, case: Case, trajectory_id: int) -> Trajectory:
        trajectory = self._trajectories.get(trajectory_id)
        if trajectory is None:
            trajectory = case.results.trajectory(trajectory_id).trajectory
            self._trajectories[trajectory_id] = trajectory
            if len(self._trajectories) > _MAX_TRAJECTORIES:
                self._trajectories.popitem(last=False)
        else:
            self._trajectories.move_to_end(trajectory_id)
        return trajectory


def _feet(boxes: NDArray[np.int32]) -> NDArray[np.float32]:
    """Returns where targets stand: the middle of the lower edge of each box."""
    x = boxes[:, 0] + boxes[:, 2] / 2
    y = boxes[:, 1] + boxes[:, 3]
    return np.stack([x, y], axis=1).astype(np.float32)
