"""Draws a whole video: its place, who walks there, what looks odd and what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.core.errors import BadInputError
from engine.lab.synthesis.footage.abnormal_actors import add_abnormal
from engine.lab.synthesis.footage.normal_actors import ODD, add_odd, add_standing, add_walkers
from engine.lab.synthesis.footage.settings import Setting
from engine.lab.synthesis.footage.stage import Stage
from engine.lab.synthesis.people.performers import Performer
from engine.lab.synthesis.phrases import ABNORMAL
from engine.lab.synthesis.render_video import VideoSpec

_CLASSES = tuple(ABNORMAL)
_SHARES = np.array([0.11, 0.13, 0.12, 0.11, 0.1, 0.09, 0.11, 0.08, 0.08, 0.07])
_AT_ONCE = (1, 2, 3, 4), (0.28, 0.44, 0.2, 0.08)
"""Numbers of abnormal classes in one video and their shares: mostly two, so that prompts differ."""
_AT_ONCE_IN_TRAINING = (2, 3, 4, 5), (0.15, 0.3, 0.35, 0.2)
"""The same for training, with more: a frame costs the same, and each target teaches."""
_MAX_WALKERS = 24  # people on screen at most; more hide each other at these picture sizes
_TRIES = 30  # draws of a whole video before its setting is given up


def random_footage(
    rng: np.random.Generator,
    setting: Setting,
    split: str,
    abnormal: bool,
    seconds: float | None = None,
) -> VideoSpec:
    """Draws a video.

    Args:
        rng: the generator.
        setting: where and how it is filmed.
        split: whose wardrobes are used.
        abnormal: whether something goes wrong; otherwise something normal looks odd.
        seconds: its duration; 8 to 12 s when None.

    Raises:
        BadInputError: the place has no room for it.
    """
    seconds = seconds or float(rng.integers(8, 13))
    for _ in range(_TRIES):
        stage = _fill_stage(rng, setting, split, seconds, abnormal)
        if any(stage.shows(actor) for actor in stage.actors if actor.abnormal) == abnormal:
            break
    else:
        raise BadInputError("no room for what should happen", setting.scene.layout, "draw another")
    return stage.video()


def _fill_stage(
    rng: np.random.Generator, setting: Setting, split: str, seconds: float, abnormal: bool
) -> Stage:
    stage = Stage(rng, setting, split, seconds)
    class_names = _abnormal_classes(rng, split) if abnormal else []
    if "against" in class_names or rng.random() < 0.2:
        stage.stream = setting.scene.way_turn + np.pi * float(rng.integers(2))
    when = float(rng.uniform(0.3, 0.65)) * seconds
    for name in class_names:
        add_abnormal(stage, name, when + float(rng.uniform(-0.07, 0.07)) * seconds)
    odd = int(rng.integers(0, 3)) if abnormal else int(rng.integers(1, 5))
    for name in rng.choice(ODD, odd, replace=False):
        add_odd(stage, str(name))
    for _ in range(int(rng.choice((0, 1, 2), p=(0.55, 0.33, 0.12))) if stage.stream is None else 0):
        add_standing(stage)
    walkers = _walkers(rng, setting, stage.stream is not None, seconds)
    add_walkers(stage, walkers)
    order = rng.permutation(len(stage.actors))
    stage.actors = [_renumber(stage.actors[i], n + 1) for n, i in enumerate(order)]
    return stage


def _abnormal_classes(rng: np.random.Generator, split: str) -> list[str]:
    """Draws the classes of a video, all different; mostly several at once.

    Training footage shows more of them: a frame costs the same, and each target teaches.
    """
    counts, shares = _AT_ONCE_IN_TRAINING if split == "train" else _AT_ONCE
    count = int(rng.choice(counts, p=shares))
    drawn = rng.choice(_CLASSES, count, replace=False, p=_SHARES / _SHARES.sum())
    return [str(name) for name in drawn]


def _walkers(rng: np.random.Generator, setting: Setting, stream: bool, seconds: float) -> int:
    """Draws how many walkers pass: few, some or a crowd; fewer where people are large."""
    low, high = ((1, 4), (4, 10), (10, _MAX_WALKERS))[rng.choice(3, p=(0.3, 0.42, 0.28))]
    room = setting.scene.camera.height / setting.person
    count = min(int(rng.integers(low, high + 1)), int(2.2 * room), _MAX_WALKERS)
    return max(count, 7) if stream else max(count, 1)


def _renumber(actor: Performer, number: int) -> Performer:
    return replace(actor, number=number)
