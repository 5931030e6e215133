"""The Qt binding is sound on this Python."""

from __future__ import annotations

import sys

from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication


def test_calls_that_return_nothing_lose_no_reference_to_none(qapp: QApplication) -> None:
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for _ in range(2000):
        painter.save()
        painter.restore()
    assert sys.getrefcount(None) > before - 1000
    painter.end()
