"""Motion in units of the scene: what transfers between cameras is "times what is usual here"."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from engine.tvad.backbones.backbone import WindowMotion

SCENE_CHANNELS = 24
"""Channels of `scene_motion`, which its docstring lists."""

PEOPLE_HEIGHT = 60.0
"""Height of people, in pixels, to which pictures are scaled for a network: seven cells of the grid
of the compact backbone. A choice."""

# All of these are part of what packs were trained on, so another value asks for another training;
# they are choices and were not varied one by one.
_WALKERS_SPEED = 0.75 * PEOPLE_HEIGHT
"""Pixels a second of someone who walks, for rows whose usual speed is not known: 0.75 body heights
are 1.3 m at a height of 1.75 m."""

_MIN_USUAL_SPEED = 2.0  # pixels a second: below that, noise would count as many times the usual
_MAX_MULTIPLE = 8.0  # to which multiples of the usual are compressed; what is faster is as unusual

_NEIGHBOUR_SLICES = 2
"""Slices between a slice and the earlier and the later one that stand beside it: 0.4 s at ten
frames a second."""

_SURROUNDINGS = 9
"""Cells, across and down, that count as a target's own: a little more than the height of people."""


def scene_motion(
    motion: WindowMotion, size: tuple[int, int], grid: tuple[int, int]
) -> torch.Tensor:
    """Turns measured motion into the channels that the decoder joins to every depth.

    Args:
        motion: motion of a window.
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
    values = _resize(values, grid)
    factor = size[0] / motion.width
    usual = _usual_rows(motion.usual * factor, grid[0])
    speeds = values[:, :4] * factor
    units = _compress(speeds / usual)
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
            _compress(speeds[:, 2:3] / PEOPLE_HEIGHT),
            _agreement(units[:, :2], foreground),
            blurred,
            torch.log(usual / _WALKERS_SPEED).expand(len(values), 1, -1, grid[1]),
            _neighbour_slices(torch.cat([units[:, :2], foreground], 1)),
            _window_motion(units, foreground),
            _motion_among_others(units[:, :2], foreground),
        ],
        1,
    )


def still_motion(slices: int, grid: tuple[int, int]) -> torch.Tensor:
    """Returns the channels of a picture in which nothing moves: zeros [slices, 24, h, w]."""
    return torch.zeros(slices, SCENE_CHANNELS, *grid)


def _resize(values: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    if values.shape[-2] > grid[0]:
        return functional.adaptive_avg_pool2d(values, grid)
    return functional.interpolate(values, grid, mode="bilinear", align_corners=False)


def _usual_rows(usual: NDArray[np.float32], rows: int) -> torch.Tensor:
    line = torch.from_numpy(np.ascontiguousarray(usual, np.float32)).view(1, 1, -1)
    line = torch.where(line > 0, line, torch.tensor(_WALKERS_SPEED))
    line = functional.interpolate(line, rows, mode="linear", align_corners=False)
    return line.view(1, 1, rows, 1).clamp(min=_MIN_USUAL_SPEED)


def _compress(values: torch.Tensor) -> torch.Tensor:
    """Leaves small values as they are and keeps every value within ±8."""
    return _MAX_MULTIPLE * torch.tanh(values / _MAX_MULTIPLE)


def _agreement(velocity: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Returns motion along the direction in which most of the scene moves, [T', 1, h, w]."""
    moving = foreground * velocity
    stream = moving.sum((2, 3), keepdim=True) / (foreground.sum((2, 3), keepdim=True) + 1)
    return _along(velocity, stream)[0]


def _along(velocity: torch.Tensor, stream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns motion along a stream and the stream's speed, [T', 1, h, w] each or broadcast so."""
    length: torch.Tensor = torch.linalg.vector_norm(stream, dim=1, keepdim=True)
    along: torch.Tensor = (velocity * stream).sum(1, keepdim=True)
    return along / (length + torch.tensor(0.2)), length


def _neighbour_slices(values: torch.Tensor) -> torch.Tensor:
    """Returns values [T', C, h, w] of an earlier and a later slice, [T', 2C, h, w]."""
    slices = torch.arange(len(values))
    before = values[(slices - _NEIGHBOUR_SLICES).clamp(min=0)]
    after = values[(slices + _NEIGHBOUR_SLICES).clamp(max=len(values) - 1)]
    return torch.cat([before, after], 1)


def _window_motion(units: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Returns for each cell over the whole window the mean velocity, its spread, and standing."""
    weight = foreground.sum(0, keepdim=True) + 0.5
    velocity = units[:, :2]
    mean = (foreground * velocity).sum(0, keepdim=True) / weight
    apart = ((velocity - mean) ** 2).sum(1, keepdim=True)
    spread = torch.sqrt((foreground * apart).sum(0, keepdim=True) / weight + 1e-6)
    standing = (foreground * torch.exp(-2 * units[:, 2:3])).mean(0, keepdim=True)
    window = functional.avg_pool2d(torch.cat([mean, spread, standing], 1), 3, 1, 1)
    return window.expand(len(units), -1, -1, -1)


def _motion_among_others(velocity: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Returns motion along the stream of all that moves elsewhere, and the stream's speed."""
    moving = torch.cat([foreground * velocity, foreground], 1)
    near = functional.avg_pool2d(moving, _SURROUNDINGS, 1, _SURROUNDINGS // 2) * _SURROUNDINGS**2
    others = moving.sum((2, 3), keepdim=True) - near
    stream = others[:, :2] / (others[:, 2:].clamp(min=0) + 4)
    return torch.cat(_along(velocity, stream), 1)
