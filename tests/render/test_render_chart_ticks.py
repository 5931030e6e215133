"""Ticks of a time axis stand at round times and leave each other room."""

from __future__ import annotations

import pytest

from engine.render.chart_ticks import TICK_STEPS, tick_step


@pytest.mark.parametrize(
    ("seconds", "max_ticks", "step"), [(0.0, 8, 0.1), (8.0, 8, 1), (8.1, 8, 2), (3600.0, 6, 600)]
)
def test_the_smallest_step_is_chosen_that_has_room(
    seconds: float, max_ticks: float, step: float
) -> None:
    assert tick_step(seconds, max_ticks) == step


def test_an_axis_that_is_too_long_for_all_steps_is_left_to_its_chart() -> None:
    assert tick_step(8.01 * TICK_STEPS[-1], 8) is None
    assert tick_step(8.01 * TICK_STEPS[-1], 8, (*TICK_STEPS, 7200)) == 7200
