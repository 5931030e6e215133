"""Writes docs/evaluation.md: every figure with the command that makes it.

Run: `python -m tests.benchmarks.evaluation_page [scene] [text] [dialogue] [building] [teaching]`;
without a part all of them (some hours on two cores, nothing else running). A part that is not
measured keeps its section.
"""

from __future__ import annotations

import datetime
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.core.progress import CancelToken, silent
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.pipeline.environment import environment
from tests.benchmarks import kills, speed
from tests.benchmarks.lab import (
    accuracy,
    dialogue,
    false_alarms,
    rendered_targets,
    teaching,
    teaching_rendered,
    text_channel,
)
from tests.benchmarks.lab import (
    dialogue_building as building,
)
from tests.benchmarks.lab import (
    similarity_search as finding,
)
from tests.benchmarks.lab.flow_trade import trade
from tests.benchmarks.lines import ROOT, table

_VIDEOS, _SEED = 60, 1
_PAGE = ROOT / "docs" / "evaluation.md"
_COMMAND = "python -m tests.benchmarks.evaluation_page"
_HEAD = f"""# Evaluation

Made by `{_COMMAND}`; each part says when and where. `SIGHTLINE_FOOTAGE` names the folder of real
footage, which is not part of this project. All figures are at the default settings, which stand in
every JSON the commands print.

Ped2 here means the six test videos 01, 03, 05, 07, 09, 11 (960 frames, 830 abnormal), which are
easier than all twelve. Its tracks are made from its masks: 8-connected components linked over
frames by the largest overlap (IoU >= 0.1, gaps up to 3 frames). Frame scores are smoothed inside
the channel with a Gaussian over time (sigma 0.2 s) within one video. RBDC and TBDC use several
regions a frame, cut at the scores in `settings.tracking.region_cuts`.

Golden values, equality of random and sequential access for every kind of stream, and pixel-AUC
against scikit-learn are tests: `python -m pytest tests/lab/evaluation tests/media`.
"""
_FLOW = """
Accuracy against speed of the flow presets on Ped2 (calibrated on its training footage);
CPU-milliseconds a frame for decoding and measuring video 01 at its own size, 360x240.

"""


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
        title: its heading.
        measure: measures and returns the section without heading, in Markdown.
    """

    title: str
    measure: Callable[[], str]


def _scene() -> str:
    lines = [*accuracy.lines(), *rendered_targets.lines(), *speed.lines(), *kills.lines()]
    return f"{table(lines)}{_FLOW}{trade()}"


def _text() -> str:
    return f"{table(text_channel.lines())}\n{text_channel.NOTES}"


def _teaching() -> str:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        rendered = work / "rendered"
        write_footage(rendered, FootageRequest(_VIDEOS, _SEED), 2, silent, CancelToken())
        lines = [
            *teaching.lines(work),
            *teaching_rendered.lines(rendered, work / "rendered.case"),
            *false_alarms.lines(work / "oddity"),
            *finding.lines(rendered, work / "finding"),
        ]
    return table(lines)


PARTS = {
    "scene": Part("Scene channel and engine", _scene),
    "text": Part("Text channel", _text),
    "dialogue": Part("Dialogue", dialogue.section),
    "building": Part("From footage to training dialogues", building.section),
    "teaching": Part("Teaching by example", _teaching),
}


def page(written: str, measured: dict[str, str]) -> str:
    """Puts measured parts into the page.

    Args:
        written: the page as it is.
        measured: name of a part -> its section without heading.
    """
    kept = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", written, re.MULTILINE | re.DOTALL))
    sections = []
    for name, part in PARTS.items():
        text = measured.get(name, kept.get(part.title))
        if text is not None:
            sections.append(f"## {part.title}\n\n{text.strip()}\n")
    return "\n".join([_HEAD, *sections])


def main() -> None:
    """Measures the parts named and writes the page."""
    names = sys.argv[1:] or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise SystemExit(f"error: no such part, {unknown[0]}, use {', '.join(PARTS)}")
    made_with = environment()
    machine = (
        f"{made_with['processor']}, {made_with['threads']} cores, {platform.system()} "
        f"{platform.machine()}, Python {made_with['python']}, no GPU"
    )
    for name in names:
        date = datetime.datetime.now(datetime.UTC).date()
        origin = f"Measured by `{_COMMAND} {name}` on {date} on {machine}."
        section = f"{origin}\n\n{PARTS[name].measure()}"
        _PAGE.write_text(page(_PAGE.read_text("utf-8"), {name: section}), encoding="utf-8")


if __name__ == "__main__":
    main()
