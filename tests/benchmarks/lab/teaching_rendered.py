"""What teaching forgets: the text channel on the rendered test split before and after.

Run: `python -m tests.benchmarks.lab.teaching_rendered --rendered DIR [--case DIR] [--choices 10]`;
DIR is a folder that `main.py synth --videos 60 --seed 1 --split test` wrote, `--case` keeps the
case in which it was analysed.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, silent
from engine.detectors.text.text_channel import TextChannel
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_meter import read_maps
from engine.few_shot.feature_reader import RunFeatures, open_features
from engine.few_shot.marks import Mark
from engine.lab.datasets.rendered_footage import RenderedVideo, Target, rendered_videos
from engine.lab.synthesis.phrases import ABNORMAL, NORMAL
from tests.benchmarks.lab.teaching import base_use, box_around, taught_by
from tests.benchmarks.lines import Line, absolute, run_json, table

_COMMAND = "python -m tests.benchmarks.lab.teaching_rendered --rendered DIR --choices {choices}"
_LEAST_PIXELS = 150
_TRIES = 12


@dataclass(frozen=True, eq=False)
class Clip:
    """One rendered video in a case.

    Attributes:
        evidence_id: in the case.
        video: with its truth.
        footage: its kept features.
        labels: bool [n], whether something abnormal is in view in each analysed frame.
    """

    evidence_id: int
    video: RenderedVideo
    footage: RunFeatures
    labels: NDArray[np.bool_]


def lines(rendered: Path, case: Path, choices: int = 10) -> list[Line]:
    """Measures and returns the line of the table.

    Args:
        rendered: the test split.
        case: in which it was analysed; made where it is missing.
        choices: random targets marked as abnormal, and as many marked as normal.
    """
    if not case.exists():
        _analyse(rendered, case)
    with Case.open(case, write=True) as opened:
        use = base_use(opened, opened.evidence.all()[0].id)
        clips = opened_clips(opened, rendered_videos(rendered, "test"), use)
        before = _micro(clips, use)
        falls = {
            normal: np.array(_falls(opened, clips, normal, choices, before))
            for normal in (False, True)
        }
    every = np.concatenate(list(falls.values()))
    summary = " and ".join(
        f"{values.mean():.4f} ({values.min():.4f} to {values.max():.4f}) of {len(values)} marked "
        f"as {'normal' if normal else 'abnormal'}"
        for normal, values in falls.items()
    )
    return [
        Line("what teaching forgets: loss of micro-AUC on the rendered test split", "<= 0.01",
             f"{summary}; from {before:.4f}", bool(every.max() <= 0.01),
             _COMMAND.format(choices=choices)),
    ]  # fmt: skip


def opened_clips(case: Case, videos: list[RenderedVideo], use: TextDetector) -> list[Clip]:
    """Opens those of the videos that are evidence of a case."""
    known = {video.path.resolve(): video for video in videos}
    clips = []
    for row in case.evidence.all():
        video = known.get(case.evidence_path(row).resolve())
        if video is None:
            continue
        features = open_features(case, row, use, CancelToken(), silent)
        frames = features.stored.plan.frames.tolist()
        labels = np.array([bool(video.abnormal(frame, frame)) for frame in frames])
        clips.append(Clip(row.id, video, features, labels))
    return clips


def marked(
    clip: Clip, first: int, last: int, target: int, name: str, normal: bool
) -> tuple[Mark, ...] | None:
    """Marks a target in two frames, where it is largest in either half of a span.

    Args:
        clip: shows it.
        first: position of the first analysed frame.
        last: of the last.
        target: its number.
        name: what it is called.
        normal: whether it is normal.

    Returns:
        None when it is too small.
    """
    plan = clip.footage.stored.plan
    half = (first + last) // 2
    marks = []
    for begin, end in ((first, half), (half + 1, last)):
        places = np.unique(np.linspace(begin, max(begin, end), 6).round().astype(int)).tolist()
        visible = {index: clip.video.ids(int(plan.frames[index])) == target for index in places}
        peak = max(visible, key=lambda index: int(visible[index].sum()))
        if visible[peak].sum() < _LEAST_PIXELS:
            return None
        seconds = float(plan.seconds[peak])
        marks.append(
            Mark(clip.evidence_id, seconds, name, normal, "box", box_around(visible[peak]))
        )
    return tuple(marks)


def _analyse(rendered: Path, case: Path) -> None:
    videos = [video.path for video in rendered_videos(rendered, "test")]
    run_json("analyze", *videos, "--case", case, "--channels", "scene,text")


def _micro(clips: list[Clip], use: TextDetector) -> float:
    scores = []
    for clip in clips:
        plan = clip.footage.stored.plan
        slices = [clip.footage.slice(number) for number in range(len(clip.footage.seconds))]
        maps = read_maps(use.model, clip.footage.seconds, slices, clip.footage.grid)
        scores.append(
            TextChannel(use.pack_calibration(), plan.grid).score(maps, plan.seconds).scores
        )
    labels = np.concatenate([clip.labels for clip in clips])
    return float(roc_auc_score(labels, np.concatenate(scores)))


def _falls(case: Case, clips: list[Clip], normal: bool, choices: int, before: float) -> list[float]:
    """Marks one random target, choice by choice; returns what micro-AUC loses."""
    gains: list[float] = []
    rng = np.random.default_rng(1)
    for _ in range(_TRIES * choices):
        if len(gains) == choices:
            break
        clip = clips[int(rng.integers(len(clips)))]
        drawn = _drawn(clip, normal, rng)
        if drawn is None:
            continue
        target, words = drawn
        last = len(clip.labels) - 1
        marks = marked(clip, 0, last, target.number, words, normal)
        if marks is None:
            continue
        try:
            use = taught_by(case, marks)[0]
        except BadInputError:
            # Where nothing spoke there is nothing to quiet, and nothing to forget.
            continue
        gains.append(before - _micro(clips, use))
        print(clip.video.name, words, f"{gains[-1]:.4f}", flush=True)
    return gains


def _drawn(clip: Clip, normal: bool, rng: np.random.Generator) -> tuple[Target, str] | None:
    """Draws a target of a kind and what it is called: a held-out phrase of its class."""
    fitting = [target for target in clip.video.targets if bool(target.spans) != normal]
    if not fitting:
        return None
    target = fitting[int(rng.integers(len(fitting)))]
    names = target.abnormal_classes if not normal else {name for name, _, _ in target.classes}
    name = sorted(names)[0]
    return target, (NORMAL if normal else ABNORMAL)[name].held_out[0]


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rendered", type=absolute, required=True)
    parser.add_argument("--case", type=absolute)
    parser.add_argument("--choices", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        case = options.case or Path(scratch) / "rendered.case"
        print(table(lines(options.rendered, case, options.choices)))


if __name__ == "__main__":
    main()
