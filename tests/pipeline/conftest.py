"""A video of a street and an empty case for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.case import Case
from tests.pipeline.pipeline_material import street_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street_video(tmp_path_factory.mktemp("street") / "street.mp4")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case.create(tmp_path / "new.case")
