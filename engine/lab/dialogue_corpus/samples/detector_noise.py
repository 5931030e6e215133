"""Heatmaps as a detector that errs would give them: RAE learns maps, not their source."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]

_HOT = 0.5
_OVERLAP = 0.2
_KEEPS_PLACE = 0.15


def erring(heat: Heat, rng: np.random.Generator) -> Heat:
    """Makes a heatmap of truth look like one that was measured.

    Targets get another strength (beyond the limit all the same), another size and soft edges, and
    are missed in a step now and then; usual things glow below the limit.

    Args:
        heat: float32 [n, R, C], of a perfect detector.
        rng: draws the errors.

    Returns:
        float32 [n, R, C], 0..1.
    """
    strength = float(rng.uniform(0.65, 1.0))
    sigma = float(rng.uniform(0.0, 1.3))
    grown = int(rng.integers(0, 2))
    missed = rng.random(len(heat)) < rng.choice((0.0, 0.2, 0.5), p=(0.6, 0.25, 0.15))
    # The first and the last step with evidence say from where to where.
    shown = np.flatnonzero(heat.max((1, 2)) > 0)
    missed[shown[:1]] = missed[shown[-1:]] = False
    glow = _glow(heat.shape, rng)
    out = np.empty_like(heat)
    for step, given in enumerate(heat):
        one = given.copy()
        if grown:
            one = np.asarray(cv2.dilate(one, np.ones((3, 3), np.uint8)), np.float32)
        if sigma > 0.2:
            peak = float(one.max())
            one = np.asarray(cv2.GaussianBlur(one, (0, 0), sigma), np.float32)
            one *= peak / max(float(one.max()), 1e-6)
        wobble = float(rng.uniform(0.85, 1.0))
        out[step] = np.maximum(0.0 if missed[step] else one * strength * wobble, glow[step])
    return np.clip(out, 0, 1).astype(np.float32)


def wandering(shape: tuple[int, int, int], rng: np.random.Generator) -> Heat:
    """Draws the heatmap of one target that crosses the picture, or keeps its place.

    Nothing has to be rendered for it, so that RAE sees far more places and ways than footage has.

    Args:
        shape: steps, rows and columns.
        rng: draws everything.
    """
    steps, rows, columns = shape
    out = np.zeros(shape, np.float32)
    start = rng.uniform(0, 1, 2)
    end = start if rng.random() < _KEEPS_PLACE else rng.uniform(0, 1, 2)
    size = float(np.exp(rng.uniform(np.log(0.04), np.log(0.35))))
    half = size * rows / 2, size * float(rng.uniform(0.3, 1.2)) * rows / 2
    for step in range(steps):
        y, x = start + (end - start) * (step / max(1, steps - 1))
        top, bottom = _within(y * rows, half[0], rows)
        left, right = _within(x * columns, half[1], columns)
        out[step, top:bottom, left:right] = 1
    return out


def _within(middle: float, half: float, length: int) -> tuple[int, int]:
    first = int(np.clip(round(middle - half), 0, length - 1))
    return first, int(np.clip(round(middle + half), first + 1, length))


def agrees(heat: Heat, truth: Heat) -> bool:
    """Whether measured evidence can be spoken of as the truth has it.

    A span whose target the detectors did not find, or in which they found something else, teaches
    a language model to say what it is not shown; such samples are left out of training.

    Args:
        heat: float32 [n, R, C], measured.
        truth: float32 [n, R, C], of a perfect detector.
    """
    hot, wanted = heat >= _HOT, truth > 0
    if not wanted.any():
        return not hot.any()
    found = [bool((h & w).any()) for h, w in zip(hot, wanted, strict=True) if w.any()]
    around = np.asarray(wanted.any(0), np.uint8)
    near = np.asarray(cv2.dilate(around, np.ones((5, 5), np.uint8))) > 0
    strays = int((hot & ~near).sum())
    enough = sum(found) >= 0.6 * len(found)
    return found[0] and found[-1] and enough and strays <= _OVERLAP * int(hot.sum())


def _glow(shape: tuple[int, ...], rng: np.random.Generator) -> Heat:
    """Things that move as usual: soft spots below the limit that wander."""
    out = np.zeros(shape, np.float32)
    rows, columns = shape[1:]
    for _ in range(int(rng.integers(0, 5))):
        level = float(rng.uniform(0.05, 0.42))
        radius = float(rng.uniform(0.7, 2.5))
        x, y = rng.uniform(0, columns), rng.uniform(0, rows)
        dx, dy = rng.normal(0, columns / 30), rng.normal(0, rows / 40)
        for step in range(shape[0]):
            spot = np.zeros((rows, columns), np.float32)
            cx, cy = round(x + dx * step), round(y + dy * step)
            if 0 <= cx < columns and 0 <= cy < rows:
                spot[cy, cx] = 1
                spot = np.asarray(cv2.GaussianBlur(spot, (0, 0), radius), np.float32)
                out[step] = np.maximum(out[step], spot / max(float(spot.max()), 1e-6) * level)
    return out
