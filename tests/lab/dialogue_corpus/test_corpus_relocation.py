"""A target put elsewhere in the picture keeps its way, and its truth says where it is now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import CELLS
from engine.lab.dialogue_corpus.samples.relocation import end_cells, relocate
from engine.lab.dialogue_corpus.wording import SpanTruth

Heat = NDArray[np.float32]

RUNS = SpanTruth("running", "park", False, 1, "person", {"upper": "red"}, "top left", "top centre",
             "right")  # fmt: skip


def _crosses() -> Heat:
    """A target of two by three cells from the top left to the top centre, 24 rows, 36 columns."""
    heat = np.zeros((7, 24, 36), np.float32)
    for step in range(7):
        heat[step, 3:6, 1 + 3 * step : 3 + 3 * step] = 0.95
    return heat


def test_where_a_map_begins_and_ends() -> None:
    heat = _crosses()
    assert end_cells(heat) == ("top left", "top centre")
    heat[-1] = 0
    assert end_cells(heat) is None


def test_a_target_is_put_all_over_the_picture_and_its_truth_with_it() -> None:
    true = _crosses()
    starts = set()
    for seed in range(200):
        heat, truth = relocate(0.8 * true, true, RUNS, np.random.default_rng(seed))
        assert (truth.from_cell, truth.to_cell) == end_cells(heat)
        assert (truth.direction, truth.target) == ("right", "running")
        # Nothing of it leaves the picture.
        assert np.count_nonzero(heat) == np.count_nonzero(true)
        starts.add(truth.from_cell)
    assert starts >= {cell for cell in CELLS if "right" not in cell}


def test_what_a_person_said_of_places_stays_true() -> None:
    corrected = replace(RUNS, corrected_answers={"trajectory": ("From the door to the gate.",)})
    true = _crosses()
    heat, truth = relocate(true, true, corrected, np.random.default_rng(1))
    assert heat is true
    assert truth is corrected


def test_a_target_that_is_not_seen_to_the_end_stays() -> None:
    true = _crosses()
    true[-1] = 0
    heat, truth = relocate(true, true, RUNS, np.random.default_rng(1))
    assert heat is true
    assert truth is RUNS
