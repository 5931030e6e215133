"""`kill -9` at random moments, then `--resume`: the same results byte for byte.

Run: `python -m tests.benchmarks.kills [--trials 10] [--seed 1]`
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.lines import ROOT, Line, footage, run, run_json, table

_COMMAND = "python -m tests.benchmarks.kills"
_KINDS = (".npz", ".txt", ".json")


def lines(trials: int = 10, seed: int = 1) -> list[Line]:
    """Kills runs of `vtest.avi` and compares every export with an uninterrupted run's."""
    video = footage() / "clips" / "vtest.avi"
    chance = random.Random(seed)
    same, resumed = 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        run("analyze", video, "--case", folder / "whole.case", "--quiet")
        length = time.perf_counter() - begun
        expected = _exports(folder, "whole")
        run("analyze", video, "--case", folder / "twice.case", "--quiet")
        twice = _exports(folder, "twice") == expected
        for trial in range(trials):
            case = folder / f"{trial}.case"
            committed = _killed(video, case, chance.uniform(0.1, 1.0) * length)
            result = run_json("analyze", video, "--case", case, "--resume")["runs"][0]
            resumed.append(result["resumed_frames"])
            honest = (result["resumed_frames"] > 0) == committed
            verified = run("verify", "--case", case, check=False).returncode == 0
            same += honest and verified and _exports(folder, str(trial)) == expected
    summary = f"{same} of {trials} the same; resumed frames {', '.join(map(str, resumed))}"
    return [
        Line(
            "`kill -9` at random moments, then `--resume`",
            "the same bytes",
            summary,
            same == trials,
            _COMMAND,
        ),
        Line(
            "two runs on one machine",
            "the same bytes",
            "the same" if twice else "differ",
            twice,
            _COMMAND,
        ),
    ]


def _killed(video: Path, case: Path, after: float) -> bool:
    """Starts a run, kills its process group; returns whether a chunk had been committed."""
    line = [
        sys.executable,
        str(ROOT / "main.py"),
        "analyze",
        str(video),
        "--case",
        str(case),
        "--quiet",
    ]
    process = subprocess.Popen(line, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return _committed(case)


def _committed(case: Path) -> bool:
    from engine.case import Case
    from engine.core.errors import SightlineError

    try:
        with Case.open(case) as opened:
            runs = opened.runs.all()
            return any(
                opened.chunks.last(run_row.id, "scene") is not None
                for run_row in runs
                if run_row.state != "finished"
            )
    except SightlineError:
        return False


def _exports(folder: Path, name: str) -> list[bytes]:
    rows = []
    for kind in _KINDS:
        target = folder / f"out-{name}{kind}"
        run("export", "--case", folder / f"{name}.case", "--evidence", 1, "--to", target, "--quiet")
        rows.append(target.read_bytes())
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(table(lines(options.trials, options.seed)))
