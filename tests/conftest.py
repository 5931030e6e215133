"""What all tests share: the real footage, where there is some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before pytest-qt loads Qt: it decides how the types of Qt are made.
import desktop  # noqa: F401

_NAME_IT = "name its folder in SIGHTLINE_FOOTAGE"


def _footage() -> Path | None:
    """Returns the folder that SIGHTLINE_FOOTAGE names, if it is one of real footage."""
    folder = Path(os.environ.get("SIGHTLINE_FOOTAGE") or os.devnull)
    return folder if (folder / "clips").is_dir() else None


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of the real footage; tests that need it are skipped where it is missing."""
    folder = _footage()
    if folder is None:
        pytest.skip(f"no real footage; {_NAME_IT}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end whether the tests of real footage ran."""
    folder = _footage()
    said = f"without footage; {_NAME_IT}" if folder is None else f"with footage of {folder}"
    terminalreporter.write_line(said)
