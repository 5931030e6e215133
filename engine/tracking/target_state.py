"""One target while it is followed: where it was seen, and where it must be next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from engine.tracking.blobs import Blob, find_blob, size_limit
from engine.tracking.kalman import CentreFilter
from engine.tracking.tracking_block import (
    CellBox,
    FrameMaps,
    box_area,
    box_around,
    box_centre,
    box_iou,
    box_size,
)

_SIZE_STEP = 0.3
_SAME_PLACE = 0.3
_LEAST_PART = 0.25
_SHRINK_STEP = 0.05
_LEAST_PACE = 0.5
_PACE_SECONDS = 0.7
_LEAST_VISIBLE = 0.25
_LONGEST_STEP_S = 0.5
_VELOCITY_SAMPLES = 5


class Support(IntEnum):
    """What a sample of a target rests on, weakest first."""

    MERGED = 0
    FOLLOWED = 1
    WARM = 2
    HOT = 3


@dataclass(frozen=True)
class Sample:
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


def make_sample(maps: FrameMaps, blob: Blob, support: Support) -> Sample:
    """Makes a sample of what was found in a frame."""
    return Sample(
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
class Course:
    """Filter and size of a target at one time, moved forward or backward in time.

    Attributes:
        seconds: stream time it stands at.
        motion: filter of its centre.
        size: width and height in cells.
        known_size: the same when a region last told; followed foreground cannot grow on and on.
        pace: its speed over the last moments, cells a second; who walks into the place of
            someone who ran away is not followed as if it were the same.
        taken: stream time at which it was last found.
    """

    seconds: float
    motion: CentreFilter
    size: tuple[float, float]
    known_size: tuple[float, float]
    pace: float
    taken: float

    @classmethod
    def of(cls, sample: Sample, velocity: tuple[float, float]) -> Course:
        """Starts at a sample."""
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
        """Where the target is now, as far as is known."""
        return box_around(self.motion.centre, self.size)

    @property
    def edge(self) -> float:
        """Mean edge in cells."""
        return (self.size[0] + self.size[1]) / 2

    def move(self, seconds: float) -> CellBox:
        """Predicts the box at a stream time."""
        self.motion.predict(seconds - self.seconds, self.edge)
        self.seconds = seconds
        return self.box

    def take(self, blob: Blob, certain: bool = False) -> None:
        """Takes in where the target was found, and for certain when a region told so."""
        self.motion.update(box_centre(blob.box), blob.velocity, self.edge)
        step = min(1.0, abs(self.seconds - self.taken) / _PACE_SECONDS)
        self.pace += step * (float(np.hypot(*blob.velocity)) - self.pace)
        self.taken = self.seconds
        if blob.whole:
            width, height = box_size(blob.box)
            self.size = (
                self.size[0] + _SIZE_STEP * (width - self.size[0]),
                self.size[1] + _SIZE_STEP * (height - self.size[1]),
            )
        if certain:
            self.known_size = self.size

    def shrink(self, size: tuple[float, float]) -> None:
        """Comes slowly down to the size of what stands out, if that stays smaller."""
        self.size = (
            self.size[0] + _SHRINK_STEP * min(0.0, size[0] - self.size[0]),
            self.size[1] + _SHRINK_STEP * min(0.0, size[1] - self.size[1]),
        )

    def follow(
        self, maps: FrameMaps, cell: int, limit: tuple[float, float] | None = None
    ) -> Blob | None:
        """Finds its foreground in a frame; None when it is not there or of another pace.

        Args:
            maps: of the frame.
            cell: edge of a cell in analysis pixels.
            limit: largest size in cells; that of its last certain size when None.
        """
        limit = limit or size_limit(self.known_size)
        blob = find_blob(maps, cell, self.box, self.motion.velocity, limit)
        if blob is None or float(np.hypot(*blob.velocity)) < _LEAST_PACE * self.pace:
            return None
        x0, y0, x1, y1 = blob.box
        rows, columns = maps.shape
        at_edge = x0 <= 0 or y0 <= 0 or x1 >= columns or y1 >= rows
        if (
            not at_edge
            and box_area(blob.box) < _LEAST_PART * self.known_size[0] * self.known_size[1]
        ):
            return Blob(
                box_around(box_centre(blob.box), self.size), blob.velocity, blob.mass, False
            )
        return blob

    def gone(self, shape: tuple[int, int]) -> bool:
        """Whether it must have left a picture of rows x columns cells."""
        x0, y0, x1, y1 = self.box
        inside = (max(0.0, x0), max(0.0, y0), min(x1, shape[1]), min(y1, shape[0]))
        return box_area(inside) < _LEAST_VISIBLE * box_area(self.box)


@dataclass
class Target:
    """Something that stands out and is followed.

    Attributes:
        number: order of birth, for a fixed order among equals.
        course: where it is now.
        samples: where it was found, by frame.
        hot_seconds: for how long it stood out.
        last_hot: stream time at which it last did.
        last_support: stream time at which it was last seen for certain.
        confirmed: it stood out long enough to become a trajectory.
        overlap_since: stream time since when another target has lain on it; None when none does.
    """

    number: int
    course: Course
    samples: list[Sample] = field(default_factory=list)
    hot_seconds: float = 0.0
    last_hot: float = 0.0
    last_support: float = 0.0
    confirmed: bool = False
    overlap_since: float | None = None

    @classmethod
    def born(cls, number: int, sample: Sample) -> Target:
        """Starts a target where a region stands out."""
        target = cls(number, Course.of(sample, sample.velocity))
        target.last_hot = target.last_support = sample.seconds
        target.samples.append(sample)
        return target

    @property
    def first(self) -> Sample:
        """Its earliest sample."""
        return self.samples[0]

    @property
    def last(self) -> Sample:
        """Its latest sample."""
        return self.samples[-1]

    def add(self, sample: Sample, blob: Blob, step: float) -> None:
        """Takes in a sample.

        Args:
            sample: of this frame.
            blob: what it was made of.
            step: seconds since the frame before.
        """
        self.course.take(blob, sample.support > Support.FOLLOWED)
        self.samples.append(sample)
        if sample.support == Support.HOT:
            self.hot_seconds += min(step, _LONGEST_STEP_S)
            self.last_hot = sample.seconds
        if sample.support > Support.MERGED:
            self.last_support = sample.seconds

    def trim(self) -> None:
        """Drops what was only guessed at the end."""
        while self.samples and self.samples[-1].support == Support.MERGED:
            self.samples.pop()

    def early_velocity(self) -> tuple[float, float]:
        """Returns the median velocity of its first samples, cells a second."""
        early = np.array([sample.velocity for sample in self.samples[:_VELOCITY_SAMPLES]])
        middle = np.median(early, axis=0)
        return float(middle[0]), float(middle[1])

    def agreement(self, samples: list[Sample]) -> int:
        """Counts the samples that lie on its own of the same frame."""
        mine = {sample.frame: sample.box for sample in self.samples}
        return sum(s.frame in mine and box_iou(mine[s.frame], s.box) > _SAME_PLACE for s in samples)
