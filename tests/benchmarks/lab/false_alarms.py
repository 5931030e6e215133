"""A harmless oddity that keeps raising alarms, and what is left of them once one is marked.

Run: `python -m tests.benchmarks.lab.false_alarms [--work DIR] [--choices 10] [--seed 1]`. Of each
of three cameras two videos show walkers only and teach what is usual, four show what is harmless
there though the detector does not know it (riders, skaters, carts), three something wrong. `--work`
keeps them.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.detectors.text.text_detector import TextDetector
from engine.few_shot.preview import preview_scores
from engine.lab.datasets.rendered_footage import RenderedVideo, rendered_videos
from engine.lab.synthesis.footage.abnormal_actors import add_abnormal
from engine.lab.synthesis.footage.normal_actors import add_walkers
from engine.lab.synthesis.footage.settings import random_setting
from engine.lab.synthesis.footage.stage import Stage
from engine.lab.synthesis.render_video import VideoSpec
from engine.lab.synthesis.write_videos import write_split, write_video
from engine.pipeline.variant import VariantWeights
from engine.tracking.events import EventSpan, find_events
from tests.benchmarks.lab.teaching import base_use, taught_by
from tests.benchmarks.lab.teaching_rendered import Clip, marked, opened_clips
from tests.benchmarks.lines import Line, absolute, run_json, table

_COMMAND = "python -m tests.benchmarks.lab.false_alarms --choices {choices} --seed {seed}"
_ODD = {"cycling": "delivery rider", "skating": "child on skates", "driving": "keeper's cart"}
_WRONG = ("running", "falling", "fighting")
_USUAL, _HARMLESS = 2, 4
_USUAL_S, _OTHER_S = 12.0, 8.0
_SIZE = (640, 360)
_SCENE = 9001
_PLACES, _WALKERS = 60, 5


@dataclass(frozen=True)
class _Alarm:
    """An event that a target raises: a span in which the heat on it stands out.

    Attributes:
        clip: number of the clip.
        span: of the event.
        target: number of the target.
        harmless: whether it is what may be declared harmless; otherwise something is wrong.
    """

    clip: int
    span: EventSpan
    target: int
    harmless: bool


def lines(work: Path, choices: int = 10, seed: int = 1) -> list[Line]:
    """Measures and returns the lines of the table.

    Args:
        work: keeps footage and case.
        choices: random alarms that are marked.
        seed: of everything drawn.
    """
    videos = _footage(work / "footage", seed)
    folder = work / "alarms.case"
    if not folder.exists():
        _analyse(videos, folder)
    with Case.open(folder, write=True) as case:
        use = base_use(case, case.evidence.all()[0].id)
        clips = opened_clips(case, videos, use)
        numbers = range(len(clips))
        alarms = [
            alarm for n in numbers for alarm in _alarms(case, n, clips[n], use, VariantWeights(b""))
        ]
        counts = _quieted(case, clips, alarms, choices)
    alike, gone, true, lost = np.array(counts).sum(0).tolist()
    shares = [row[1] / row[0] for row in counts]
    losses = [row[3] / max(1, row[2]) for row in counts]
    command = _COMMAND.format(choices=choices, seed=seed)
    return [
        Line("a false alarm marked as normal: further ones like it gone", ">= 80 %",
             f"{gone / alike:.1%} of {alike} in {len(counts)} choices "
             f"({min(shares):.0%} to {max(shares):.0%})", gone >= 0.8 * alike, command),
        Line("the same: true events gone", "<= 5 %",
             f"{lost / max(1, true):.1%} of {true} ({min(losses):.0%} to {max(losses):.0%})",
             lost <= 0.05 * true, command),
    ]  # fmt: skip


def _footage(to: Path, seed: int) -> list[RenderedVideo]:
    """Renders what is missing; the truth lies beside it."""
    names = []
    for camera, odd in enumerate(_ODD):
        scene = _SCENE + camera
        folder = to / f"Scene{scene}"
        folder.mkdir(parents=True, exist_ok=True)
        for number, spec in enumerate(_drawn(np.random.default_rng([seed, camera]), odd)):
            kind = "abnormal" if _happening(number, odd) else "normal"
            name = f"{kind}_scene_{scene}_scenario_{number + 1}"
            names.append(name)
            if not (folder / f"{name}_targets.json").exists():
                write_video(folder, name, spec, seed + number, CancelToken())
                print(name, flush=True)
    write_split(to, "test", names)
    return rendered_videos(to, "test")


def _happening(number: int, odd: str) -> str:
    """Returns what happens in a video of a camera; empty for nothing."""
    if number < _USUAL:
        return ""
    return odd if number < _USUAL + _HARMLESS else _WRONG[number - _USUAL - _HARMLESS]


def _drawn(rng: np.random.Generator, odd: str) -> list[VideoSpec]:
    """Draws the videos of a camera at the first place that has room for all of them."""
    for _ in range(_PLACES):
        setting = random_setting(rng, "test", _SIZE)
        videos = []
        for number in range(_USUAL + _HARMLESS + len(_WRONG)):
            happening = _happening(number, odd)
            seconds = _OTHER_S if happening else _USUAL_S
            stage = Stage(rng, setting, "test", seconds)
            if happening and not add_abnormal(stage, happening, 0.5 * seconds):
                break
            if happening and not any(
                stage.shows(actor) for actor in stage.actors if actor.abnormal
            ):
                break
            add_walkers(stage, _WALKERS)
            videos.append(stage.video())
        else:
            return videos
    raise BadInputError("no place has room for the oddity", odd, "use another seed")


def _analyse(videos: list[RenderedVideo], case: Path) -> None:
    for scene in sorted({video.camera for video in videos}):
        mine = sorted((video for video in videos if video.camera == scene), key=_scenario)
        usual = [word for video in mine[:_USUAL] for word in ("--normal", video.path)]
        others = [video.path for video in mine[_USUAL:]]
        run_json("analyze", *others, "--case", case, "--channels", "scene,text", *usual)


def _scenario(video: RenderedVideo) -> int:
    return int(video.name.rsplit("_", 1)[1])


def _alarms(
    case: Case, number: int, clip: Clip, use: TextDetector, taught: VariantWeights
) -> list[_Alarm]:
    """Finds the events that abnormal targets raise, each by the heat on its own cells."""
    stored = clip.footage.stored
    judged = preview_scores(case, clip.footage, use, taught, CancelToken())
    heat = np.concatenate([block.heat for block in judged])
    on_target: dict[int, NDArray[np.float32]] = {}
    for index, frame in enumerate(stored.plan.frames.tolist()):
        ids = clip.video.ids(frame)
        for target in clip.video.abnormal(frame, frame):
            cells = maximum_filter(_cells(ids == target.number, clip.footage.grid), 3)
            if cells.any():
                scores = on_target.setdefault(target.number, np.zeros(len(heat), np.float32))
                scores[index] = heat[index][cells].max()
    harmless = _scenario(clip.video) <= _USUAL + _HARMLESS
    return [
        _Alarm(number, span, target, harmless)
        for target, scores in on_target.items()
        for span in find_events(scores, stored.plan.seconds, stored.settings.tracking)
    ]


def _cells(mask: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.bool_]:
    small = cv2.resize(mask.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small > 0, np.bool_)


def _quieted(
    case: Case, clips: list[Clip], alarms: list[_Alarm], choices: int
) -> list[tuple[int, int, int, int]]:
    """Marks one alarm as normal, choice by choice.

    Returns:
        Further alarms like it, those of them that are gone, true events, those of them gone: all
        of the same camera.
    """
    counts: list[tuple[int, int, int, int]] = []
    odd = [alarm for alarm in alarms if alarm.harmless]
    print(len(odd), "harmless events,", len(alarms) - len(odd), "true ones", flush=True)
    for number in np.random.default_rng(0).permutation(len(odd)).tolist():
        if len(counts) == choices:
            break
        mine, clip = odd[number], clips[odd[number].clip]
        words = list(_ODD.values())[int(clip.video.camera) - _SCENE]
        marks = marked(clip, mine.span.first, mine.span.last, mine.target, words, True)
        here = {n for n, other in enumerate(clips) if other.video.camera == clip.video.camera}
        alike = [alarm for alarm in odd if alarm.clip in here and alarm is not mine]
        true = [alarm for alarm in alarms if not alarm.harmless and alarm.clip in here]
        if marks is None or not alike:
            continue
        variant, taught = taught_by(case, marks)
        left = [alarm for n in here for alarm in _alarms(case, n, clips[n], variant, taught)]
        gone = sum(not _stays(alarm, left) for alarm in alike)
        lost = sum(not _stays(alarm, left) for alarm in true)
        counts.append((len(alike), gone, len(true), lost))
        print(clip.video.name, words, counts[-1], flush=True)
    return counts


def _stays(alarm: _Alarm, left: list[_Alarm]) -> bool:
    span = alarm.span
    return any(
        (other.clip, other.target) == (alarm.clip, alarm.target)
        and other.span.first <= span.last
        and other.span.last >= span.first
        for other in left
    )


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=absolute)
    parser.add_argument("--choices", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(table(lines(options.work or Path(scratch), options.choices, options.seed)))


if __name__ == "__main__":
    main()
