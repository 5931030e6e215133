"""Lets the tests of this folder share their material."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.case.case_material import make_case


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    return make_case(tmp_path / "gate.case")
