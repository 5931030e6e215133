"""Frames as pictures for the screen, with the examiner's view settings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from desktop.state.view_state import PictureSettings


def to_image(rgb: NDArray[np.uint8], settings: PictureSettings) -> QImage:
    """Returns a frame as a picture that is quick to paint.

    Args:
        rgb: uint8 [H, W, 3].
        settings: of the view; the frame itself is not changed.
    """
    picture = rgb
    if settings.deinterlace:
        picture = first_field(picture)
    if (settings.brightness, settings.contrast, settings.gamma) != (0.0, 1.0, 1.0):
        picture = tone_table(settings)[picture]
    picture = np.ascontiguousarray(picture)
    height, width = picture.shape[:2]
    image = QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def tone_table(settings: PictureSettings) -> NDArray[np.uint8]:
    """Returns what each level of a colour becomes, uint8 [256]."""
    level = np.linspace(0, 1, 256)
    level = (level - 0.5) * settings.contrast + 0.5 + settings.brightness
    level = np.clip(level, 0, 1) ** (1 / settings.gamma)
    return np.round(level * 255).astype(np.uint8)


def first_field(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns a frame whose second field's lines are the mean of the lines around them."""
    picture = rgb.copy()
    above = picture[:-1:2][: len(picture[1::2])].astype(np.uint16)
    below = picture[2::2].astype(np.uint16)
    lines = picture[1::2]
    lines[: len(below)] = (above[: len(below)] + below) // 2
    lines[len(below) :] = above[len(below) :]
    return picture


def heat_image(rgba: NDArray[np.uint8]) -> QImage:
    """Returns a small picture of heat, uint8 [R, C, 4], to be painted over a frame."""
    own = np.ascontiguousarray(rgba)
    height, width = own.shape[:2]
    image = QImage(own.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
