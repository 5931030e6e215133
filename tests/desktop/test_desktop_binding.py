"""The Qt binding is sound on this Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_no_type_of_qt_is_left_to_be_made_by_two_threads_at_once() -> None:
    script = (
        "import desktop.app\n"
        "from PySide6 import QtCore, QtGui, QtWidgets\n"
        "seldom = (QtCore, 'QXmlStreamReader'), (QtGui, 'QPdfWriter'), (QtWidgets, 'QWizard')\n"
        "print([name for module, name in seldom if name not in vars(module)])\n"
    )
    environment = {key: value for key, value in os.environ.items() if "PYSIDE" not in key}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
