"""The learning curve of a training as a picture: loss and validation metrics over its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.render.raster import put_text

# Layout of the picture in pixels and its colours in RGB, which only please the eye.
_SIZE = (960, 420)
# The same: edges of the plotting area.
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 40, 900, 370
# The same: dark grey of the words.
_INK = (48, 48, 52)
# The same: light grey of the lines at every second tenth.
_GRID = (222, 222, 226)
_LINES = {
    "loss": (120, 110, 20),
    "class_auc": (20, 90, 180),
    "class_auc_large": (90, 160, 230),
    "peak_own": (20, 140, 80),
    "peak_wrong": (200, 60, 50),
}


def learning_curve(log: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """Draws the log of a training.

    Args:
        log: measurements with `step`, `loss` and the steering metrics, in order.

    Returns:
        uint8 [420, 960, 3], RGB; all curves share one axis from 0 to 1.
    """
    page = np.full((_SIZE[1], _SIZE[0], 3), 255, np.uint8)
    steps = max((int(entry["step"]) for entry in log), default=1)
    for tenth in range(0, 11, 2):
        y = round(_BOTTOM - (_BOTTOM - _TOP) * tenth / 10)
        cv2.line(page, (_LEFT, y), (_RIGHT, y), _GRID, 1)
        put_text(page, f"{tenth / 10:.1f}", 24, y - 8, 0.42, _INK, None)
    put_text(page, f"step {steps}", _RIGHT - 40, _BOTTOM + 12, 0.42, _INK, None)
    put_text(page, "step 0", _LEFT, _BOTTOM + 12, 0.42, _INK, None)
    for index, (name, colour) in enumerate(_LINES.items()):
        points = [
            _point(int(entry["step"]) / steps, float(entry[name]))
            for entry in log
            if entry.get(name) is not None
        ]
        if points:
            shape = np.array(points, np.int32)[:, None]
            cv2.polylines(page, [shape], False, colour, 2, cv2.LINE_AA)
        x = _LEFT + 165 * index
        cv2.rectangle(page, (x, 14), (x + 14, 22), colour, cv2.FILLED)
        put_text(page, name, x + 20, 10, 0.42, _INK, None)
    return page


def _point(along: float, value: float) -> tuple[int, int]:
    value = min(1.0, max(0.0, value))
    return round(_LEFT + (_RIGHT - _LEFT) * along), round(_BOTTOM - (_BOTTOM - _TOP) * value)
