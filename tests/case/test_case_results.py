"""Runs, chunks and results as they were given; deriving again deletes nothing."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.case import Case, settings_hash, verify
from engine.core.errors import BadInputError
from engine.core.findings import Region, Trajectory
from tests.case.case_material import SETTINGS, SHA, new_chunk, new_event, new_region, new_trajectory


def same_region(region: Region, other: Region) -> bool:
    bare = np.zeros((0, 0), bool)
    return repr(replace(region, mask=bare)) == repr(replace(other, mask=bare)) and (
        np.array_equal(region.mask, other.mask)
    )


def same_trajectory(trajectory: Trajectory, other: Trajectory) -> bool:
    return all(
        np.array_equal(a, b) and a.dtype == b.dtype if isinstance(a, np.ndarray) else a == b
        for a, b in zip(astuple(trajectory), astuple(other), strict=True)
    )


def test_results_come_back_as_they_were(case_folder: Path) -> None:
    with Case.open(case_folder) as case:
        regions = case.results.regions(1)
        assert all(
            same_region(row.region, new_region(frame, 1)) for frame, row in enumerate(regions)
        )
        assert [row.region.frame for row in case.results.regions(1, 2, 4)] == [2, 3, 4]
        for number, row in enumerate(case.results.trajectories(1), start=1):
            assert same_trajectory(row.trajectory, new_trajectory(number))
        assert [row.event for row in case.results.events(1)] == [new_event(n) for n in (1, 2, 3)]
        assert [row.state for row in case.results.events(1)] == ["unseen", "dismissed", "unseen"]
        assert case.results.event(2).state_reason == "a cat"
        assert case.results.trajectory(2).trajectory.number == 2
        expected = np.linspace(0, 1, 100, dtype=np.float32)
        assert case.results.scores(1, "scene").tobytes() == expected.tobytes()
        assert case.results.channels(1) == ("scene",)
        assert case.results.scores(1, "text").shape == (0,)
        assert case.results.scores(9, "scene").shape == (0,)


def test_long_scores_come_back_across_blocks(case_folder: Path) -> None:
    scores = np.random.default_rng(3).random(100_001, np.float32)
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            change.results.replace(
                1, scores={"scene": scores, "fused": scores[::-1]}, regions=[], trajectories=[],
                events=[],
            )  # fmt: skip
        assert case.results.scores(1, "scene").tobytes() == scores.tobytes()
        assert case.results.scores(1, "fused").tobytes() == scores[::-1].tobytes()


def test_deriving_again_keeps_what_was_triaged(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        old = case.results.current(1)
        assert old is not None
        with case.change() as change:
            new = change.results.replace(
                1, scores={}, regions=[new_region(5)], trajectories=[], events=[new_event(1)]
            )
        assert [row.id for row in case.results.events(1)] == [5]
        assert [row.id for row in case.results.regions(1)] == [9]
        assert case.results.events(1)[0].derivation_id == new
        assert case.results.event(2).state == "dismissed"
        assert len(case.results.events(1, old.id)) == 3
        assert [derivation.number for derivation in case.results.derivations(1)] == [1, 2]
        assert verify(case, hash_evidence=lambda _: SHA).ok


def test_empty_results_are_results(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            run_id = change.runs.start(1, 0, {}, {})
            change.results.replace(run_id, scores={}, regions=[], trajectories=[], events=[])
        assert case.results.events(run_id) == ()
        assert verify(case, hash_evidence=lambda _: SHA).ok


def test_numbers_numpy_gives_and_negative_zero_verify(case_folder: Path) -> None:
    values: dict[str, Any] = {"peak_score": np.float32(0.3), "number": np.int64(1)}
    event = replace(new_event(1), start_s=-0.0, **values)
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            change.results.replace(
                1, scores={}, regions=[replace(new_region(1), score=-0.0)], trajectories=[],
                events=[event],
            )  # fmt: skip
        assert verify(case, hash_evidence=lambda _: SHA).ok


def test_an_unfinished_run_is_found_by_hash_and_settings(case_folder: Path) -> None:
    settings_sha256 = settings_hash({"stride": 2})
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            run_id = change.runs.start(1, 0, {"stride": 2}, {})
        assert case.runs.find_unfinished(1, settings_hash(SETTINGS), SHA) is None
        assert case.runs.find_unfinished(1, settings_sha256, "cd" * 32) is None
        unfinished = case.runs.find_unfinished(1, settings_sha256, SHA)
        assert unfinished is not None
        assert (unfinished.id, unfinished.state) == (run_id, "running")
        with case.change() as change:
            change.runs.finish(run_id, frames=100, analysed_frames=50, wall_s=1.0)
        assert case.runs.find_unfinished(1, settings_sha256, SHA) is None
        done = case.runs.find_finished(1, settings_sha256, SHA)
        assert done is not None
        assert done.id == run_id


def test_the_current_run_is_the_newest_finished_unless_chosen(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            change.evidence.choose_run(1, None)
            second = change.runs.start(1, 0, SETTINGS, {})
        assert current(case) == 1
        with pytest.raises(BadInputError, match="no finished run"), case.change() as change:
            change.evidence.choose_run(1, second)
        with case.change() as change:
            change.runs.finish(second, frames=100, analysed_frames=100, wall_s=1.0)
        assert current(case) == second
        with case.change() as change:
            change.evidence.choose_run(1, 1)
        assert current(case) == 1


def current(case: Case) -> int:
    run = case.runs.current(1)
    assert run is not None
    return run.id


def test_chunks_go_in_order_into_running_runs(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with pytest.raises(BadInputError, match="not running"), case.change() as change:
            change.chunks.append(1, new_chunk(2))
        with case.change() as change:
            run_id = change.runs.start(1, 0, SETTINGS, {})
            change.chunks.append(run_id, new_chunk(0))
        for wrong in (0, 2):
            with pytest.raises(BadInputError, match="1 comes next"), case.change() as change:
                change.chunks.append(run_id, new_chunk(wrong))
        with case.change() as change:
            change.chunks.append(run_id, new_chunk(1))
        last = case.chunks.last(run_id, "scene")
        assert last is not None
        assert last.last_frame == 99
        assert list(case.chunks.stream(run_id, "scene")) == [new_chunk(0), new_chunk(1)]
        assert [blob for _, blob in case.chunks.scores(run_id, "scene")] == [
            new_chunk(0).scores,
            new_chunk(1).scores,
        ]
        assert case.chunks.channels(run_id) == ("scene",)


def test_what_does_not_exist_is_named(case_folder: Path) -> None:
    with Case.open(case_folder) as case:
        for ask in (
            lambda: case.evidence.get(9), lambda: case.runs.get(9), lambda: case.results.event(9),
            lambda: case.results.trajectory(9), lambda: case.calibrations.get(9),
            lambda: case.chunks.read(1, "scene", 9),
        ):  # fmt: skip
            with pytest.raises(BadInputError, match="no such"):
                ask()


def test_a_damaged_row_is_told_as_damage(case_folder: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(case_folder / "case.sqlite", isolation_level=None)) as raw:
        raw.execute("UPDATE region SET mask_rows = 1000000000 WHERE id = 1")
        raw.execute("UPDATE trajectory SET points = x'00' WHERE id = 1")
        raw.execute("UPDATE event SET reasons = '[[1]]' WHERE id = 1")
        raw.execute("UPDATE run SET warnings = '{}'")
    with Case.open(case_folder) as case:
        for ask in (
            lambda: case.results.regions(1), lambda: case.results.trajectories(1),
            lambda: case.results.events(1), lambda: case.runs.get(1),
        ):  # fmt: skip
            with pytest.raises(BadInputError, match="damaged"):
                ask()
