"""Heatmap noise: true heatmaps are made to look measured, so that RAE learns from both alike."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]

# A cell counts as abnormal from this score on, as an event starts; a choice.
_HOT_SCORE = 0.5
# Of the hot cells, the share that may lie away from the true target; a choice.
_MAX_STRAY_SHARE = 0.2
# Of the random targets, the share that stays where it is; a choice.
_STILL_SHARE = 0.15


def add_heatmap_noise(heat: Heat, rng: np.random.Generator) -> Heat:
    """Makes a true heatmap look like one that was measured.

    Targets get another strength (still above the limit), another size and soft edges, and are
    missed in some steps; what moves as usual glows below the limit.

    Args:
        heat: float32 [n, R, C], the heatmaps of a perfect detector.
        rng: draws the errors.

    Returns:
        float32 [n, R, C], 0..1.
    """
    strength = float(rng.uniform(0.65, 1.0))
    sigma = float(rng.uniform(0.0, 1.3))
    grows = int(rng.integers(0, 2))
    missed = rng.random(len(heat)) < rng.choice((0.0, 0.2, 0.5), p=(0.6, 0.25, 0.15))
    # The first and the last hot step tell where the target starts and ends.
    hot_steps = np.flatnonzero(heat.max((1, 2)) > 0)
    missed[hot_steps[:1]] = missed[hot_steps[-1:]] = False
    glow = _glow(heat.shape, rng)
    noisy = np.empty_like(heat)
    for step, true_heat in enumerate(heat):
        step_heat = true_heat.copy()
        if grows:
            step_heat = np.asarray(cv2.dilate(step_heat, np.ones((3, 3), np.uint8)), np.float32)
        if sigma > 0.2:
            peak = float(step_heat.max())
            step_heat = np.asarray(cv2.GaussianBlur(step_heat, (0, 0), sigma), np.float32)
            step_heat *= peak / max(float(step_heat.max()), 1e-6)
        wobble = float(rng.uniform(0.85, 1.0))
        seen_heat = 0.0 if missed[step] else step_heat * strength * wobble
        noisy[step] = np.maximum(seen_heat, glow[step])
    return np.clip(noisy, 0, 1).astype(np.float32)


def random_target_heatmap(shape: tuple[int, int, int], rng: np.random.Generator) -> Heat:
    """Draws the heatmap of one target that crosses the frame or stays where it is.

    Nothing has to be rendered for it, so RAE sees far more positions and trajectories than there
    are in footage.

    Args:
        shape: steps, rows and columns.
        rng: draws start, end and size of the target.

    Returns:
        float32 of `shape`, 1 inside the target and 0 elsewhere.
    """
    steps, rows, columns = shape
    heatmap = np.zeros(shape, np.float32)
    start = rng.uniform(0, 1, 2)
    end = start if rng.random() < _STILL_SHARE else rng.uniform(0, 1, 2)
    size = float(np.exp(rng.uniform(np.log(0.04), np.log(0.35))))
    half = size * rows / 2, size * float(rng.uniform(0.3, 1.2)) * rows / 2
    for step in range(steps):
        y, x = start + (end - start) * (step / max(1, steps - 1))
        top, bottom = _within(y * rows, half[0], rows)
        left, right = _within(x * columns, half[1], columns)
        heatmap[step, top:bottom, left:right] = 1
    return heatmap


def _within(middle: float, half: float, length: int) -> tuple[int, int]:
    first = int(np.clip(round(middle - half), 0, length - 1))
    return first, int(np.clip(round(middle + half), first + 1, length))


def agrees(heat: Heat, truth: Heat) -> bool:
    """Returns whether a measured heatmap shows what is true of its span.

    A span whose target the detectors missed, or in which they measured something else, would teach
    a language model to say what it is not shown; such samples are left out of training.

    Args:
        heat: float32 [n, R, C], as it was measured.
        truth: float32 [n, R, C], that of a perfect detector.
    """
    hot, target = heat >= _HOT_SCORE, truth > 0
    if not target.any():
        return not hot.any()
    matches = [
        bool((hot_step & target_step).any())
        for hot_step, target_step in zip(hot, target, strict=True)
        if target_step.any()
    ]
    around = np.asarray(target.any(0), np.uint8)
    near = np.asarray(cv2.dilate(around, np.ones((5, 5), np.uint8))) > 0
    strays = int((hot & ~near).sum())
    enough = sum(matches) >= 0.6 * len(matches)
    return matches[0] and matches[-1] and enough and strays <= _MAX_STRAY_SHARE * int(hot.sum())


def _glow(shape: tuple[int, ...], rng: np.random.Generator) -> Heat:
    """Draws what moves as usual: soft moving spots below the limit."""
    glow = np.zeros(shape, np.float32)
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
                glow[step] = np.maximum(glow[step], spot / max(float(spot.max()), 1e-6) * level)
    return glow
