"""Trajectories on rendered videos: where targets come from and go to, one trajectory each.

Run: `python -m tests.benchmarks.lab.rendered_targets [--videos 20] [--seed 7] [--root DIR]`
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from engine.case import Case
from engine.core.findings import Trajectory
from engine.core.settings import AnalysisSettings
from engine.lab.datasets.registry import open_dataset
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming
from tests.benchmarks.lines import Line

_LEAST_IOU = 0.1


def lines(videos: int = 20, seed: int = 41) -> list[Line]:
    """Renders a set and returns the lines of the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "rendered"
        write_footage(root, FootageRequest(videos, seed))
        with contextlib.redirect_stdout(io.StringIO()):
            measured = shares(root, Path(folder))
    command = f"python -m tests.benchmarks.lab.rendered_targets --videos {videos} --seed {seed}"
    rows = (
        ("from", "*from* cell right", 0.9),
        ("to", "*to* cell right", 0.9),
        ("one", "one trajectory", 0.8),
    )
    return [
        Line(
            f"{videos} rendered videos (seed {seed}), self-calibrated: {name}",
            f">= {least:.0%} of targets",
            f"{measured[key]:.1%} of {measured['targets']:.0f}",
            measured[key] >= least,
            command,
        )
        for key, name, least in rows
    ]


def main() -> None:
    """Prints one line a target and the shares at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--root", type=Path, help="a rendered set; rendered anew when left out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.root or Path(folder) / "rendered"
        if options.root is None:
            write_footage(root, FootageRequest(options.videos, options.seed))
        shares(root, Path(folder))


def shares(root: Path, folder: Path) -> dict[str, float]:
    """Analyses every test video of a rendered set, each calibrated on itself, and compares."""
    targets = []
    with Case.create(folder / "rendered.case") as case:
        for video in open_dataset("ubnormal", root).videos("test"):
            evidence, source = add_evidence(case, video.path)
            with source:
                run = AnalysisRun(case, evidence, source, Recipe(AnalysisSettings()))
                done = run.execute(Resuming())
            trajectories = [row.trajectory for row in case.results.trajectories(done.id)]
            truth = json.loads(video.path.with_name(f"{video.name}_targets.json").read_text())
            abnormal = [target for target in truth["targets"] if target["abnormal"]]
            targets += _compare(video.name, abnormal, video, trajectories)
    names = ("from", "to", "one")
    result = {name: float(np.mean([target[name] for target in targets])) for name in names}
    result["targets"] = float(len(targets))
    print(json.dumps({key: round(value, 3) for key, value in result.items()}))
    return result


def _compare(
    name: str,
    truth: list[dict[str, Any]],
    video: Any,
    trajectories: list[Trajectory],
) -> list[dict[str, bool]]:
    tracks = video.tracks()
    results = []
    owners = [_owner(trajectory, tracks, len(truth)) for trajectory in trajectories]
    for number, target in enumerate(truth):
        mine = [t for t, owner in zip(trajectories, owners, strict=True) if owner == number]
        best = max(mine, key=lambda trajectory: len(trajectory.frames), default=None)
        result = {
            "from": best is not None and best.from_cell == target["from"],
            "to": best is not None and best.to_cell == target["to"],
            "one": len(mine) == 1,
        }
        results.append(result)
        summary = "none" if best is None else f"{best.from_cell} -> {best.to_cell}"
        span = "" if best is None else f"{best.frames[0]}..{best.frames[-1]}"
        print(
            f"{name} {target['object_id']}: {target['from']} -> {target['to']} "
            f"({target['first_frame']}..{target['last_frame']}), found {len(mine)}: {summary} "
            f"{span}"
            f"{'' if all(result.values()) else '   <<<'}"
        )
    return results


def _owner(trajectory: Trajectory, tracks: Any, count: int) -> int | None:
    """Returns the number of the abnormal target whose boxes the trajectory overlaps most."""
    assert set(tracks.track_ids.tolist()) == set(range(count)), "tracks are numbered by row"
    overlap: dict[int, float] = {}
    for frame, box in zip(trajectory.frames, trajectory.boxes, strict=True):
        for i in np.flatnonzero(tracks.frames == frame):
            iou = _iou(box, tracks.boxes[i])
            if iou > 0:
                key = int(tracks.track_ids[i])
                overlap[key] = overlap.get(key, 0.0) + iou
    if not overlap:
        return None
    best = max(overlap, key=lambda key: overlap[key])
    return best if overlap[best] / len(trajectory.frames) >= _LEAST_IOU else None


def _iou(box: Any, corners: Any) -> float:
    x0, y0, x1, y1 = (float(v) for v in corners)
    bx0, by0, bx1, by1 = box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1
    width = min(x1, bx1) - max(x0, bx0) + 1
    height = min(y1, by1) - max(y0, by0) + 1
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area = (x1 - x0 + 1) * (y1 - y0 + 1) + (bx1 - bx0 + 1) * (by1 - by0 + 1)
    return float(shared / (area - shared))


if __name__ == "__main__":
    main()
