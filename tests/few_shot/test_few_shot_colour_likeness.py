"""Targets are known again by their colours; what cannot be seen any more keeps its likeness."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken
from engine.few_shot.colour_likeness import colour_histogram, colour_likeness
from engine.few_shot.marks import load_marks
from engine.few_shot.similarity_search import find_similar
from tests.few_shot.few_shot_material import made_case, mark, marks_file

CELLS = np.zeros((9, 16), np.bool_)
CELLS[3:7, 5:7] = True


def dressed(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> np.ndarray:
    picture = np.full((90, 160, 3), 120, np.uint8)
    picture[30:50, 50:70], picture[50:70, 50:70] = upper, lower
    noise = np.random.default_rng(sum(upper)).normal(0, 14, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_clothes_are_told_apart_and_light_changes_little() -> None:
    red = colour_histogram(dressed((190, 30, 30), (40, 40, 45)), CELLS)
    again = colour_histogram(dressed((182, 34, 32), (44, 42, 48)), CELLS)
    turned = colour_histogram(dressed((40, 40, 45), (190, 30, 30)), CELLS)
    green = colour_histogram(dressed((40, 150, 60), (40, 40, 45)), CELLS)
    assert colour_likeness(red, red) == pytest.approx(1)
    assert colour_likeness(red, again) > 0.85
    assert colour_likeness(red, turned) < 0.3
    assert 0.3 < colour_likeness(red, green) < 0.6


def test_a_target_in_one_row_of_cells_has_colours() -> None:
    cells = np.zeros((9, 16), np.bool_)
    cells[4, 6] = True
    shares = colour_histogram(dressed((190, 30, 30), (40, 40, 45)), cells)
    assert np.isfinite(shares).all()
    assert shares.sum() > 0.9


def test_without_the_footage_features_alone_rank(tmp_path: Path) -> None:
    folder = made_case(tmp_path)
    marks = load_marks(marks_file(tmp_path, mark(1.2), mark(1.4)))
    with Case.open(folder, write=True) as case:
        with_footage = find_similar(case, marks=marks).moments
        path = case.evidence_path(case.evidence.all()[0])
        shutil.move(path, path.with_name("elsewhere.mp4"))
        blind = find_similar(case, marks=marks).moments
    assert {moment.peak_frame for moment in with_footage} == {one.peak_frame for one in blind}
    assert [moment.likeness for moment in with_footage] != [one.likeness for one in blind]
    assert blind[0].itself


def test_comparing_colours_can_be_cancelled(tmp_path: Path) -> None:
    folder = made_case(tmp_path)
    marks = load_marks(marks_file(tmp_path, mark(1.2), mark(1.4)))
    token = CancelToken()
    with Case.open(folder, write=True) as case, pytest.raises(CancelledError):
        find_similar(
            case,
            marks=marks,
            cancel=token,
            progress=lambda step: token.cancel() if step.stage == "comparing colours" else None,
        )
