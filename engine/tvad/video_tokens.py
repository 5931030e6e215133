"""Video tokens of a frame: the whole of it, and its hottest region in three bands.

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

VIDEO_STEP_TOKENS = 4
"""The whole picture; upper, middle and lower third of the hottest region."""

_COLOUR_VALUES = 6  # mean and deviation of red, green and blue
_MOTION_VALUES = 4  # what `_HottestRegion.motion` returns
CONTEXT_VALUES = 1 + _MOTION_VALUES + _COLOUR_VALUES
"""Leading values of the first token of a step, which say in what light the others are seen."""

# Parts into which a region is cut from above, as head, trunk and legs of someone who stands.
_BANDS = 3
# A pack was trained with all of these, so that another value asks for another training; they are
# choices and were not varied one by one.
_MAX_SPEED = 6.0  # heights a second: nobody on foot is faster, so more is an error of the box
_MIN_HEAT = 0.5  # calibrated score from which a frame has a region: the limit of the usual
_EXTENT_THRESHOLD = 0.5  # share of a peak that still belongs to what lies around it
_CHANGE_THRESHOLD = 14  # grey levels beyond noise and compression that a pixel differs from usual
_STILL_WEIGHT = 0.02  # of pixels that did not change, so that a target standing still is seen too
_MAX_NAMED_PIXELS = 2_000  # bounds the time that naming colours takes

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _HottestRegion:
    """The region of a frame with the most evidence.

    Attributes:
        weights: float32 [H, W], how much each pixel belongs to it.
        box: x, y, width and height, in pixels.
        peak: largest heat in the frame, 0..1.
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

    def motion(self, before: _HottestRegion | None, seconds: float) -> NDArray[np.float32]:
        """Returns its height in pictures, width by height, and velocity in heights a second."""
        x, y, width, height = self.box
        velocity = np.zeros(2)
        if before is not None and seconds > 0:
            left, top, old_width, old_height = before.box
            size = (height + old_height) / 2
            moved = np.array(
                [x + width / 2 - left - old_width / 2, y + height / 2 - top - old_height / 2]
            )
            velocity = np.clip(moved / size / seconds, -_MAX_SPEED, _MAX_SPEED)
        return np.array([height / len(self.weights), width / height, *velocity], np.float32)


def token_width(depths: tuple[int, int, int, int]) -> int:
    """Returns how many numbers a token has for a backbone whose four depths have these channels.

    They are heat, motion, mean and deviation of colours, shares of named colours, and features.
    """
    return CONTEXT_VALUES + len(COLOUR_NAMES) + sum(depths)


class VideoTokens:
    """A window as the backbone sees it, from which tokens are made under any heatmap.

    Args:
        backbone: computes features of whole pictures.
        window: T frames.
    """

    def __init__(self, backbone: Backbone, window: VideoWindow) -> None:
        self._maps = backbone.features(window).maps
        self._frames = window.frames[:: backbone.temporal_patch]
        self._seconds = window.seconds[:: backbone.temporal_patch]
        self._usual = np.asarray(np.median(window.frames, axis=0), np.uint8)
        self._width = token_width(backbone.widths)

    def under(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """Computes the tokens that show what a heatmap points at.

        Args:
            heat: float32 [T', h, w], calibrated evidence of each step, 0..1.

        Returns:
            float32 [T', 4, `token_width`]; a band without heat is zero.

        Raises:
            BadInputError: there is not one heatmap a step.
        """
        count = len(self._frames)
        if len(heat) != count:
            raise BadInputError(f"{len(heat)} heatmaps for {count} steps", "", "give one each")
        out = np.zeros((count, VIDEO_STEP_TOKENS, self._width), np.float32)
        still, before = np.zeros(_MOTION_VALUES, np.float32), None
        for step, frame in enumerate(self._frames):
            maps = [depth[step] for depth in self._maps]
            out[step, 0] = _average(frame, maps, np.ones(frame.shape[:2], np.float32), 1.0, still)
            region = hottest_region(frame, self._usual, heat[step])
            if region is not None:
                since = float(self._seconds[step] - self._seconds[max(0, step - 1)])
                motion = region.motion(before, since)
                for token, weights in enumerate(region.bands(), 1):
                    if float(weights.sum()) > 0:
                        out[step, token] = _average(frame, maps, weights, region.peak, motion)
            before = region
        return out


def hottest_region(
    frame: NDArray[np.uint8], usual: NDArray[np.uint8], heat: NDArray[np.float32]
) -> _HottestRegion | None:
    """Finds the hottest region of a frame, in which pixels that changed weigh most.

    Args:
        frame: uint8 [H, W, 3], RGB.
        usual: uint8 [H, W, 3], the median of the frames around it.
        heat: float32 [h, w], 0..1, any grid.

    Returns:
        The region, or None where nothing is hot.
    """
    height, width = frame.shape[:2]
    peak = float(heat.max(initial=0.0))
    if peak < _MIN_HEAT:
        return None
    hot = _hottest_cells(heat, peak)
    large = np.asarray(cv2.resize(hot, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    changed = cv2.absdiff(frame, usual).max(2) > _CHANGE_THRESHOLD
    weights = large * np.where(changed, np.float32(1), np.float32(_STILL_WEIGHT))
    inside = (large > _EXTENT_THRESHOLD * peak) & changed
    if inside.sum() < _BANDS * _BANDS:
        inside = large > _EXTENT_THRESHOLD * peak
    if not inside.any():
        # The most heat together is not where the hottest cell is.
        inside = large > _EXTENT_THRESHOLD * large.max()
    x, y, box_width, box_height = cv2.boundingRect(inside.astype(np.uint8))
    return _HottestRegion(weights, (x, y, box_width, box_height), peak)


def _hottest_cells(heat: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Keeps the connected cells that have the most heat together, and clears all others."""
    mask = np.asarray(heat > _EXTENT_THRESHOLD * peak, np.uint8)
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    totals = [float(heat[labels == label].sum()) for label in range(1, count)]
    return np.where(labels == 1 + int(np.argmax(totals)), heat, np.float32(0))


def _average(
    frame: NDArray[np.uint8],
    maps: list[torch.Tensor],
    weights: Weights,
    peak: float,
    motion: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Returns the token of what weighs in a frame, float32 [`token_width`]."""
    pixels = frame.reshape(-1, 3).astype(np.float32) / 255
    flat = weights.reshape(-1) / weights.sum()
    mean = flat @ pixels
    spread = np.sqrt(np.maximum(flat @ (pixels * pixels) - mean * mean, 0))
    parts = [np.array([peak], np.float32), motion, mean, spread, _colour_shares(frame, weights)]
    for values in maps:
        rows, columns = values.shape[-2:]
        small = cv2.resize(weights, (columns, rows), interpolation=cv2.INTER_AREA)
        share = torch.from_numpy(np.asarray(small / small.sum(), np.float32))
        parts.append((values.cpu() * share).sum((1, 2)).numpy())
    return np.concatenate(parts).astype(np.float32)


def _colour_shares(frame: NDArray[np.uint8], weights: Weights) -> NDArray[np.float32]:
    """Returns shares of the named colours in the pixels that weigh most, float32 [14], sum one.

    A mean of a dark blue top and a beige wall is no colour of either.
    """
    pixels = frame[weights > _EXTENT_THRESHOLD * weights.max()]
    pixels = pixels[:: -(-len(pixels) // _MAX_NAMED_PIXELS)]
    votes = np.bincount(colour_numbers(pixels), minlength=len(COLOUR_NAMES))
    return np.asarray(votes / max(1, votes.sum()), np.float32)


def pool_grid(
    tokens: torch.Tensor, grid: tuple[int, int, int], max_tokens: int
) -> tuple[torch.Tensor, tuple[int, int, int]]:
    """Averages video tokens of a large backbone until a step has few enough.

    Args:
        tokens: float32 [steps * rows * columns, D] in raster order.
        grid: steps, rows and columns.
        max_tokens: tokens of a step.

    Returns:
        The tokens [n, D] and their grid.
    """
    steps, rows, columns = grid
    side = int(max_tokens**0.5)
    to = (min(rows, side), min(columns, side))
    maps = tokens.view(steps, rows, columns, -1).permute(0, 3, 1, 2)
    pooled = torch.nn.functional.adaptive_avg_pool2d(maps, to)
    return pooled.permute(0, 2, 3, 1).reshape(-1, tokens.shape[-1]), (steps, *to)
