"""Writes docs/evaluation.md: every figure with the command that makes it.

Run: `python -m tests.benchmarks.evaluation_page` (about twenty minutes on two cores).
"""

from __future__ import annotations

import datetime
import platform
from pathlib import Path

from engine.analysis.environment import environment
from tests.benchmarks import accuracy, kills, rendered_targets, speed
from tests.benchmarks.flow_trade import trade
from tests.benchmarks.lines import ROOT, table

_HEAD = """# Evaluation

Made by `python -m tests.benchmarks.evaluation_page` on {date} on {machine}. `SIGHTLINE_FOOTAGE`
names the folder of real footage, which is not part of this project. All figures are at the
default settings, which stand in every JSON the commands print.

Ped2 here means the six test videos 01, 03, 05, 07, 09, 11 (960 frames, 830 abnormal), which are
easier than all twelve. Its tracks are made from its masks: 8-connected components linked over
frames by the largest overlap (IoU >= 0.1, gaps up to 3 frames). Frame scores are smoothed inside
the channel with a Gaussian over time (sigma 0.2 s) within one video. RBDC and TBDC use several
regions a frame, cut at the scores in `settings.tracking.region_cuts`.

Golden values, equality of random and sequential access for every kind of stream, and pixel-AUC
against scikit-learn are tests: `python -m pytest tests/evaluation tests/media`.

## Figures

{table}
## Flow

Accuracy against speed on Ped2 (calibrated on its training footage); CPU-milliseconds a frame for
decoding and measuring video 01 at its own size, 360x240.

{flow}
"""


def main() -> None:
    """Measures everything and writes the page."""
    made_with = environment()
    machine = (
        f"{made_with['processor']}, {made_with['threads']} cores, {platform.system()} "
        f"{platform.machine()}, Python {made_with['python']}, no GPU"
    )
    lines = [*accuracy.lines(), *rendered_targets.lines(), *speed.lines(), *kills.lines()]
    page = _HEAD.format(
        date=datetime.datetime.now(datetime.UTC).date(),
        machine=machine,
        table=table(lines),
        flow=trade(),
    )
    Path(ROOT / "docs" / "evaluation.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
