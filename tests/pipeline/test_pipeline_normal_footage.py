"""Normal footage: a folder, several videos, a marked span, and what another video learned."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case
from engine.core.errors import BadInputError, CancelledError, MediaError
from engine.core.progress import CancelToken
from engine.core.times import Span
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.calibration.run_calibrations import blocks_within
from engine.pipeline.normal_footage import hash_normal_footage, list_normal_footage
from engine.pipeline.recipe import Recipe
from tests.clips import write_video
from tests.pipeline.pipeline_material import (
    QUICK,
    RECIPE,
    SHORT_CHUNKS,
    analysed,
    content,
    normal_recipe,
    street,
    street_video,
    write_images,
)


def calibration(case: Case, run_id: int) -> SceneCalibration:
    (row,) = case.calibrations.of_run(run_id, "scene")
    return SceneCalibration.decode(row.calibration.body)


def test_normal_footage_in_a_folder_of_images(case: Case, video: Path, tmp_path: Path) -> None:
    normal = write_images(tmp_path / "normal", street(70))
    with case:
        run = analysed(case, video, normal_recipe(normal))
        learned = calibration(case, run.id)
        (event,) = [row.event for row in case.results.events(run.id)]
    assert learned.from_normal
    assert learned.statistics.frames == 70
    assert [source["path"] for source in learned.sources] == [str(normal)]
    assert event.reasons[0].ratio == pytest.approx(5, rel=0.25)


def test_normal_footage_in_several_videos(case: Case, video: Path, tmp_path: Path) -> None:
    one = street_video(tmp_path / "one.mp4", 60, ())
    other = street_video(tmp_path / "other.mp4", 50, ())
    with case:
        run = analysed(case, video, normal_recipe(one, other))
        assert calibration(case, run.id).statistics.frames == 110
        assert len(case.results.events(run.id)) == 1


def test_a_resumed_run_learns_normal_footage_once(case: Case, video: Path, tmp_path: Path) -> None:
    recipe = normal_recipe(street_video(tmp_path / "normal.mp4", 60, ()))
    token = CancelToken()

    def stop_while_analysing(progress: object) -> None:
        if getattr(progress, "stage", "") == "analysing":
            token.cancel()

    with case:
        with pytest.raises(CancelledError):
            analysed(case, video, recipe, progress=stop_while_analysing, cancel=token)
        stages: set[str] = set()
        run = analysed(case, video, recipe, progress=lambda progress: stages.add(progress.stage))
        assert run.id == 1
        assert not any("normal" in stage for stage in stages)
        assert len(case.calibrations.of_run(1, "scene")) == 1


def test_normal_footage_of_another_size_fails_the_run_with_the_reason(
    case: Case, video: Path, tmp_path: Path
) -> None:
    small = [np.zeros((64, 64, 3), np.uint8)] * 5
    other = write_video(tmp_path / "other.mp4", small, options=QUICK)
    with case:
        with pytest.raises(BadInputError, match="does not fit"):
            analysed(case, video, normal_recipe(other))
        run = case.runs.get(1)
    assert run.state == "failed"
    assert "64x64" in json.loads(run.info)["reason"]


def test_folders_of_folders_of_images_are_found(tmp_path: Path) -> None:
    frames = street(2)
    for name in ("02", "01"):
        write_images(tmp_path / "normal" / name, frames)
    (tmp_path / "normal" / "empty").mkdir()
    (tmp_path / "normal" / "notes.txt").write_text("nothing")
    paths = list_normal_footage([tmp_path / "normal", tmp_path / "one.mp4"])
    assert [path.name for path in paths] == ["01", "02", "one.mp4"]
    with pytest.raises(BadInputError, match="no footage"):
        list_normal_footage([tmp_path / "normal" / "empty"])
    with pytest.raises(MediaError):
        hash_normal_footage([tmp_path / "missing.mp4"], CancelToken())


def test_a_marked_span_is_the_normal_footage(case: Case, video: Path) -> None:
    recipe = Recipe(SHORT_CHUNKS, normal_spans=(Span(0.0, 2.0),))
    with case:
        run = analysed(case, video, recipe)
        learned = calibration(case, run.id)
        (row,) = case.calibrations.of_run(run.id, "scene")
        assert row.calibration.kind == "span"
        assert learned.from_normal
        assert learned.statistics.frames == 51
        assert learned.sources[0]["spans"] == [[0.0, 2.0]]
        assert len(case.results.events(run.id)) == 1


@pytest.mark.parametrize("span", [Span(100.0, 200.0), Span(1.001, 1.002)])
def test_a_span_without_a_frame_is_refused_before_a_run_starts(
    case: Case, video: Path, span: Span
) -> None:
    recipe = Recipe(SHORT_CHUNKS, normal_spans=(Span(0.0, 1.0), span))
    with case:
        with pytest.raises(BadInputError, match="span"):
            analysed(case, video, recipe)
        assert not case.runs.all()


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ((), range(60)),
        ((Span(1, 2),), range(25, 51)),
        ((Span(2, 2.2), Span(0, 0.2)), [*range(6), *range(50, 56)]),
        ((Span(0.8, 1), Span(0, 0.2)), [*range(6), *range(20, 26)]),
        ((Span(0, 0.2), Span(0.1, 0.4)), range(11)),
        ((Span(0, 0.2), Span(0.24, 0.4)), range(11)),
        ((Span(0.4, 0.4),), [10]),
        ((Span(50, 60),), []),
    ],
)
def test_spans_give_each_of_their_frames_once_in_order(
    spans: tuple[Span, ...], expected: range | list[int]
) -> None:
    zeros = np.zeros((60, 2, 2))
    foreground = np.arange(60, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    maps = MotionMaps(
        foreground, zeros.astype(np.int16), zeros.astype(np.int16),
        np.zeros((60, 2), np.float32), np.zeros(60, np.bool_), np.zeros((4, 4), np.uint8),
    )  # fmt: skip
    seconds = np.arange(60) / 25
    blocks = [(maps.part(a, b), seconds[a:b]) for a, b in ((0, 32), (32, 60))]
    parts = list(blocks_within(iter(blocks), spans))
    assert all(len(part) == len(times) > 0 for part, times in parts)
    numbers = [int(value) for part, _ in parts for value in part.foreground[:, 0, 0]]
    assert numbers == list(expected)


def test_another_video_of_the_camera_takes_the_calibration_that_was_learned(
    case: Case, tmp_path: Path
) -> None:
    (tmp_path / "normal").mkdir()
    normal = street_video(tmp_path / "normal" / "quiet.mp4", fast=())
    recipe = replace(RECIPE, normal=tuple(hash_normal_footage([normal], CancelToken())))
    videos = [street_video(tmp_path / f"day-{seed}.mp4", seed=seed) for seed in (1, 2)]
    runs = [analysed(case, video, recipe) for video in videos]
    used = [case.results.current(run.id) for run in runs]
    assert used[0] is not None
    assert used[1] is not None
    assert used[0].calibrations == used[1].calibrations


def test_normal_footage_learned_once_serves_another_video_of_the_camera(
    case: Case, video: Path, tmp_path: Path
) -> None:
    recipe = normal_recipe(street_video(tmp_path / "normal.mp4", 60, ()))
    other = street_video(tmp_path / "other.mp4", 70, (30,))
    stages: set[str] = set()
    with case:
        first = analysed(case, video, recipe)
        second = analysed(case, other, recipe, progress=lambda progress: stages.add(progress.stage))
        assert not any("normal" in stage for stage in stages)
        assert content(case, first.id)["calibrations"] == content(case, second.id)["calibrations"]
        small = [np.full((96, 128, 3), 90, np.uint8)] * 40
        narrow = write_video(tmp_path / "narrow.mp4", small, options=QUICK)
        with pytest.raises(BadInputError, match="does not fit"):
            analysed(case, narrow, recipe)
