"""Synthetic pictures for the tests of motion: textured grounds, textured targets, noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.settings import MotionSettings
from engine.motion.grid import Grid
from engine.motion.motion_maps import SPEED_UNIT, MotionMaps
from engine.motion.motion_meter import ChunkPictures, MotionMeter

Picture = NDArray[np.uint8]
SETTINGS = MotionSettings()


def texture(width: int, height: int, seed: int = 0, low: int = 60, high: int = 150) -> Picture:
    """Smooth noise in which flow can hold on to something: uint8 [height, width]."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    scaled = (smooth - np.min(smooth)) / np.ptp(smooth)
    return np.asarray(low + scaled * (high - low), np.uint8)


def moving_square(
    count: int,
    step: tuple[float, float],
    size: tuple[int, int] = (160, 96),
    edge: int = 24,
    start: tuple[float, float] = (20, 30),
) -> Picture:
    """A textured square that moves `step` pixels a frame over a ground: uint8 [n, h, w]."""
    width, height = size
    ground, target = texture(width, height), texture(edge, edge, 1, 180, 255)
    pictures = np.repeat(ground[None], count, axis=0)
    for i in range(count):
        x, y = round(start[0] + i * step[0]), round(start[1] + i * step[1])
        pictures[i, y : y + edge, x : x + edge] = target
    return pictures


def noisy(pictures: NDArray[np.integer], sigma: float = 1.5, seed: int = 9) -> Picture:
    """Adds the noise of a camera."""
    noise = np.random.default_rng(seed).normal(0, sigma, pictures.shape)
    return np.asarray(np.clip(pictures.astype(np.float64) + noise, 0, 255), np.uint8)


def grid_of(pictures: Picture) -> Grid:
    height, width = pictures.shape[1:]
    return Grid.fit(width, height, SETTINGS.analysis_area, SETTINGS.cell)


def measured(chunk: ChunkPictures, rate: float = 25.0, threads: int = 1) -> MotionMaps:
    with MotionMeter(grid_of(chunk.pictures), SETTINGS, rate, threads) as meter:
        return meter.measure(chunk)


def measured_alone(pictures: Picture, rate: float = 25.0) -> MotionMaps:
    return measured(ChunkPictures.alone(pictures, np.arange(len(pictures)) / rate), rate)


def velocity(maps: MotionMaps, frame: int) -> tuple[float, float]:
    """Mean velocity of the foreground of one frame, px/s."""
    weight = maps.foreground[frame].astype(np.float64)
    assert weight.sum() > 0
    return (
        float((maps.vx[frame] * weight).sum() / weight.sum() * SPEED_UNIT),
        float((maps.vy[frame] * weight).sum() / weight.sum() * SPEED_UNIT),
    )
