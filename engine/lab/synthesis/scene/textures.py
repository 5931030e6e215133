"""Procedural surfaces: what the ground and the walls look like at a point in metres."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""float32 [h, w]."""
Picture = NDArray[np.float32]
"""float32 [h, w, 3], RGB, 0..1."""

_SIZE = 512  # pixels of a tile of noise; its repetition is not seen at the scales used


def fractal(rng: np.random.Generator, slope: float, size: int = _SIZE) -> Plane:
    """Makes tileable noise whose amplitude falls with frequency to the power `slope`.

    Returns:
        float32 [size, size], mean 0, standard deviation 1.
    """
    across = np.fft.rfftfreq(size)[None, :]
    down = np.fft.fftfreq(size)[:, None]
    frequency = np.sqrt(across**2 + down**2)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * frequency**-slope
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(noise / noise.std(), dtype=np.float32)


class Surfaces:
    """Paints surfaces at given places; one object per scene, drawn from one generator.

    All methods take places float32 [h, w] in metres and `fineness` float32 [h, w], the metres
    that one pixel covers, so that patterns finer than a pixel fade instead of flickering.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._rough = fractal(rng, 0.4)
        self._mid = fractal(rng, 0.9)
        self._soft = fractal(rng, 1.6)

    def _noise(self, tile: Plane, x: Plane, y: Plane, period: float) -> Plane:
        shift_x, shift_y = self._rng.uniform(0, _SIZE, 2)
        scale = _SIZE / period
        map_x = np.mod(x * scale + shift_x, _SIZE).astype(np.float32)
        map_y = np.mod(y * scale + shift_y, _SIZE).astype(np.float32)
        return np.asarray(
            cv2.remap(tile, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        )

    def _grain(self, x: Plane, y: Plane, fineness: Plane) -> Plane:
        near = self._noise(self._rough, x, y, 6.0) / (1 + (fineness / 0.035) ** 2)
        wide = self._noise(self._mid, x, y, 23.0) / (1 + (fineness / 0.3) ** 2)
        return np.asarray(near * 0.5 + wide * 0.6, dtype=np.float32)

    def asphalt(self, x: Plane, y: Plane, fineness: Plane, tone: float) -> Picture:
        """Paints asphalt with patches, stains and cracks."""
        value = tone + 0.022 * self._grain(x, y, fineness)
        value += 0.03 * self._noise(self._soft, x, y, 31.0)
        ridge = np.abs(self._noise(self._soft, x, y, 13.0))
        crack = np.clip(1 - ridge / (0.012 + fineness * 0.25), 0, 1)
        rare = np.clip(self._noise(self._soft, x, y, 37.0) - 0.3, 0, 1)
        value -= 0.16 * crack * rare
        stain = np.clip(self._noise(self._mid, x, y, 9.0) - 1.9, 0, 1)
        value -= 0.12 * stain
        return _tint(value, (1.0, 1.0, 1.015))

    def paving(
        self, x: Plane, y: Plane, fineness: Plane, tone: float, slab: tuple[float, float]
    ) -> Picture:
        """Paints slabs of `slab` metres in running bond, each of its own brightness."""
        across, along = slab
        row = np.floor(y / along)
        inside_y = y / along - row
        column_share = x / across + 0.5 * np.mod(row, 2)
        column = np.floor(column_share)
        inside_x = column_share - column
        own = np.sin(row * 12.9898 + column * 78.233) * 43758.547
        own = (own - np.floor(own)).astype(np.float32) - 0.5
        fade = 1 / (1 + (fineness / (0.5 * min(slab))) ** 2)
        value = tone + 0.075 * own * fade + 0.022 * self._grain(x, y, fineness)
        value += 0.028 * self._noise(self._soft, x, y, 29.0)
        gap = np.minimum(
            np.minimum(inside_x, 1 - inside_x) * across, np.minimum(inside_y, 1 - inside_y) * along
        )
        width = 0.012 + 0.5 * fineness
        joint = np.clip(1 - gap / width, 0, 1) * np.clip(0.03 / width, 0, 1)
        return _tint(value - 0.17 * joint * fade, (1.02, 1.0, 0.965))

    def grass(self, x: Plane, y: Plane, fineness: Plane, tone: float) -> Picture:
        """Paints a lawn, drier in places."""
        blades = self._noise(self._rough, x, y, 4.0) / (1 + (fineness / 0.04) ** 2)
        tufts = self._noise(self._mid, x, y, 11.0) / (1 + (fineness / 0.4) ** 2)
        value = tone * (1 + 0.12 * blades + 0.13 * tufts)
        dry = np.clip(0.5 + 0.35 * self._noise(self._soft, x, y, 27.0), 0, 1)
        red = value * (0.74 + 0.22 * dry)
        green = value * (0.94 + 0.02 * dry)
        blue = value * (0.5 + 0.12 * dry)
        return np.asarray(np.stack([red, green, blue], axis=-1), dtype=np.float32)

    def foliage(self, x: Plane, z: Plane, fineness: Plane) -> Picture:
        """Paints bushes and trees as seen from outside; `z` is metres above the ground."""
        leaves = self._noise(self._rough, x, z, 3.0) / (1 + (fineness / 0.05) ** 2)
        clumps = self._noise(self._mid, x, z, 7.0) / (1 + (fineness / 0.3) ** 2)
        depth = np.clip(self._noise(self._mid, x, z, 16.0), -1.5, 1.5)
        value = np.clip(0.27 * (1 + 0.25 * leaves + 0.3 * clumps + 0.2 * depth), 0.04, 0.6)
        value *= np.clip(0.55 + 0.3 * z, 0.55, 1.1)
        dry = np.clip(0.5 + 0.4 * self._noise(self._soft, x, z, 21.0), 0, 1)
        red, green, blue = value * (0.72 + 0.2 * dry), value, value * (0.5 + 0.1 * dry)
        return np.asarray(np.stack([red, green, blue], axis=-1), dtype=np.float32)

    def concrete(
        self, x: Plane, z: Plane, fineness: Plane, colour: tuple[float, float, float]
    ) -> Picture:
        """Paints a bare wall with joints and streaks; `z` is metres above the ground."""
        shade = 1 + 0.05 * self._grain(x, z, fineness)
        shade += 0.05 * self._noise(self._soft, x * 3, z * 0.4, 24.0)
        soft = np.maximum(fineness, 0.02)
        for position, period in ((x, 2.4), (z, 1.25)):
            gap = np.abs(np.mod(position, period) - period / 2)
            shade -= 0.18 * np.clip(1 - gap / soft, 0, 1) * np.clip(0.03 / soft, 0, 1)
        shade -= 0.2 * np.clip((0.4 - z) / soft, 0, 1)
        return np.asarray(shade[..., None] * np.array(colour, dtype=np.float32), dtype=np.float32)

    def wall(
        self, x: Plane, z: Plane, fineness: Plane, colour: tuple[float, float, float]
    ) -> Picture:
        """Paints a facade: brick courses, rows of windows, a plinth; `z` is metres above ground."""
        bay, storey = self._rng.uniform(2.6, 4.2), self._rng.uniform(2.9, 3.4)
        layer = np.floor(z / 0.075)
        brick = np.sin(layer * 7.13 + np.floor(x / 0.22 + 0.5 * np.mod(layer, 2)) * 3.71) * 9137.3
        own = (brick - np.floor(brick)).astype(np.float32) - 0.5
        shade = 1 + 0.2 * own / (1 + (fineness / 0.06) ** 2)
        shade += 0.035 * self._grain(x, z, fineness) + 0.05 * self._noise(self._soft, x, z, 24.0)
        picture = shade[..., None] * np.array(colour, dtype=np.float32)
        across = np.abs(np.mod(x, bay) - bay / 2)
        up = np.mod(z, storey)
        half = bay * self._rng.uniform(0.24, 0.36)
        soft = np.maximum(fineness, 0.02)
        frame = _box(across, up, half + 0.08, 0.85, 2.35, soft)
        glass = _box(across, up, half, 0.95, 2.25, soft) * (1 - _box(across, up, 0.03, 0, 3, soft))
        sky = 0.16 + 0.06 * self._noise(self._soft, x, z, 19.0) + 0.05 * (up - 1.5)
        pane = _tint(np.clip(sky, 0.05, 0.6), (0.9, 1.0, 1.1))
        picture = picture + frame[..., None] * (np.float32(0.72) - picture)
        picture = picture + glass[..., None] * (pane - picture)
        plinth = np.clip((0.5 - z) / soft, 0, 1)[..., None]
        return np.asarray(picture + plinth * (picture * 0.62 - picture), dtype=np.float32)


def _box(
    across: Plane, up: Plane, half: float, low: float, high: float, soft: Plane
) -> NDArray[np.float32]:
    side = np.clip((half - across) / soft + 0.5, 0, 1)
    bottom = np.clip((up - low) / soft + 0.5, 0, 1)
    top = np.clip((high - up) / soft + 0.5, 0, 1)
    return np.asarray(side * bottom * top, dtype=np.float32)


def _tint(value: Plane, tint: tuple[float, float, float]) -> Picture:
    return np.asarray(value[..., None] * np.array(tint, dtype=np.float32), dtype=np.float32)
