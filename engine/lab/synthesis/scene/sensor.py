"""What a camera makes of the light: shake, sharpness, colour, infrared, contrast, noise, clock."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.scene.textures import Plane

_MARGIN = 64  # pixels around the picture that shaking may bring into view

MIXES: dict[str, tuple[float, float, float]] = {
    "grey": (0.299, 0.587, 0.114),
    "infrared": (0.35, 1.05, -0.4),
}
"""How much of red, green and blue a camera without colour sees, by look."""


@dataclass(frozen=True)
class Sensor:
    """How a camera sees; the defaults change nothing.

    Attributes:
        look: `colour`, `grey` or `infrared`.
        sharpness: size of the sensor relative to the picture, which is enlarged from it; 1 sharp.
        shake: standard deviation of the picture's place, in pixels.
        contrast: 1 unchanged; applied around the middle grey.
        gamma: 1 unchanged, below 1 brighter shadows.
        flicker: relative standard deviation of the exposure from frame to frame.
        saturation: 1 unchanged.
        clock: corner that shows a burned-in clock (`top left`, `bottom right`, …) or "".
        clock_start: seconds of the clock at the first frame.
        crf: x264's quality, lower is better.
    """

    look: str = "colour"
    sharpness: float = 1.0
    shake: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    flicker: float = 0.0
    saturation: float = 1.0
    clock: str = ""
    clock_start: int = 0
    crf: int = 20

    @property
    def colourless(self) -> bool:
        """Whether the picture is grey."""
        return self.look != "colour"


PLAIN = Sensor()
"""A colour camera that adds nothing of its own."""


class Exposure:
    """Turns rendered frames into what the sensor gives, one after another.

    Args:
        sensor: how the camera sees.
        size: width and height of the picture.
        noise: standard deviation of the sensor's noise, in grey levels.
        blur: standard deviation of the lens's blur, in pixels of the sensor.
        seed: of noise, shake and flicker.
    """

    def __init__(
        self, sensor: Sensor, size: tuple[int, int], noise: float, blur: float, seed: int
    ) -> None:
        self._sensor, self._size, self._blur = sensor, size, blur
        share = sensor.sharpness
        self._inner = (max(16, round(size[0] * share)), max(16, round(size[1] * share)))
        self._grain = Grain(np.random.default_rng(seed), self._inner, noise, sensor.colourless)
        self._rng = np.random.default_rng([seed, 1])
        self._offset = np.zeros(2)
        self._table = _curve(sensor)
        self._lamp = _lamp(size) if sensor.look == "infrared" else None

    def take(self, rgb: Bytes, ids: Bytes, seconds: float) -> tuple[Bytes, Bytes]:
        """Returns picture and ids as the camera gives them; same shapes as before."""
        sensor = self._sensor
        rgb, ids = self._shake(rgb, ids)
        if self._inner != self._size:
            rgb = np.asarray(cv2.resize(rgb, self._inner, interpolation=cv2.INTER_AREA), np.uint8)
        if self._blur > 0:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), self._blur), np.uint8)
        rgb = self._apply_look(rgb)
        level = 1 + sensor.flicker * float(self._rng.standard_normal()) if sensor.flicker else 1.0
        if level != 1.0:
            rgb = np.asarray(cv2.convertScaleAbs(rgb, alpha=level), np.uint8)
        if self._table is not None:
            rgb = np.asarray(cv2.LUT(rgb, self._table), np.uint8)
        rgb = self._grain.over(rgb)
        if self._inner != self._size:
            rgb = np.asarray(cv2.resize(rgb, self._size, interpolation=cv2.INTER_LINEAR), np.uint8)
        if sensor.clock:
            rgb = np.ascontiguousarray(rgb)
            _stamp(rgb, sensor.clock, sensor.clock_start + int(seconds))
        return rgb, ids

    def _shake(self, rgb: Bytes, ids: Bytes) -> tuple[Bytes, Bytes]:
        shake = self._sensor.shake
        if shake <= 0:
            return rgb, ids
        # An unsteady mast: what is left of the last offset, and a push.
        self._offset = 0.8 * self._offset + 0.6 * shake * self._rng.standard_normal(2)
        dx, dy = np.clip(self._offset, -2.5 * shake, 2.5 * shake)
        zoom = 1 + 5 * shake / min(self._size)
        matrix = np.array(
            [
                [zoom, 0.0, dx + (1 - zoom) * self._size[0] / 2],
                [0.0, zoom, dy + (1 - zoom) * self._size[1] / 2],
            ]
        )
        moved = cv2.warpAffine(
            rgb, matrix, self._size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        marked = cv2.warpAffine(
            ids, matrix, self._size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT
        )
        return np.asarray(moved, np.uint8), np.asarray(marked, np.uint8)

    def _apply_look(self, rgb: Bytes) -> Bytes:
        sensor = self._sensor
        if sensor.colourless:
            mixed = cv2.transform(rgb, np.array([MIXES[sensor.look]], dtype=np.float32))
            if self._lamp is not None:
                height, width = mixed.shape[:2]
                lamp = cv2.resize(self._lamp, (width, height), interpolation=cv2.INTER_LINEAR)
                mixed = cv2.multiply(mixed, lamp, dtype=cv2.CV_8U)
            return np.asarray(cv2.merge([mixed] * 3), np.uint8)
        if sensor.saturation != 1.0:
            keep = np.float32(sensor.saturation)
            grey = np.array(MIXES["grey"], dtype=np.float32)[None].repeat(3, axis=0)
            matrix = keep * np.eye(3, dtype=np.float32) + (1 - keep) * grey
            return np.asarray(cv2.transform(rgb, matrix), np.uint8)
        return rgb


class Grain:
    """Sensor noise: one large tile, laid over each frame at another place.

    Args:
        rng: draws the tile and the places.
        size: width and height of the frames.
        noise: standard deviation in grey levels.
        grey: whether all three channels share the noise.
    """

    def __init__(
        self, rng: np.random.Generator, size: tuple[int, int], noise: float, grey: bool
    ) -> None:
        self._rng = rng
        self._width, self._height = size
        shape = (self._height + _MARGIN, self._width + _MARGIN)
        bright = rng.standard_normal(shape, dtype=np.float32)[..., None]
        colour = rng.standard_normal((*shape, 3), dtype=np.float32)
        colour = cv2.GaussianBlur(colour, (0, 0), 0.8) * (0.0 if grey else 1.0)
        mixed = cv2.GaussianBlur((bright + 0.6 * colour).astype(np.float32), (0, 0), 0.45)
        self._tile = np.round(noise * mixed / max(float(mixed.std()), 1e-6)).astype(np.int16)

    def over(self, rgb: Bytes) -> Bytes:
        """Returns the picture, uint8 [h, w, 3], with noise."""
        x, y = self._rng.integers(0, _MARGIN, 2)
        tile = self._tile[y : y + self._height, x : x + self._width]
        return np.asarray(cv2.add(rgb, tile, dtype=cv2.CV_8U), dtype=np.uint8)


def _curve(sensor: Sensor) -> Bytes | None:
    if sensor.contrast == 1.0 and sensor.gamma == 1.0:
        return None
    value = (np.arange(256) / 255) ** sensor.gamma
    value = (value - 0.45) * sensor.contrast + 0.45
    return np.asarray(np.clip(np.round(value * 255), 0, 255), np.uint8)


def _lamp(size: tuple[int, int]) -> Plane:
    """Returns how bright the camera's own lamp makes the picture: a pool that fades outwards."""
    across = (np.arange(size[0]) / size[0] - 0.5)[None, :] * 1.7
    down = (np.arange(size[1]) / size[1] - 0.62)[:, None] * 1.9
    return np.asarray(0.5 + 0.8 * np.exp(-1.2 * (across**2 + down**2)), dtype=np.float32)


def _stamp(rgb: Bytes, corner: str, seconds: int) -> None:
    """Writes a clock into a corner, in place."""
    height, width = rgb.shape[:2]
    text = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    scale = height / 640
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = 8 if corner.endswith("left") else width - wide - 8
    y = tall + 8 if corner.startswith("top") else height - 8
    cv2.putText(rgb, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(rgb, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (240, 240, 240), 1, cv2.LINE_AA)
