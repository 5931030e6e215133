"""A case with a day of footage: 2.16 million scores, 5,000 events, 5,000 trajectories.

Run: `python -m tests.benchmarks.day_case VIDEO CASE`
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.findings import Event, Reason, Region, Trajectory
from engine.core.geometry import Box
from engine.pipeline.evidence_intake import add_evidence
from tests.benchmarks.footage_files import loop

RATE = 25
DAY_S = 86_400
EVENTS = 5_000
TRAJECTORIES = 5_000
_MINUTE = 60 * RATE
_SIZE = 160, 120
_SPACING_S = DAY_S / EVENTS
_SPAN = 4 * RATE
_SEED = 3


def make_video(target: Path) -> None:
    """Writes a day of a small moving square at 25 fps, a keyframe every two seconds."""
    minute = target.with_name("minute.mp4")
    with av.open(str(minute), "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"g": "50", "crf": "40"})
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        for number in range(_MINUTE):
            picture = np.full((_SIZE[1], _SIZE[0], 3), 90, np.uint8)
            left = number * (_SIZE[0] - 20) // _MINUTE
            picture[50:80, left : left + 20] = 220
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    loop(minute, target, DAY_S)
    minute.unlink()


def make_case(video: Path, folder: Path) -> None:
    """Makes the case as an analysis of the video would leave it, with invented results."""
    with Case.create(folder) as case:
        evidence, source = add_evidence(case, video)
        with source:
            pts = source.index.pts
        frames = len(pts)
        settings: dict[str, object] = {"channels": ["scene"], "stride": 1}
        with case.change() as change:
            run_id = change.runs.start(evidence.id, 0, settings, {}, frames)
        trajectories = [_trajectory(number, pts) for number in range(1, TRAJECTORIES + 1)]
        with case.change() as change:
            change.results.replace(
                run_id,
                scores={"scene": _scores(frames)},
                regions=[region for trajectory in trajectories for region in _regions(trajectory)],
                trajectories=trajectories,
                events=[_event(number, pts) for number in range(1, EVENTS + 1)],
            )
            change.runs.finish(
                run_id, frames=frames, analysed_frames=frames, wall_s=1.0, warnings=[]
            )


def _first(number: int) -> int:
    return round(number * _SPACING_S * RATE) - 2 * _SPAN


def _scores(frames: int) -> NDArray[np.float32]:
    scores = np.random.default_rng(_SEED).random(frames, np.float32) * np.float32(0.4)
    for number in range(1, EVENTS + 1):
        scores[_first(number) : _first(number) + _SPAN] += 0.5
    return scores


def _trajectory(number: int, pts: NDArray[np.int64]) -> Trajectory:
    first = _first(number)
    frames = np.arange(first, first + _SPAN, dtype=np.int64)
    boxes = np.tile(np.array([40, 50, 20, 30], np.int32), (_SPAN, 1))
    boxes[:, 0] += np.arange(_SPAN, dtype=np.int32) // 2
    return Trajectory(
        number, frames, pts[frames], boxes, np.full(_SPAN, 0.7, np.float32), first / RATE,
        (first + _SPAN - 1) / RATE, "middle left", "middle right", "right", 2.0,
    )  # fmt: skip


def _regions(trajectory: Trajectory) -> list[Region]:
    mask = np.ones((4, 3), np.bool_)
    rows = zip(
        trajectory.frames.tolist(), trajectory.pts.tolist(), trajectory.boxes.tolist(), strict=True
    )
    return [Region(frame, pts, Box(*box), 0.7, mask, trajectory.number) for frame, pts, box in rows]


def _event(number: int, pts: NDArray[np.int64]) -> Event:
    first = _first(number)
    peak, last = first + _SPAN // 2, first + _SPAN - 1
    reason = Reason(
        "speed", 80.0, 40.0, 2.0, "pixels/s", "moves at 80 pixels/s; usual here is up to 40"
    )
    return Event(
        number, first, last, peak, int(pts[first]), int(pts[last]), int(pts[peak]), first / RATE,
        last / RATE, peak / RATE, 0.5 + 0.4 * (number % 100) / 100, "scene", (reason,), (number,),
        "moves twice as fast as usual, from middle left to middle right",
    )  # fmt: skip


if __name__ == "__main__":
    make_video(Path(sys.argv[1]))
    make_case(Path(sys.argv[1]), Path(sys.argv[2]))
