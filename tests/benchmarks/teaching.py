"""Teaching by example on Ped2: two marked frames of one target, judged on the other videos.

Run: `python -m tests.benchmarks.teaching [--choices 10] [--case DIR] [--pack NAME]`; the variable
SIGHTLINE_FOOTAGE names the folder of real footage. `--case` keeps the analysed case for later.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from engine.analysis.text.channel import TextChannel
from engine.analysis.text.measuring import text_maps
from engine.analysis.text.recipe import TextRecipe
from engine.analysis.text.use import TextUse, open_text
from engine.analysis.variant import Taught
from engine.cases import Case
from engine.cli.main import run
from engine.core.progress import CancelToken, silent
from engine.teaching.footage import Footage, open_footage, text_runs
from engine.teaching.marks import Mark
from engine.teaching.preview import preview
from engine.teaching.teaching import repeat_teaching, teach
from tests.benchmarks.lines import Line, footage, table

_PROMPTS = """language: en
normal: [person walking, people standing, pedestrian]
abnormal: [person riding a bicycle, vehicle, person skating]
"""
_NAME = "person riding a bicycle"
_COMMAND = "python -m tests.benchmarks.teaching --choices {choices}"
_LEAST_PIXELS = 150
_TEN_MINUTES = 600.0


@dataclass(frozen=True, eq=False)
class _Video:
    """One Ped2 video: its evidence, features and true masks bool [n, H, W]."""

    evidence_id: int
    footage: Footage
    masks: NDArray[np.bool_]


@dataclass(frozen=True)
class _Choice:
    """What one random choice of marks came to."""

    before: float
    after: float
    teach_s: float
    preview_s: float
    same: bool


def lines(choices: int = 10, case: Path | None = None, pack: str = "compact") -> list[Line]:
    """Measures and returns the lines of the table.

    Args:
        choices: random choices of marks.
        case: a case in which the six videos were analysed, made where it is missing; None for one
            that is thrown away.
        pack: name or folder of the pack.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = case or Path(name) / "ped2.case"
        _analysed(folder, Path(name), pack)
        with Case.open(folder, write=True) as opened:
            found = _measured(opened, choices)
    gains = np.array([one.after - one.before for one in found])
    after = np.array([one.after for one in found])
    before = np.array([one.before for one in found])
    command = _COMMAND.format(choices=choices)
    shown = (
        f"{_spread(before)} before, {_spread(after)} after, gain {_spread(gains)}, "
        f"{int((gains > 0).sum())} of {choices} rose"
    )
    aim = float(gains.mean()) >= 0.05 or float(after.mean()) >= 0.95
    taught = np.array([one.teach_s for one in found])
    previewed = np.array([one.preview_s for one in found])
    return [
        Line("Ped2, two marks, text alone, other videos: micro-AUC", "aim at +0.05 or 0.95", shown,
             aim, command),
        Line("the same, marks to variant", "< 10 s", f"{_spread(taught)} s",
             float(taught.max()) < 10, command),
        Line("preview, scaled to ten minutes of footage", "< 10 s", f"{_spread(previewed)} s",
             float(previewed.max()) < 10, command),
        Line("taught again from its marks", "the same bytes",
             f"{sum(one.same for one in found)} of {choices}",
             all(one.same for one in found), command),
    ]  # fmt: skip


def _analysed(folder: Path, scratch: Path, pack: str) -> None:
    if folder.exists():
        return
    prompts = scratch / "ped2.yaml"
    prompts.write_text(_PROMPTS, encoding="utf-8")
    root = footage() / "ped2" / "testing" / "frames"
    words = ["--channels", "scene,text", "--prompts", str(prompts), "--pack", pack, "--json"]
    videos = [str(one) for one in sorted(root.iterdir())]
    with contextlib.redirect_stdout(io.StringIO()):
        if run(["analyze", *videos, "--case", str(folder), *words, "--quiet"]):
            raise SystemExit("error: Ped2 was not analysed")


def _measured(case: Case, choices: int) -> list[_Choice]:
    first = case.evidence.all()[0]
    use = base_use(case, first.id)
    videos = [_video(case, row.id, use) for row in case.evidence.all()]
    plain = {one.evidence_id: _scores(one, use) for one in videos}
    found = []
    for number in range(choices):
        marks = _drawn(videos, np.random.default_rng(number))
        others = [one for one in videos if one.evidence_id != marks[0].evidence_id]
        begun = time.perf_counter()
        taken = teach(case, marks, f"choice {number} {time.time_ns()}")
        took = time.perf_counter() - begun
        name = taken.row.variant.name
        taught = Taught.decode(taken.row.variant.body)
        variant = variant_use(case, taken.row.variant.recipe, taught)
        after = {one.evidence_id: _scores(one, variant) for one in others}
        own = next(one for one in videos if one.evidence_id == marks[0].evidence_id)
        begun = time.perf_counter()
        preview(case, own.footage, variant, taught, CancelToken(), silent)
        seconds = float(own.footage.stored.seconds[-1])
        previewed = (time.perf_counter() - begun) * _TEN_MINUTES / seconds
        found.append(
            _Choice(_micro(others, plain), _micro(others, after), took - previewed * seconds
                    / _TEN_MINUTES, previewed, repeat_teaching(case, name))
        )  # fmt: skip
        with case.change() as change:
            change.variants.set_removed(taken.row.id, True)
        print(number, marks[0].evidence_id, found[-1], flush=True)
    return found


def base_use(case: Case, evidence_id: int) -> TextUse:
    settings = json.loads(text_runs(case, evidence_id)[0].settings)
    use = open_text(case.cache, TextRecipe.from_json(settings["text"]))
    assert use is not None
    return use


def variant_use(case: Case, recipe: str, taught: Taught) -> TextUse:
    use = open_text(case.cache, TextRecipe.from_json(json.loads(recipe)["text"]), taught)
    assert use is not None
    return use


def _video(case: Case, evidence_id: int, use: TextUse) -> _Video:
    row = case.evidence.get(evidence_id)
    found = open_footage(case, row, use, CancelToken(), silent)
    folder = footage() / "ped2" / "testing" / "masks" / row.name
    masks = [cv2.imread(str(one), cv2.IMREAD_GRAYSCALE) for one in sorted(folder.iterdir())]
    return _Video(evidence_id, found, np.stack([np.asarray(one) for one in masks]) > 0)


def _scores(video: _Video, use: TextUse) -> NDArray[np.float32]:
    """Scores every frame by the pack's own calibration, one scale for all videos."""
    plan = video.footage.stored.plan
    kept = [video.footage.slice(number) for number in range(len(video.footage.seconds))]
    maps = text_maps(video.footage.seconds, use.model.read(kept, video.footage.grid))
    channel = TextChannel(use.pack_calibration(), plan.grid)
    return channel.read(maps, plan.seconds)[1]


def _micro(videos: list[_Video], scores: dict[int, NDArray[np.float32]]) -> float:
    labels = np.concatenate([one.masks.any((1, 2)) for one in videos])
    return float(roc_auc_score(labels, np.concatenate([scores[one.evidence_id] for one in videos])))


def _drawn(videos: list[_Video], rng: np.random.Generator) -> tuple[Mark, ...]:
    """Draws two frames of one video and marks one target in both with a box."""
    while True:
        video = videos[int(rng.integers(len(videos)))]
        frames = np.sort(rng.choice(len(video.masks), 2, replace=False)).tolist()
        found = _followed(video.masks, *frames)
        if found is None:
            continue
        marks = []
        for frame, inside in zip(frames, found, strict=True):
            rows, columns = np.nonzero(inside)
            corners = (
                (float(columns.min()), float(rows.min())),
                (float(columns.max() + 1), float(rows.max() + 1)),
            )
            seconds = float(video.footage.stored.seconds[frame])
            marks.append(Mark(video.evidence_id, seconds, _NAME, False, "box", corners))
        return tuple(marks)


def _followed(
    masks: NDArray[np.bool_], first: int, last: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Returns the largest target of a frame, there and in a later one; None when it is lost."""
    labels, count = ndimage.label(masks[first])
    if not count:
        return None
    begun = now = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    for frame in range(first + 1, last + 1):
        labels, _ = ndimage.label(masks[frame])
        shared = np.bincount(labels[now], minlength=2)[1:]
        if not shared.any():
            return None
        now = labels == 1 + int(np.argmax(shared))
    return None if min(begun.sum(), now.sum()) < _LEAST_PIXELS else (begun, now)


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choices", type=int, default=10)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--pack", default="compact")
    options = parser.parse_args()
    print(table(lines(options.choices, options.case, options.pack)))
