"""Motion in units of the scene: what transfers between cameras is "times what is usual here"."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.tvad.backbones.backbone import WindowMotion

SCENE_CHANNELS = 24
"""Channels of `scene_motion`."""

PEOPLE = 60.0
"""Height of people, in pixels, at which the network sees them."""

_WALK = 0.75
"""Body heights a second of someone who walks, for rows whose usual speed is not known."""

_TOP = 8.0

_APART = 2
"""Slices between a slice and what it is told of before and after."""

_SURROUNDINGS = 9
"""Cells, across and down, that count as a target's own: a little more than the height of people."""


def scene_motion(
    motion: WindowMotion, size: tuple[int, int], grid: tuple[int, int]
) -> torch.Tensor:
    """Turns measured motion into the channels that the decoder joins to every depth.

    Args:
        motion: of a window.
        size: width and height of the picture the backbone sees.
        grid: rows and columns of the result.

    Returns:
        float32 [T', 24, h, w]: velocity to the right and downwards, magnitude and deviation as
        multiples of the usual speed of the row (compressed beyond 8); difference; foreground;
        logarithm of the magnitude's multiple; magnitude in body heights a second; agreement
        with the direction in which most of the scene moves; foreground and magnitude averaged
        over the window; logarithm of the usual speed in body heights a second. Then velocity and
        foreground two slices before, the same two slices after; over the window the mean velocity
        of what moves, its spread, and how long a target keeps the place; motion along the stream
        of everyone else, and that stream's speed.
    """
    values = torch.from_numpy(np.ascontiguousarray(motion.values, np.float32))
    values = _resized(values, grid)
    factor = size[0] / motion.width
    usual = _usual_rows(motion.usual * factor, grid[0])
    speeds = values[:, :4] * factor
    units = _compressed(speeds / usual)
    difference, foreground = values[:, 4:5] * 4, values[:, 5:6]
    magnitude = units[:, 2:3]
    window = torch.cat([foreground, magnitude], 1).mean(0, keepdim=True)
    blurred = functional.avg_pool2d(window, 3, 1, 1).expand(len(values), -1, -1, -1)
    return torch.cat(
        [
            units,
            difference,
            foreground,
            torch.log1p(magnitude),
            _compressed(speeds[:, 2:3] / PEOPLE),
            _agreement(units[:, :2], foreground),
            blurred,
            torch.log(usual / (_WALK * PEOPLE)).expand(len(values), 1, -1, grid[1]),
            _apart(torch.cat([units[:, :2], foreground], 1)),
            _course(units, foreground),
            _among_others(units[:, :2], foreground),
        ],
        1,
    )


def still_motion(slices: int, grid: tuple[int, int]) -> torch.Tensor:
    """Returns the channels of a picture in which nothing moves: zeros [slices, 24, h, w]."""
    return torch.zeros(slices, SCENE_CHANNELS, *grid)


def _resized(values: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    if values.shape[-2] > grid[0]:
        return functional.adaptive_avg_pool2d(values, grid)
    return functional.interpolate(values, grid, mode="bilinear", align_corners=False)


def _usual_rows(usual: NDArray[np.float32], rows: int) -> torch.Tensor:
    line = torch.from_numpy(np.ascontiguousarray(usual, np.float32)).view(1, 1, -1)
    line = torch.where(line > 0, line, torch.tensor(_WALK * PEOPLE))
    line = functional.interpolate(line, rows, mode="linear", align_corners=False)
    return line.view(1, 1, rows, 1).clamp(min=2.0)


def _compressed(values: torch.Tensor) -> torch.Tensor:
    """Leaves small values as they are and keeps every value within ±8."""
    return _TOP * torch.tanh(values / _TOP)


def _agreement(velocity: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    moving = foreground * velocity
    stream = moving.sum((2, 3), keepdim=True) / (foreground.sum((2, 3), keepdim=True) + 1)
    return _along(velocity, stream)[0]


def _along(velocity: torch.Tensor, stream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns motion along a stream and the stream's speed, [T', 1, h, w] each or broadcast so."""
    length: torch.Tensor = torch.linalg.vector_norm(stream, dim=1, keepdim=True)
    along: torch.Tensor = (velocity * stream).sum(1, keepdim=True)
    return along / (length + torch.tensor(0.2)), length


def _apart(values: torch.Tensor) -> torch.Tensor:
    """Returns values [T', C, h, w] of an earlier and a later slice, [T', 2C, h, w]."""
    places = torch.arange(len(values))
    before = values[(places - _APART).clamp(min=0)]
    after = values[(places + _APART).clamp(max=len(values) - 1)]
    return torch.cat([before, after], 1)


def _course(units: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Returns what the whole window holds at each place: mean velocity, its spread, standing."""
    weight = foreground.sum(0, keepdim=True) + 0.5
    velocity = units[:, :2]
    mean = (foreground * velocity).sum(0, keepdim=True) / weight
    apart = ((velocity - mean) ** 2).sum(1, keepdim=True)
    spread = torch.sqrt((foreground * apart).sum(0, keepdim=True) / weight + 1e-6)
    standing = (foreground * torch.exp(-2 * units[:, 2:3])).mean(0, keepdim=True)
    window = functional.avg_pool2d(torch.cat([mean, spread, standing], 1), 3, 1, 1)
    return window.expand(len(units), -1, -1, -1)


def _among_others(velocity: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Returns motion along the stream of all that moves elsewhere, and the stream's speed."""
    moving = torch.cat([foreground * velocity, foreground], 1)
    near = functional.avg_pool2d(moving, _SURROUNDINGS, 1, _SURROUNDINGS // 2) * _SURROUNDINGS**2
    others = moving.sum((2, 3), keepdim=True) - near
    stream = others[:, :2] / (others[:, 2:].clamp(min=0) + 4)
    return torch.cat(_along(velocity, stream), 1)
