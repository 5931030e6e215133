"""Teaching on rendered footage: a false alarm marked as normal, and what teaching forgets.

Run: `python -m tests.benchmarks.teaching_rendered --rendered DIR [--case DIR] [--choices 10]`; DIR
is a folder that `main.py synth --videos 60 --seed 1 --split test` wrote, `--case` keeps the case in
which it was analysed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from engine.analysis.text.channel import TextChannel
from engine.analysis.text.measuring import text_maps
from engine.analysis.text.use import TextUse
from engine.analysis.variant import Taught
from engine.cases import Case
from engine.cli.main import run
from engine.core.progress import CancelToken, silent
from engine.datasets.rendered import RenderedVideo, rendered_videos
from engine.datasets.synthetic.phrases import ABNORMAL, NORMAL
from engine.teaching.footage import Footage, open_footage
from engine.teaching.marks import Mark
from engine.teaching.preview import preview
from engine.teaching.teaching import teach
from engine.tracking.events import EventSpan, find_events
from tests.benchmarks.lines import Line, table
from tests.benchmarks.teaching import base_use, variant_use

_COMMAND = "python -m tests.benchmarks.teaching_rendered --rendered DIR --choices {choices}"
_LEAST_PIXELS = 150


@dataclass(frozen=True, eq=False)
class _Clip:
    """One video with what its run found.

    Attributes:
        evidence_id: in the case.
        video: with its truth.
        footage: its kept features.
        scores: float32 [n], of the run's leading channel.
        alarms: its events, each with the class of the normal target it is about; empty for an
            event in which something abnormal is in view.
        labels: bool [n], of the analysed frames.
    """

    evidence_id: int
    video: RenderedVideo
    footage: Footage
    scores: NDArray[np.float32]
    alarms: tuple[tuple[EventSpan, str, int], ...]
    labels: NDArray[np.bool_]


@dataclass(frozen=True)
class _Choice:
    """What one random choice of marks came to.

    Attributes:
        alike: further false alarms of the same class, and how many of them are gone.
        true: true events, and how many of them are gone.
        before: micro-AUC of the text channel over the split.
        after: with what was taught.
    """

    alike: tuple[int, int]
    true: tuple[int, int]
    before: float
    after: float


def lines(rendered: Path, case: Path, choices: int = 10) -> list[Line]:
    """Measures and returns the lines of the table.

    Args:
        rendered: the test split.
        case: in which it was analysed; made where it is missing.
        choices: random choices of marks, of false alarms and of abnormal targets each.
    """
    if not case.exists():
        _analyse(rendered, case)
    with Case.open(case, write=True) as opened:
        use = base_use(opened, opened.evidence.all()[0].id)
        clips = _clips(opened, rendered, use)
        plain = _micro(clips, use)
        quieted = _quieted(opened, clips, choices, use, plain)
        raised = _raised(opened, clips, choices, use, plain)
    return _lines(quieted, raised, _COMMAND.format(choices=choices))


def _lines(quieted: list[_Choice], raised: list[float], command: str) -> list[Line]:
    gone = sum(one.alike[1] for one in quieted) / max(1, sum(one.alike[0] for one in quieted))
    lost = sum(one.true[1] for one in quieted) / max(1, sum(one.true[0] for one in quieted))
    shares = [one.alike[1] / one.alike[0] for one in quieted]
    losses = [one.true[1] / max(1, one.true[0]) for one in quieted]
    counted = sum(one.alike[0] for one in quieted)
    fall = np.array([one.before - one.after for one in quieted] + raised)
    return [
        Line("a false alarm marked as normal: further ones of its class gone", ">= 80 %",
             f"{gone:.1%} of {counted} in {len(quieted)} choices ({_range(shares)})",
             gone >= 0.8, command),
        Line("the same: true events gone", "<= 5 %", f"{lost:.1%} ({_range(losses)})",
             lost <= 0.05, command),
        Line("what teaching forgets: loss of micro-AUC on the rendered test split", "<= 0.01",
             f"{fall.mean():.4f} ({fall.min():.4f} to {fall.max():.4f}) of {len(fall)} variants",
             bool(fall.max() <= 0.01), command),
    ]  # fmt: skip


def _range(shares: list[float]) -> str:
    return f"{min(shares):.0%} to {max(shares):.0%}"


def _analyse(rendered: Path, case: Path) -> None:
    videos = [str(one.path) for one in rendered_videos(rendered, "test")]
    words = ["--case", str(case), "--channels", "scene,text", "--quiet"]
    with contextlib.redirect_stdout(io.StringIO()):
        if run(["analyze", *videos, *words]):
            raise SystemExit("error: the rendered footage was not analysed")


def _clips(case: Case, rendered: Path, use: TextUse) -> list[_Clip]:
    videos = {one.path.resolve(): one for one in rendered_videos(rendered, "test")}
    found = []
    for row in case.evidence.all():
        video = videos[case.evidence_path(row).resolve()]
        kept = open_footage(case, row, use, CancelToken(), silent)
        plan, settings = kept.stored.plan, kept.stored.settings
        scores = case.results.scores(kept.run.id, "fused")
        spans = find_events(scores, plan.seconds, settings.tracking)
        labels = np.array([bool(video.abnormal(one, one)) for one in plan.frames.tolist()])
        alarms = tuple((span, *_about(case, kept, video, span)) for span in spans)
        found.append(_Clip(row.id, video, kept, scores, alarms, labels))
    return found


def _about(case: Case, kept: Footage, video: RenderedVideo, span: EventSpan) -> tuple[str, int]:
    """Returns class and number of the normal target that a false alarm is about.

    An event with something abnormal in view is none, nor is one that is about no target.
    """
    frames = kept.stored.plan.frames
    first, last = int(frames[span.first]), int(frames[span.last])
    if video.abnormal(first, last):
        return "", 0
    peak = int(frames[span.peak])
    regions = [row.region for row in case.results.regions(kept.run.id, peak, peak)]
    if not regions:
        return "", 0
    box = max(regions, key=lambda one: one.score).box
    counts = np.bincount(
        video.ids(peak)[box.y : box.y + box.h, box.x : box.x + box.w].ravel(), minlength=2
    )[1:]
    number = 1 + int(counts.argmax())
    named = {one.number: one.class_at(peak) for one in video.targets} if counts.any() else {}
    return named.get(number, ""), number


def _micro(clips: list[_Clip], use: TextUse) -> float:
    scores, labels = [], []
    for clip in clips:
        plan = clip.footage.stored.plan
        kept = [clip.footage.slice(number) for number in range(len(clip.footage.seconds))]
        maps = text_maps(clip.footage.seconds, use.model.read(kept, clip.footage.grid))
        scores.append(TextChannel(use.pack_calibration(), plan.grid).read(maps, plan.seconds)[1])
        labels.append(clip.labels)
    return float(roc_auc_score(np.concatenate(labels), np.concatenate(scores)))


def _quieted(
    case: Case, clips: list[_Clip], choices: int, use: TextUse, before: float
) -> list[_Choice]:
    """Marks one false alarm as normal, choice by choice, and counts what goes."""
    every = [(clip, *alarm) for clip in clips for alarm in clip.alarms if alarm[1]]
    counts = Counter(name for _, _, name, _ in every)
    print("false alarms by class:", dict(counts), flush=True)
    again = [one for one in every if counts[one[2]] > 1]
    found: list[_Choice] = []
    for number in np.random.default_rng(0).permutation(len(again)).tolist():
        if len(found) == choices:
            break
        clip, span, name, target = again[number]
        marks = _marked(clip, span, target, NORMAL[name].training[0])
        if marks is None:
            continue
        variant, taught = _taught(case, marks)
        like, true = np.zeros(2, int), np.zeros(2, int)
        for other in clips:
            spans = _after(case, other, variant, taught)
            for one, about, _ in other.alarms:
                gone = not any(a.first <= one.last and a.last >= one.first for a in spans)
                first, last = (
                    int(other.footage.stored.plan.frames[k]) for k in (one.first, one.last)
                )
                if other.video.abnormal(first, last):
                    true += (1, gone)
                elif about == name and one is not span:
                    like += (1, gone)
        after = _micro(clips, variant)
        found.append(
            _Choice((int(like[0]), int(like[1])), (int(true[0]), int(true[1])), before, after)
        )
        print(clip.video.name, name, found[-1], flush=True)
    return found


def _raised(
    case: Case, clips: list[_Clip], choices: int, use: TextUse, before: float
) -> list[float]:
    """Marks one abnormal target by its first held-out phrase; returns the losses of micro-AUC."""
    found: list[float] = []
    rng = np.random.default_rng(1)
    while len(found) < choices:
        clip = clips[int(rng.integers(len(clips)))]
        frames = np.flatnonzero(clip.labels)
        if len(frames) < 2:
            continue
        first, last = (int(clip.footage.stored.plan.frames[one]) for one in frames[[0, -1]])
        target = clip.video.abnormal(first, last)[0]
        words = ABNORMAL[sorted(target.abnormal_classes)[0]].held_out[0]
        span = EventSpan(int(frames[0]), int(frames[-1]), int(frames[0]), 1.0)
        marks = _marked(clip, span, target.number, words, normal=False)
        if marks is None:
            continue
        found.append(before - _micro(clips, _taught(case, marks)[0]))
        print(clip.video.name, words, f"{found[-1]:.4f}", flush=True)
    return found


def _marked(
    clip: _Clip, span: EventSpan, target: int, name: str, normal: bool = True
) -> tuple[Mark, ...] | None:
    """Marks a target in two frames of a span, where it is largest in either half of it."""
    frames = clip.footage.stored.plan.frames
    half = (span.first + span.last) // 2
    marks = []
    for begin, end in ((span.first, half), (half + 1, span.last)):
        places = np.unique(np.linspace(begin, end, 6).round().astype(int)).tolist()
        seen = {one: clip.video.ids(int(frames[one])) == target for one in places}
        place = max(seen, key=lambda one: int(seen[one].sum()))
        rows, columns = np.nonzero(seen[place])
        if len(rows) < _LEAST_PIXELS:
            return None
        corners = (
            (float(columns.min()), float(rows.min())),
            (float(columns.max() + 1), float(rows.max() + 1)),
        )
        seconds = float(clip.footage.stored.plan.seconds[place])
        marks.append(Mark(clip.evidence_id, seconds, name, normal, "box", corners))
    return tuple(marks)


def _taught(case: Case, marks: tuple[Mark, ...]) -> tuple[TextUse, Taught]:
    row = teach(case, marks, f"choice {time.time_ns()}").row
    taught = Taught.decode(row.variant.body)
    with case.change() as change:
        change.variants.set_removed(row.id, True)
    return variant_use(case, row.variant.recipe, taught), taught


def _after(case: Case, clip: _Clip, variant: TextUse, taught: Taught) -> list[EventSpan]:
    found = preview(case, clip.footage, variant, taught, CancelToken(), silent)
    stored = clip.footage.stored
    return find_events(found.after["fused"], stored.plan.seconds, stored.settings.tracking)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rendered", type=Path, required=True)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--choices", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        case = options.case or Path(scratch) / "rendered.case"
        print(table(lines(options.rendered, case, options.choices)))


if __name__ == "__main__":
    main()
