"""Foreground: what differs from the background by more than light and noise explain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_SAMPLE_STEP = 4


@dataclass(frozen=True)
class Background:
    """A background ready to compare with.

    Attributes:
        picture: uint8 [H, W], smoothed.
        textured: bool [H, W], where flow can be trusted.
    """

    picture: NDArray[np.uint8]
    textured: NDArray[np.bool_]


def prepare_background(picture: NDArray[np.uint8]) -> Background:
    """Smooths a median background uint8 [H, W] and finds its texture."""
    smooth = np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.uint8)
    return Background(smooth, _textured(smooth))


def find_texture(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Marks where flow from or to a picture uint8 [H, W] can be trusted: bool [H, W]."""
    return _textured(np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.uint8))


def _textured(smooth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    gradient = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(gradient > max(8, float(np.percentile(gradient, 60))), np.bool_)


def foreground_mask(
    frame: NDArray[np.uint8], background: Background, least: float, noise_factor: float
) -> tuple[NDArray[np.uint8], float]:
    """Marks foreground.

    The median difference (a change of exposure) is taken away first; the threshold rises with
    the picture's own noise, so that infrared footage does not light up everywhere.

    Args:
        frame: uint8 [H, W], grey.
        background: of the same size.
        least: least difference in grey levels.
        noise_factor: least difference in standard deviations of the noise.

    Returns:
        uint8 [H, W], 1 = foreground, and the share of the picture, 0..1, that differs by more
        than `least`. That share tells a new light: it passes for noise and lifts the threshold.
    """
    difference = cv2.GaussianBlur(frame, (5, 5), 0).astype(np.int16) - background.picture
    sample = difference[::_SAMPLE_STEP, ::_SAMPLE_STEP]
    exposure = np.median(sample)
    noise = 1.4826 * np.median(np.abs(sample - exposure))
    threshold = max(least, noise_factor * float(noise))
    beyond = np.abs(difference - np.int16(exposure))
    return np.asarray(beyond > threshold, np.uint8), float((beyond > least).mean())
