"""The pictures that backbones take: their size, their normalisation, and what is refused."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from engine.core.errors import BadInputError
from engine.tvad.backbones.backbone import Features, VideoWindow
from engine.tvad.backbones.scene_units import scene_motion, still_motion

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)  # red, green and blue, 0..1
OPENAI_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures on which CLIP was trained, as its authors publish them, and Qwen2.5-VL."""

MAX_AREA = 640 * 480
"""Pixels of the largest picture, which bounds memory and time; the size of the rendered footage on
which the compact pack is trained."""

# Cells of the deepest features, across and down, to which video tokens are averaged: a choice.
_TOKEN_GRID = 3

# How far a picture may be scaled so that people get the wanted height: below a quarter there is
# little left of anything else, beyond three times nothing is added but blur. A choice.
_MIN_SCALE, _MAX_SCALE = 0.25, 3.0


def fit_picture(
    size: tuple[int, int], people: float | None, wanted_people: float, multiple: int
) -> tuple[int, int]:
    """Scales a picture so that people get the wanted height, within `MAX_AREA`.

    Args:
        size: width and height of the decoded picture.
        people: usual height of people in it, when it was measured.
        wanted_people: their height in the scaled picture, in pixels.
        multiple: of which the scaled width and height must be multiples.

    Returns:
        Width and height.
    """
    width, height = size
    scale = wanted_people / people if people else 1.0
    scale = min(max(scale, _MIN_SCALE), _MAX_SCALE)
    scale = min(scale, (MAX_AREA / (width * height)) ** 0.5)
    return _align(width * scale, multiple), _align(height * scale, multiple)


def check_window(window: VideoWindow, temporal_patch: int, multiple: int, blocks: str) -> None:
    """Refuses a window whose frames do not fit a backbone, or whose motion does not fit its frames.

    Args:
        window: the window.
        temporal_patch: frames that become one slice.
        multiple: of which width and height must be multiples.
        blocks: what pictures are made of, in words.

    Raises:
        BadInputError: its length or size does not fit, or motion is of another number of slices.
    """
    frames, height, width = window.frames.shape[:3]
    if not frames or frames % temporal_patch:
        what = f"a window of {frames} frames is not made of pairs"
        raise BadInputError(what, "", "give an even number")
    if width % multiple or height % multiple or not width * height:
        what = f"a picture of {width}x{height} is not made of {blocks}"
        raise BadInputError(what, "", "scale it to the size that the backbone names")
    slices = frames // temporal_patch
    if window.motion is not None and len(window.motion.values) != slices:
        what = f"{len(window.motion.values)} slices of motion for {slices} pairs"
        raise BadInputError(what, "", "give one slice a pair")


def motion_features(window: VideoWindow, slices: int, stride: int) -> torch.Tensor:
    """Returns the motion beside a window in units of the scene, [slices, 24, H/stride, W/stride].

    A window without measured motion is treated as a still picture.
    """
    height, width = window.frames.shape[1:3]
    grid = (height // stride, width // stride)
    if window.motion is None:
        return still_motion(slices, grid)
    return scene_motion(window.motion, (width, height), grid)


def average_tokens(features: Features) -> torch.Tensor:
    """Returns the deepest features averaged over 3x3 cells, float32 [T'*9, C]."""
    pooled = functional.adaptive_avg_pool2d(features.maps[-1], _TOKEN_GRID)
    return pooled.flatten(2).transpose(1, 2).flatten(0, 1)


def to_tensor(frames: np.ndarray, device: str) -> torch.Tensor:
    """Moves pictures uint8 [n, H, W, 3] to a device as uint8 [n, 3, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2)


def _align(side: float, multiple: int) -> int:
    return max(2, round(side / multiple)) * multiple
