"""Evidence of several targets is narrowed to the one that an answer is about, while it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.dialogue.leading_target import LeadingTarget

Heat = NDArray[np.float32]
Place = Callable[[float], tuple[int, int] | None]

ROWS, COLUMNS, LAST = 20, 40, 60


def _still(row: int, column: int) -> Place:
    return lambda _: (row, column)


def _across(row: int, first: int, last: int) -> Place:
    return lambda share: (row, round(first + (last - first) * share))


def _shows(*targets: tuple[Place, int], glow: float = 0.0) -> Callable[[Sequence[int]], Heat]:
    """Evidence of squares: where each is at a share of the span, and its side in cells."""

    def heat(frames: Sequence[int]) -> Heat:
        maps = np.full((len(frames), ROWS, COLUMNS), glow, np.float32)
        for number, frame in enumerate(frames):
            for at, side in targets:
                corner = at(frame / LAST)
                if corner is not None:
                    row, column = corner
                    maps[number, row : row + side, column : column + side] = 0.9
        return maps

    return heat


def test_the_target_with_the_most_evidence_in_the_middle_is_followed_to_both_ends() -> None:
    leads = _across(12, 0, 34), 4
    heat = _shows(leads, (_still(2, 20), 3), glow=0.2)
    target = LeadingTarget((0, LAST), heat)
    frames = [0, 13, 30, 47, LAST]
    isolated = target(frames)
    alone = _shows(leads)(frames) > 0.5
    assert np.array_equal(isolated >= 0.5, alone)
    # What is usual stays as it was, away from those that were taken out.
    assert np.all(isolated[:, 15:, :][~alone[:, 15:, :]] == np.float32(0.2))
    assert isolated[:, 2:5, 20:23].max() == 0


def test_one_that_grows_later_does_not_take_its_place() -> None:
    leads = _across(12, 0, 34), 4

    def late(share: float) -> tuple[int, int] | None:
        return (1, 30) if share > 0.7 else None

    target = LeadingTarget((0, LAST), _shows(leads, (late, 8)))
    frames = [0, 30, LAST]
    assert np.array_equal(target(frames) >= 0.5, _shows(leads)(frames) > 0.5)


def test_where_it_is_hidden_nobody_stands_in_for_it() -> None:
    def hidden(share: float) -> tuple[int, int] | None:
        return None if 0.6 < share < 0.8 else (12, round(30 * share))

    target = LeadingTarget((0, LAST), _shows((hidden, 4), (_still(1, 36), 3)))
    assert target([42]).max() == 0
    assert target([54])[0, 12, 27] > 0.5


def test_evidence_below_the_limit_is_left_alone() -> None:
    heat = _shows(glow=0.4)
    target = LeadingTarget((0, LAST), heat)
    assert target.hot_frames == ()
    assert np.array_equal(target([3, 9]), heat([3, 9]))


@pytest.mark.parametrize(
    ("span", "hot", "part"),
    [
        ((100, 160), (120, 150), (120, 150)),
        ((100, 160), (100, 160), (100, 160)),
        ((100, 160), (130, 132), (124, 139)),
        ((100, 160), (159, 160), (145, 160)),
        ((100, 160), (100, 101), (100, 115)),
        ((100, 105), (102, 103), (100, 105)),
        ((100, 160), (200, 210), (100, 160)),
    ],
)
def test_cold_ends_of_a_span_are_left_out(
    span: tuple[int, int], hot: tuple[int, int], part: tuple[int, int]
) -> None:
    def heat(frames: Sequence[int]) -> Heat:
        maps = np.full((len(frames), 3, 4), 0.2, np.float32)
        maps[[hot[0] <= frame <= hot[1] for frame in frames], 1, 2] = 0.9
        return maps

    assert LeadingTarget(span, heat).narrow_span(16) == part
