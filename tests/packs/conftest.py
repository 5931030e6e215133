from __future__ import annotations

from pathlib import Path

import pytest

from engine.packs.pack_folders import PACKS_VARIABLE, WEIGHTS_VARIABLE


@pytest.fixture(autouse=True)
def user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's packs and weights lie in the test's own folder."""
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "user-packs"))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "user-weights"))
    return tmp_path / "user-packs"
