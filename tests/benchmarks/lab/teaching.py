"""Teaching by example on Ped2: two marked frames of one target, judged on the other videos.

Run: `python -m tests.benchmarks.lab.teaching [--choices 10] [--work DIR] [--pack NAME]`; the
variable SIGHTLINE_FOOTAGE names the folder of real footage. `--work` keeps what was
analysed for later.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from engine.case import Case
from engine.core.progress import CancelToken, silent
from engine.detectors.text.text_channel import TextChannel
from engine.detectors.text.text_detector import TextDetector, open_text
from engine.detectors.text.text_meter import read_maps
from engine.detectors.text.text_recipe import TextRecipe
from engine.few_shot.feature_reader import RunFeatures, open_features, text_runs
from engine.few_shot.marks import Mark
from engine.few_shot.preview import preview_variant
from engine.few_shot.teach_variant import repeat_teaching, teach
from engine.pipeline.variant import VariantWeights
from tests.benchmarks.footage_files import loop
from tests.benchmarks.lines import Line, absolute, footage, run_json, table

_PROMPTS = """language: en
normal: [person walking, people standing, pedestrian]
abnormal: [person riding a bicycle, vehicle, person skating]
"""
_NAME = "person riding a bicycle"
_COMMAND = "python -m tests.benchmarks.lab.teaching --choices {choices}"
_LEAST_PIXELS = 150
_TEN_MINUTES = 600.0


@dataclass(frozen=True, eq=False)
class _Video:
    """One Ped2 video: its evidence, features and true masks bool [n, H, W]."""

    evidence_id: int
    footage: RunFeatures
    masks: NDArray[np.bool_]


@dataclass(frozen=True)
class _Choice:
    """What one random choice of marks came to."""

    before: float
    after: float
    teach_s: float
    same: bool


def lines(work: Path, choices: int = 10, pack: str = "compact") -> list[Line]:
    """Measures and returns the lines of the table.

    Args:
        work: keeps cases and footage.
        choices: random choices of marks.
        pack: name or folder of the pack.
    """
    root = footage() / "ped2" / "testing" / "frames"
    with _analysed(work / "ped2.case", sorted(root.iterdir()), pack) as case:
        trials = _measured(case, choices)
    # A case is not kept beside evidence.
    long = work / "footage" / "ten_minutes.avi"
    if not long.exists():
        long.parent.mkdir(parents=True)
        loop(footage() / "clips" / "vtest.avi", long, _TEN_MINUTES)
    with _analysed(work / "long.case", [long], pack) as case:
        previewed, seconds, frames = _previewed(case)
    gains = np.array([trial.after - trial.before for trial in trials])
    after = np.array([trial.after for trial in trials])
    before = np.array([trial.before for trial in trials])
    command = _COMMAND.format(choices=choices)
    summary = (
        f"{_spread(before)} before, {_spread(after)} after, gain {_spread(gains)}, "
        f"{int((gains > 0).sum())} of {choices} rose"
    )
    aim = float(gains.mean()) >= 0.05 or float(after.mean()) >= 0.95
    taught = np.array([trial.teach_s for trial in trials])
    return [
        Line("Ped2, two marks, text alone, other videos: micro-AUC", "aim at +0.05 or 0.95",
             summary, aim, command),
        Line("the same, marks to variant", "< 10 s", f"{_spread(taught)} s",
             float(taught.max()) < 10, command),
        Line("preview of ten minutes of footage", "< 10 s",
             f"{previewed:.1f} s for {seconds:.0f} s, {frames:,} analysed frames", previewed < 10,
             command),
        Line("taught again from its marks", "the same bytes",
             f"{sum(trial.same for trial in trials)} of {choices}",
             all(trial.same for trial in trials), command),
    ]  # fmt: skip


@contextlib.contextmanager
def _analysed(folder: Path, videos: list[Path], pack: str) -> Iterator[Case]:
    if not folder.exists():
        prompts = folder.with_suffix(".yaml")
        prompts.write_text(_PROMPTS, encoding="utf-8")
        arguments = ("--channels", "scene,text", "--prompts", prompts, "--pack", pack)
        run_json("analyze", *videos, "--case", folder, *arguments)
    with Case.open(folder, write=True) as case:
        yield case


def _previewed(case: Case) -> tuple[float, float, int]:
    """Marks a walker in two frames; returns the seconds of the preview, of footage, and frames."""
    row = case.evidence.all()[0]
    use = base_use(case, row.id)
    features = open_features(case, row, use, CancelToken(), silent)
    paths = [row.trajectory for row in case.results.trajectories(features.run.id)]
    path = max(paths, key=lambda trajectory: len(trajectory.frames))
    marks = []
    for index in (len(path.frames) // 3, 2 * len(path.frames) // 3):
        x, y, w, h = map(float, path.boxes[index])
        seconds = float(features.stored.seconds[int(path.frames[index])])
        marks.append(
            Mark(row.id, seconds, "person in a coat", False, "box", ((x, y), (x + w, y + h)))
        )
    variant, taught = taught_by(case, tuple(marks))
    begun = time.perf_counter()
    preview_variant(case, features, variant, taught, CancelToken(), silent)
    took = time.perf_counter() - begun
    return took, float(features.stored.seconds[-1]), len(features.stored.plan)


def _measured(case: Case, choices: int) -> list[_Choice]:
    first = case.evidence.all()[0]
    use = base_use(case, first.id)
    videos = [_video(case, row.id, use) for row in case.evidence.all()]
    plain = {video.evidence_id: _scores(video, use) for video in videos}
    trials = []
    for number in range(choices):
        marks = _drawn(videos, np.random.default_rng(number))
        others = [video for video in videos if video.evidence_id != marks[0].evidence_id]
        begun = time.perf_counter()
        taken = teach(case, marks, f"choice {number} {time.time_ns()}")
        took = time.perf_counter() - begun
        name = taken.row.variant.name
        taught = VariantWeights.decode(taken.row.variant.body)
        variant = _variant_use(case, taken.row.variant.recipe, taught)
        after = {video.evidence_id: _scores(video, variant) for video in others}
        same = repeat_teaching(case, name)
        trials.append(_Choice(_micro(others, plain), _micro(others, after), took, same))
        with case.change() as change:
            change.variants.set_removed(taken.row.id, True)
        print(number, marks[0].evidence_id, trials[-1], flush=True)
    return trials


def box_around(inside: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Returns the corners of the box around what is True, as a mark has them."""
    rows, columns = np.nonzero(inside)
    first = (float(columns.min()), float(rows.min()))
    return first, (float(columns.max() + 1), float(rows.max() + 1))


def base_use(case: Case, evidence_id: int) -> TextDetector:
    """Opens the text channel as the run of evidence used it."""
    settings = json.loads(text_runs(case, evidence_id)[0].settings)
    use = open_text(case.cache_folder, TextRecipe.from_json(settings["text"]))
    assert use is not None
    return use


def taught_by(case: Case, marks: tuple[Mark, ...]) -> tuple[TextDetector, VariantWeights]:
    """Teaches a variant, which is thrown away at once; returns it in use."""
    row = teach(case, marks, f"choice {time.time_ns()}").row
    with case.change() as change:
        change.variants.set_removed(row.id, True)
    taught = VariantWeights.decode(row.variant.body)
    return _variant_use(case, row.variant.recipe, taught), taught


def _variant_use(case: Case, recipe: str, taught: VariantWeights) -> TextDetector:
    use = open_text(
        case.cache_folder, TextRecipe.from_json(json.loads(recipe)["text"]), taught.decoder
    )
    assert use is not None
    return use


def _video(case: Case, evidence_id: int, use: TextDetector) -> _Video:
    row = case.evidence.get(evidence_id)
    features = open_features(case, row, use, CancelToken(), silent)
    folder = footage() / "ped2" / "testing" / "masks" / row.name
    masks = [
        cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE) for mask_path in sorted(folder.iterdir())
    ]
    return _Video(evidence_id, features, np.stack([np.asarray(mask) for mask in masks]) > 0)


def _scores(video: _Video, use: TextDetector) -> NDArray[np.float32]:
    """Scores every frame by the pack's own calibration, one scale for all videos."""
    plan = video.footage.stored.plan
    slices = [video.footage.slice(number) for number in range(len(video.footage.seconds))]
    maps = read_maps(use.model, video.footage.seconds, slices, video.footage.grid)
    channel = TextChannel(use.pack_calibration(), plan.grid)
    return channel.score(maps, plan.seconds).scores


def _micro(videos: list[_Video], scores: dict[int, NDArray[np.float32]]) -> float:
    labels = np.concatenate([video.masks.any((1, 2)) for video in videos])
    return float(
        roc_auc_score(labels, np.concatenate([scores[video.evidence_id] for video in videos]))
    )


def _drawn(videos: list[_Video], rng: np.random.Generator) -> tuple[Mark, ...]:
    """Draws two frames of one video and marks one target in both with a box."""
    while True:
        video = videos[int(rng.integers(len(videos)))]
        frames = np.sort(rng.choice(len(video.masks), 2, replace=False)).tolist()
        target = _followed(video.masks, *frames)
        if target is None:
            continue
        marks = []
        for frame, inside in zip(frames, target, strict=True):
            seconds = float(video.footage.stored.seconds[frame])
            marks.append(Mark(video.evidence_id, seconds, _NAME, False, "box", box_around(inside)))
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


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choices", type=int, default=10)
    parser.add_argument("--work", type=absolute)
    parser.add_argument("--pack", default="compact")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(table(lines(options.work or Path(scratch), options.choices, options.pack)))


if __name__ == "__main__":
    main()
