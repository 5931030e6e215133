"""Foreground: what differs from the background by more than light and noise explain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_SAMPLE_STEP = 4  # every so many pixels across and down, exposure and noise are measured
_NORMAL_DEVIATIONS = 1.4826  # times the median deviation is the standard one of normal noise
_MIN_GRADIENT = 8  # grey levels from which a gradient is texture and not noise; a choice
_GRADIENT_PERCENTILE = 60  # of a picture's gradients, which texture must exceed as well; a choice


@dataclass(frozen=True)
class TexturedBackground:
    """A background ready to compare with.

    Attributes:
        picture: uint8 [H, W], smoothed.
        textured: bool [H, W], where flow can be trusted.
    """

    picture: NDArray[np.uint8]
    textured: NDArray[np.bool_]


def prepare_background(picture: NDArray[np.uint8]) -> TexturedBackground:
    """Smooths a median background uint8 [H, W] and finds its texture."""
    smooth = np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.uint8)
    return TexturedBackground(smooth, _smooth_texture(smooth))


def find_texture(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Marks where flow from or to a picture uint8 [H, W] can be trusted: bool [H, W]."""
    return _smooth_texture(np.asarray(cv2.GaussianBlur(picture, (5, 5), 0), np.uint8))


def _smooth_texture(smooth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Marks the texture of a picture that was smoothed already."""
    gradient = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    usual = float(np.percentile(gradient, _GRADIENT_PERCENTILE))
    return np.asarray(gradient > max(_MIN_GRADIENT, usual), np.bool_)


def foreground_mask(
    frame: NDArray[np.uint8],
    background: TexturedBackground,
    min_difference: float,
    noise_factor: float,
) -> tuple[NDArray[np.uint8], float]:
    """Marks foreground.

    The median difference (a change of exposure) is subtracted first; the threshold rises with
    the picture's own noise, so that infrared footage does not light up everywhere.

    Args:
        frame: uint8 [H, W], grey.
        background: the background, of the same size.
        min_difference: difference to the background, in grey levels, from which a pixel counts.
        noise_factor: the same difference in standard deviations of the noise; the larger counts.

    Returns:
        uint8 [H, W], 1 = foreground, and the share of the picture, 0..1, that differs by more
        than `min_difference`. That share shows a lighting change, which passes for noise and so
        lifts the threshold.
    """
    difference = cv2.GaussianBlur(frame, (5, 5), 0).astype(np.int16) - background.picture
    sample = difference[::_SAMPLE_STEP, ::_SAMPLE_STEP]
    exposure = np.median(sample)
    noise = _NORMAL_DEVIATIONS * np.median(np.abs(sample - exposure))
    threshold = max(min_difference, noise_factor * float(noise))
    beyond = np.abs(difference - np.int16(exposure))
    return np.asarray(beyond > threshold, np.uint8), float((beyond > min_difference).mean())
