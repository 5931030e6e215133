"""What all tests share: the real footage, where there is some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before pytest-qt loads Qt: it decides how the types of Qt are made.
import desktop  # noqa: F401


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of the real footage; tests that need it are skipped where it is missing."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SIGHTLINE_FOOTAGE") or beside)
    if not (folder / "clips").is_dir():
        pytest.skip(f"no real footage in {folder}; name its folder in SIGHTLINE_FOOTAGE")
    return folder
