"""Video tokens of the compact backbone: the whole picture, and the hot part of it in three bands.

Averaged over the picture, features say little about a target of one pixel in a hundred. Each token
is therefore an average over a part of the picture, weighted by the evidence: what the heatmap
points at is what the language model is shown, as if the rest were blurred. Beside it stands how
the target moved, in its own heights a second, which tells a runner from a walker at any distance.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.render.colour_names import COLOUR_NAMES, colour_numbers
from engine.tvad.backbones.backbone import Backbone, VideoWindow

STEP_TOKENS = 4
"""The whole picture; upper, middle and lower third of what is hot."""

_COLOURS = 6
_MOTION = 4
_FASTEST = 6.0
_BANDS = 3
_LEAST_HEAT = 0.5
_HALF = 0.5
_CHANGED = 14.0
_STILL_WEIGHT = 0.02
_MOST_NAMED = 2_000
CONTEXT = 1 + _MOTION + _COLOURS
"""Leading values of the first token of a step, which say in what light the others are seen."""

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Hot:
    """The part of a picture with the most evidence.

    Attributes:
        weights: float32 [H, W], of its pixels.
        box: x, y, width and height.
        peak: of the heat.
    """

    weights: Weights
    box: tuple[int, int, int, int]
    peak: float

    def bands(self) -> list[Weights]:
        """Returns the weights of its upper, middle and lower third."""
        _, top, _, height = self.box
        edges = np.linspace(top, top + height, _BANDS + 1).round().astype(int).tolist()
        bands = []
        for first, last in itertools.pairwise(edges):
            band = np.zeros_like(self.weights)
            last = max(last, first + 1)
            band[first:last] = self.weights[first:last]
            bands.append(band)
        return bands

    def motion(self, before: _Hot | None, seconds: float) -> NDArray[np.float32]:
        """Returns its height in pictures, width by height, and way in heights a second."""
        x, y, width, height = self.box
        way = np.zeros(2)
        if before is not None and seconds > 0:
            left, top, wide, high = before.box
            size = (height + high) / 2
            moved = np.array([x + width / 2 - left - wide / 2, y + height / 2 - top - high / 2])
            way = np.clip(moved / size / seconds, -_FASTEST, _FASTEST)
        return np.array([height / len(self.weights), width / height, *way], np.float32)


@dataclass(frozen=True)
class LookWidth:
    """How wide a token is.

    Attributes:
        depths: channels of the backbone's four depths.
    """

    depths: tuple[int, int, int, int]

    @property
    def inputs(self) -> int:
        """Heat, motion, mean and deviation of colours, shares of named ones, depths' features."""
        return 1 + _MOTION + _COLOURS + len(COLOUR_NAMES) + sum(self.depths)


class Looks:
    """A window as the backbone sees it, looked at through any heatmap.

    Args:
        backbone: gives features on whole pictures.
        window: T frames.
    """

    def __init__(self, backbone: Backbone, window: VideoWindow) -> None:
        self._maps = backbone.features(window).maps
        self._frames = window.frames[:: backbone.temporal_patch]
        self._seconds = window.seconds[:: backbone.temporal_patch]
        self._usual = np.asarray(np.median(window.frames, axis=0), np.uint8)
        self._inputs = LookWidth(backbone.widths).inputs

    def tokens(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """Computes video tokens.

        Args:
            heat: float32 [T', h, w], calibrated evidence of each step, 0..1.

        Returns:
            float32 [T', 4, inputs] with `LookWidth.inputs`; a band without heat is zero.

        Raises:
            BadInputError: there is not one heatmap a step.
        """
        count = len(self._frames)
        if len(heat) != count:
            raise BadInputError(f"{len(heat)} heatmaps for {count} steps", "", "give one each")
        out = np.zeros((count, STEP_TOKENS, self._inputs), np.float32)
        still, before = np.zeros(_MOTION, np.float32), None
        for step, frame in enumerate(self._frames):
            maps = [one[step] for one in self._maps]
            out[step, 0] = _average(frame, maps, np.ones(frame.shape[:2], np.float32), 1.0, still)
            hot = _hot_part(frame, self._usual, heat[step])
            if hot is not None:
                since = float(self._seconds[step] - self._seconds[max(0, step - 1)])
                moved = hot.motion(before, since)
                for place, weights in enumerate(hot.bands(), 1):
                    if float(weights.sum()) > 0:
                        out[step, place] = _average(frame, maps, weights, hot.peak, moved)
            before = hot
        return out


def _hot_part(
    frame: NDArray[np.uint8], usual: NDArray[np.uint8], heat: NDArray[np.float32]
) -> _Hot | None:
    """Finds the hot target, of which pixels that changed weigh most; None where nothing is hot."""
    height, width = frame.shape[:2]
    peak = float(heat.max(initial=0.0))
    if peak < _LEAST_HEAT:
        return None
    hot = _hottest(heat, peak)
    large = np.asarray(cv2.resize(hot, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    changed = cv2.absdiff(frame, usual).max(2) > _CHANGED
    weights = large * np.where(changed, np.float32(1), np.float32(_STILL_WEIGHT))
    inside = (large > _HALF * peak) & changed
    if inside.sum() < _BANDS * _BANDS:
        inside = large > _HALF * peak
    if not inside.any():
        # The most heat together is not where the hottest cell is.
        inside = large > _HALF * large.max()
    x, y, wide, high = cv2.boundingRect(inside.astype(np.uint8))
    return _Hot(weights, (x, y, wide, high), peak)


def _hottest(heat: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Keeps the connected part with the most heat."""
    mask = np.asarray(heat > _HALF * peak, np.uint8)
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    totals = [float(heat[labels == one].sum()) for one in range(1, count)]
    return np.where(labels == 1 + int(np.argmax(totals)), heat, np.float32(0))


def _average(
    frame: NDArray[np.uint8],
    maps: list[torch.Tensor],
    weights: Weights,
    hot: float,
    moved: NDArray[np.float32],
) -> NDArray[np.float32]:
    pixels = frame.reshape(-1, 3).astype(np.float32) / 255
    flat = weights.reshape(-1) / weights.sum()
    mean = flat @ pixels
    spread = np.sqrt(np.maximum(flat @ (pixels * pixels) - mean * mean, 0))
    parts = [np.array([hot], np.float32), moved, mean, spread, _shares(frame, weights)]
    for values in maps:
        rows, columns = values.shape[-2:]
        small = cv2.resize(weights, (columns, rows), interpolation=cv2.INTER_AREA)
        share = torch.from_numpy(np.asarray(small / small.sum(), np.float32))
        parts.append((values.cpu() * share).sum((1, 2)).numpy())
    return np.concatenate(parts).astype(np.float32)


def _shares(frame: NDArray[np.uint8], weights: Weights) -> NDArray[np.float32]:
    """Shares of the named colours among the pixels that weigh most, float32 [14], sum one.

    A mean of a dark blue top and a beige wall is no colour of either.
    """
    pixels = frame[weights > _HALF * weights.max()]
    pixels = pixels[:: -(-len(pixels) // _MOST_NAMED)]
    votes = np.bincount(colour_numbers(pixels), minlength=len(COLOUR_NAMES))
    return np.asarray(votes / max(1, votes.sum()), np.float32)


def pooled_grid(
    tokens: torch.Tensor, grid: tuple[int, int, int], most: int
) -> tuple[torch.Tensor, tuple[int, int, int]]:
    """Averages video tokens of a large backbone until a step has few enough.

    Args:
        tokens: float32 [steps * rows * columns, D] in raster order.
        grid: steps, rows and columns.
        most: tokens a step.

    Returns:
        The tokens [n, D] and their grid.
    """
    steps, rows, columns = grid
    side = int(most**0.5)
    to = (min(rows, side), min(columns, side))
    maps = tokens.view(steps, rows, columns, -1).permute(0, 3, 1, 2)
    pooled = torch.nn.functional.adaptive_avg_pool2d(maps, to)
    return pooled.permute(0, 2, 3, 1).reshape(-1, tokens.shape[-1]), (steps, *to)
