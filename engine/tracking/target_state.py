"""A target while it is followed: where it was found, and where it is expected next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from engine.core.geometry import box_area, box_iou
from engine.tracking.blobs import Blob, find_blob, size_limit
from engine.tracking.kalman import CentreFilter
from engine.tracking.tracking_block import CellBox, FrameMaps, box_around, box_centre, box_size

# Choices, each to be judged by the benchmarks of tracking; none was measured by itself.
_SIZE_STEP = 0.3  # Share of a measured size that goes into the running size.
_SHRINK_STEP = 0.05  # Likewise for a smaller region: a target seldom becomes smaller at once.
_SAME_BOX_IOU = 0.3  # Boxes of one frame that overlap more belong to the same target.
_MIN_AREA_SHARE = 0.25  # Less foreground than this share of the known size is a part of the target.
_MIN_SPEED_SHARE = 0.5  # Foreground slower than this share of the recent speed is somebody else's.
_RECENT_S = 0.7  # Time over which the recent speed is averaged.
_MIN_VISIBLE_SHARE = 0.25  # A target of which less is inside the frame has left it.
_MAX_STEP_S = 0.5  # A gap between frames counts no longer than this as time in which it stood out.
_VELOCITY_SAMPLES = 5  # First samples whose median velocity starts the way back in time.


class Support(IntEnum):
    """What a sample of a target rests on, weakest first."""

    MERGED = 0
    FOLLOWED = 1
    WARM = 2
    HOT = 3


@dataclass(frozen=True)
class TargetSample:
    """A target in one frame.

    Attributes:
        frame: index of the frame.
        pts: its PTS.
        seconds: its stream time.
        box: in cells.
        velocity: measured, cells a second.
        score: largest score in the box.
        speed_ratio: mean speed of its foreground in times of the usual; NaN when unknown.
        support: what the box rests on.
    """

    frame: int
    pts: int
    seconds: float
    box: CellBox
    velocity: tuple[float, float]
    score: float
    speed_ratio: float
    support: Support


def make_sample(maps: FrameMaps, blob: Blob, support: Support) -> TargetSample:
    """Makes a sample of a blob in a frame."""
    return TargetSample(
        maps.frame,
        maps.pts,
        maps.seconds,
        blob.box,
        blob.velocity,
        maps.score(blob.box),
        maps.speed_ratio(blob.box),
        support,
    )


@dataclass
class TargetState:
    """What is known of a target at one stream time, which may go forward or backward.

    Attributes:
        seconds: the stream time.
        motion: filter of its centre.
        size: width and height in cells.
        known_size: the size when a region last confirmed it; followed foreground cannot grow on
            and on.
        recent_speed: its speed over the last moments, cells a second; someone who walks to where
            someone ran away is not followed as if it were the same.
        last_seen_s: stream time at which it was last found.
    """

    seconds: float
    motion: CentreFilter
    size: tuple[float, float]
    known_size: tuple[float, float]
    recent_speed: float
    last_seen_s: float

    @classmethod
    def at(cls, sample: TargetSample, velocity: tuple[float, float]) -> TargetState:
        """Returns the state at a sample with a velocity in cells a second."""
        return cls(
            sample.seconds,
            CentreFilter(box_centre(sample.box), velocity),
            box_size(sample.box),
            box_size(sample.box),
            float(np.hypot(*velocity)),
            sample.seconds,
        )

    @property
    def box(self) -> CellBox:
        """The estimated box of the target, in cells."""
        return box_around(self.motion.centre, self.size)

    @property
    def edge(self) -> float:
        """Mean of width and height, in cells."""
        return (self.size[0] + self.size[1]) / 2

    def predict(self, seconds: float) -> CellBox:
        """Goes to a stream time and returns the box that is expected there."""
        self.motion.predict(seconds - self.seconds, self.edge)
        self.seconds = seconds
        return self.box

    def update(self, blob: Blob, certain: bool = False) -> None:
        """Corrects the state by where the target was found.

        Args:
            blob: where it was found.
            certain: whether a region confirms it.
        """
        self.motion.update(box_centre(blob.box), blob.velocity, self.edge)
        step = min(1.0, abs(self.seconds - self.last_seen_s) / _RECENT_S)
        self.recent_speed += step * (float(np.hypot(*blob.velocity)) - self.recent_speed)
        self.last_seen_s = self.seconds
        if blob.whole:
            width, height = box_size(blob.box)
            self.size = (
                self.size[0] + _SIZE_STEP * (width - self.size[0]),
                self.size[1] + _SIZE_STEP * (height - self.size[1]),
            )
        if certain:
            self.known_size = self.size

    def shrink(self, size: tuple[float, float]) -> None:
        """Approaches the smaller size of a region slowly; a larger one changes nothing."""
        self.size = (
            self.size[0] + _SHRINK_STEP * min(0.0, size[0] - self.size[0]),
            self.size[1] + _SHRINK_STEP * min(0.0, size[1] - self.size[1]),
        )

    def follow(
        self, maps: FrameMaps, cell: int, limit: tuple[float, float] | None = None
    ) -> Blob | None:
        """Finds its foreground in a frame; None when it is not there or too slow.

        Args:
            maps: of the frame.
            cell: edge of a cell in analysis pixels.
            limit: largest size in cells; that of its last certain size when None.
        """
        limit = limit or size_limit(self.known_size)
        blob = find_blob(maps, cell, self.box, self.motion.velocity, limit)
        if blob is None or float(np.hypot(*blob.velocity)) < _MIN_SPEED_SHARE * self.recent_speed:
            return None
        x0, y0, x1, y1 = blob.box
        rows, columns = maps.shape
        at_edge = x0 <= 0 or y0 <= 0 or x1 >= columns or y1 >= rows
        if (
            not at_edge
            and box_area(blob.box) < _MIN_AREA_SHARE * self.known_size[0] * self.known_size[1]
        ):
            return Blob(
                box_around(box_centre(blob.box), self.size), blob.velocity, blob.mass, False
            )
        return blob

    def left_frame(self, shape: tuple[int, int]) -> bool:
        """Returns whether it must have left a frame of rows x columns cells."""
        x0, y0, x1, y1 = self.box
        inside = (max(0.0, x0), max(0.0, y0), min(x1, shape[1]), min(y1, shape[0]))
        return box_area(inside) < _MIN_VISIBLE_SHARE * box_area(self.box)


@dataclass
class Target:
    """Something that stands out and is followed.

    Attributes:
        number: counts targets as they appear, for a fixed order among equals.
        state: where it is expected.
        samples: where it was found, ascending by frame.
        hot_seconds: for how long it stood out.
        last_hot: stream time at which it last did.
        last_support: stream time at which it was last seen for certain.
        confirmed: it stood out long enough to become a trajectory.
        overlap_since: stream time since when another target has lain on it; None when none does.
    """

    number: int
    state: TargetState
    samples: list[TargetSample] = field(default_factory=list)
    hot_seconds: float = 0.0
    last_hot: float = 0.0
    last_support: float = 0.0
    confirmed: bool = False
    overlap_since: float | None = None

    @classmethod
    def start(cls, number: int, sample: TargetSample) -> Target:
        """Starts a target where a region stands out."""
        target = cls(number, TargetState.at(sample, sample.velocity))
        target.last_hot = target.last_support = sample.seconds
        target.samples.append(sample)
        return target

    @property
    def first(self) -> TargetSample:
        """Its earliest sample."""
        return self.samples[0]

    @property
    def last(self) -> TargetSample:
        """Its latest sample."""
        return self.samples[-1]

    def add(self, sample: TargetSample, blob: Blob, step: float) -> None:
        """Adds a sample.

        Args:
            sample: of this frame.
            blob: the blob that it was made of.
            step: seconds since the frame before.
        """
        self.state.update(blob, sample.support > Support.FOLLOWED)
        self.samples.append(sample)
        if sample.support == Support.HOT:
            self.hot_seconds += min(step, _MAX_STEP_S)
            self.last_hot = sample.seconds
        if sample.support > Support.MERGED:
            self.last_support = sample.seconds

    def trim(self) -> None:
        """Drops the last samples if nothing but their centre was known."""
        while self.samples and self.samples[-1].support == Support.MERGED:
            self.samples.pop()

    def early_velocity(self) -> tuple[float, float]:
        """Returns the median velocity of its first samples, cells a second."""
        early = np.array([sample.velocity for sample in self.samples[:_VELOCITY_SAMPLES]])
        median = np.median(early, axis=0)
        return float(median[0]), float(median[1])

    def agreement(self, samples: list[TargetSample]) -> int:
        """Counts the samples that overlap its own of the same frame."""
        boxes = {sample.frame: sample.box for sample in self.samples}
        return sum(
            s.frame in boxes and box_iou(boxes[s.frame], s.box) > _SAME_BOX_IOU for s in samples
        )
