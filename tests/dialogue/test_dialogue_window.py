"""The part of a span that a dialogue is conditioned on is the part that stands out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.dialogue.window import hot_part


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
    def heat(frames: Sequence[int]) -> NDArray[np.float32]:
        maps = np.full((len(frames), 3, 4), 0.2, np.float32)
        maps[[hot[0] <= one <= hot[1] for one in frames], 1, 2] = 0.9
        return maps

    assert hot_part(span, heat, 16) == part
