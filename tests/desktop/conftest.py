"""What tests of the window share: an offscreen Qt, and nothing left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import psutil
import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves a thread or a child process behind."""
    before = set(threading.enumerate())
    children = set(psutil.Process().children())
    yield
    left = [one.name for one in threading.enumerate() if one not in before and one.is_alive()]
    assert not left, f"threads left behind: {left}"
    orphans = [one for one in psutil.Process().children() if one not in children]
    assert not orphans, f"processes left behind: {orphans}"
