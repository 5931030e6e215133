from __future__ import annotations

from engine.core.geometry import Box
from engine.lab.evaluation.region_cuts import cut_many
from tests.tracking.test_tracking_regions import GRID, heat_of


def test_nothing_hot_at_any_cut_gives_no_box() -> None:
    assert cut_many(heat_of((1, 1, 0.1)), (0.2, 0.4), GRID) == []


def test_several_cuts_give_one_box_per_component_and_cut() -> None:
    heat = heat_of((1, 1, 0.9), (1, 2, 0.5), (1, 3, 0.9))
    regions = cut_many(heat, (0.4, 0.8), GRID)
    assert [box for box, _ in regions] == [
        Box(16, 16, 48, 16),
        Box(16, 16, 16, 16),
        Box(48, 16, 16, 16),
    ]
    assert cut_many(heat, (0.4, 0.45), GRID) == cut_many(heat, (0.4,), GRID)
