from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case, RunRow
from engine.core.arrays import unpack_arrays
from engine.core.channels import SCENE
from engine.core.errors import BadInputError, CancelledError, MediaError
from engine.core.progress import CancelToken
from engine.core.times import Span
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.normal_footage import NormalFootage
from engine.pipeline.recipe import Recipe
from engine.pipeline.rerun import rerun
from engine.pipeline.run import Resuming
from tests.clips import write_video
from tests.pipeline.pipeline_material import (
    QUICK,
    RECIPE,
    SHORT_CHUNKS,
    analysed,
    content,
    normal_recipe,
    numbered,
    street,
    street_video,
    write_images,
)


def warned(run: RunRow) -> set[str]:
    return {warning.kind for warning in run.warnings}


def test_a_fast_target_among_slow_ones_becomes_an_event(case: Case, video: Path) -> None:
    with case:
        run = analysed(case, video)
        (event,) = [row.event for row in case.results.events(run.id)]
        (trajectory,) = [row.trajectory for row in case.results.trajectories(run.id)]
    assert run.state == "finished"
    assert (run.frames, run.analysed_frames, run.resumed_frames) == (130, 130, 0)
    assert 2.3 <= event.start_s <= 2.9
    assert 3.4 <= event.end_s <= 4.2
    assert event.reasons[0].attribute == "speed"
    assert event.reasons[0].ratio == pytest.approx(5, rel=0.2)
    assert trajectory.from_cell == "middle left"
    assert trajectory.to_cell == "middle right"
    assert trajectory.direction == "right"


def test_resuming_returns_a_finished_run_and_fresh_starts_another(case: Case, video: Path) -> None:
    with case:
        first = analysed(case, video)
        assert analysed(case, video, resuming=Resuming(finished=True)).id == first.id
        again = analysed(case, video, resuming=Resuming(finished=False, unfinished=False))
        assert again.id == 2
        assert again.resumed_frames == 0
        assert len(case.evidence.all()) == 1
        assert case.runs.current(1) == again


def test_fresh_leaves_an_unfinished_run_alone(case: Case, video: Path) -> None:
    token = CancelToken()
    with case:
        with pytest.raises(CancelledError):
            analysed(case, video, cancel=token, progress=lambda _: token.cancel())
        fresh = analysed(case, video, resuming=Resuming(finished=False, unfinished=False))
        assert fresh.id == 2
        assert case.runs.get(1).state == "cancelled"


def test_other_settings_do_not_resume(case: Case, video: Path) -> None:
    token = CancelToken()
    with case:
        with pytest.raises(CancelledError):
            analysed(case, video, cancel=token, progress=lambda _: token.cancel())
        other = Recipe(replace(SHORT_CHUNKS, stride=2))
        assert analysed(case, video, other).id == 2


@pytest.mark.parametrize(
    ("size", "count", "stride"),
    [
        ((160, 96), 1, 1),
        ((160, 96), 2, 1),
        ((160, 96), 31, 1),
        ((160, 96), 33, 1),
        ((160, 96), 40, 7),
        ((160, 96), 40, 1000),
        ((16, 16), 40, 1),
        ((18, 130), 40, 1),
        ((322, 50), 10, 1),
    ],
)
def test_short_small_and_odd_videos_are_analysed(
    case: Case, tmp_path: Path, size: tuple[int, int], count: int, stride: int
) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8) for _ in range(count)]
    (tmp_path / "footage").mkdir()
    video = write_video(tmp_path / "footage" / "small.mp4", frames, options=QUICK)
    with case:
        run = analysed(case, video, Recipe(replace(SHORT_CHUNKS, stride=stride)))
        scores = case.results.scores(run.id, "scene")
    assert run.state == "finished"
    assert run.analysed_frames == len(range(0, count, stride)) == len(scores)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("rate", [Fraction(1, 10), Fraction(1), Fraction(120)])
def test_very_low_and_high_frame_rates(case: Case, tmp_path: Path, rate: Fraction) -> None:
    video = write_video(
        tmp_path / "rate.mp4", street(70, (30,)), options=QUICK, rate=rate, time_base=1 / rate
    )
    with case:
        run = analysed(case, video)
        assert run.state == "finished"
        assert len(case.results.scores(run.id, "scene")) == 70


def test_a_constant_picture_has_no_events(case: Case, tmp_path: Path) -> None:
    flat = [np.full((96, 160, 3), 128, np.uint8)] * 60
    with case:
        run = analysed(case, write_video(tmp_path / "flat.mp4", flat, options=QUICK))
        assert not case.results.events(run.id)
        assert not case.results.scores(run.id, "scene").any()
        assert "short_calibration" in warned(run)


def test_varying_times_are_warned_of_and_kept(case: Case, tmp_path: Path) -> None:
    pts = np.cumsum([0, *[40, 20, 60] * 24])[:70].tolist()
    video = write_video(
        tmp_path / "variable.mkv", street(70), options=QUICK, pts=pts, time_base=Fraction(1, 1000)
    )
    with case:
        run = analysed(case, video)
        spans = case.chunks.spans(run.id, "scene")
        assert "variable_rate" in warned(run)
        assert [span.first_pts for span in spans] == [pts[0], pts[32], pts[64]]
        assert not case.results.events(run.id)


def test_damaged_frames_are_counted_and_warned_of(case: Case, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "footage" / "images", street(60, (20,)))
    for number in (10, 11, 40):
        (folder / f"{number:04d}.png").write_bytes(b"damaged")
    with case:
        run = analysed(case, folder)
        infos = [json.loads(span.info) for span in case.chunks.spans(run.id, "scene")]
    assert [info["damaged"] for info in infos] == [[10, 11], [8]]
    (warning,) = [warning for warning in run.warnings if warning.kind == "damaged_frames"]
    assert warning.share == pytest.approx(3 / 60)
    assert "3 " in warning.text


def test_images_at_their_frame_rate(case: Case, tmp_path: Path) -> None:
    folder = write_images(tmp_path / "footage" / "images", street(40))
    with case:
        run = analysed(case, folder, Recipe(SHORT_CHUNKS, fps=10.0), fps=10.0)
        assert json.loads(run.info)["duration_s"] == pytest.approx(4.0)
        assert "made_pts" in warned(run)
        again, differences = rerun(case, run.id)
        assert differences == []
        assert json.loads(again.info)["duration_s"] == pytest.approx(4.0)


def test_another_frame_rate_for_the_same_images_is_refused(case: Case, tmp_path: Path) -> None:
    """Stored times, events and exports of earlier runs would no longer mean the same frames."""
    folder = write_images(tmp_path / "footage" / "images", street(10))
    with case:
        analysed(case, folder, fps=10.0)
        with pytest.raises(BadInputError, match="frame rate"):
            analysed(case, folder, fps=12.0)
        assert analysed(case, folder, fps=10.0).state == "finished"
        assert analysed(case, folder).state == "finished"


def test_a_raw_stream_keeps_the_frame_rate_it_was_added_with(case: Case, tmp_path: Path) -> None:
    frames = street(40)
    video = write_video(tmp_path / "raw.h264", frames, options=QUICK, container="h264")
    with case:
        run = analysed(case, video, Recipe(SHORT_CHUNKS, fps=5.0), fps=5.0)
        assert json.loads(run.info)["duration_s"] == pytest.approx(8.0)
        _, differences = rerun(case, run.id)
        assert differences == []


# Calibration from normal footage and from spans.


# Replaying.


def test_a_replayed_run_is_the_same_bit_for_bit(case: Case, video: Path, tmp_path: Path) -> None:
    with case:
        old = analysed(case, video, normal_recipe(write_images(tmp_path / "n", street(40))))
        new, differences = rerun(case, old.id)
        assert new.id == 2
        assert differences == []
        assert content(case, 1) == content(case, 2)


def test_a_replayed_run_names_what_differs(
    case: Case, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with case:
        analysed(case, video)
        # Another machine, on which everything is measured twice as fast.
        monkeypatch.setattr("engine.motion.motion_meter.SPEED_UNIT", 0.25)
        _, differences = rerun(case, 1)
    assert "maps" in differences
    assert "scene scores" in differences


def test_only_finished_runs_are_replayed(case: Case, video: Path) -> None:
    token = CancelToken()
    with case:
        with pytest.raises(CancelledError):
            analysed(case, video, cancel=token, progress=lambda _: token.cancel())
        with pytest.raises(BadInputError, match="not finished"):
            rerun(case, 1)
        with pytest.raises(BadInputError, match="no such run"):
            rerun(case, 7)


def test_a_run_is_not_replayed_on_changed_normal_footage(
    case: Case, video: Path, tmp_path: Path
) -> None:
    normal = write_images(tmp_path / "normal", street(40))
    with case:
        analysed(case, video, normal_recipe(normal))
        (normal / "0003.png").write_bytes((normal / "0004.png").read_bytes())
        with pytest.raises(BadInputError, match="normal footage changed"):
            rerun(case, 1)


# Evidence.


def test_evidence_that_changed_is_refused_and_recorded(case: Case, tmp_path: Path) -> None:
    changing = street_video(tmp_path / "gate.mp4", 40)
    original = changing.read_bytes()
    with case:
        analysed(case, changing)
        changing.write_bytes(original + b"\0")
        with pytest.raises(BadInputError, match="changed since it was added"):
            analysed(case, changing)
        with pytest.raises(BadInputError, match="changed since it was added"):
            rerun(case, 1)
        assert len(case.evidence.mismatches(1)) == 2
        assert len(case.runs.all()) == 1
        changing.write_bytes(original)
        assert analysed(case, changing).id == 2
        assert len(case.evidence.all()) == 1


def test_evidence_that_is_missing_is_named(case: Case, tmp_path: Path) -> None:
    with case:
        with pytest.raises(MediaError):
            add_evidence(case, tmp_path / "missing.mp4")
        assert not case.evidence.all()


def test_the_original_is_left_as_it_was(case: Case, tmp_path: Path) -> None:
    (tmp_path / "footage").mkdir()
    video = street_video(tmp_path / "footage" / "gate.mp4", 40)
    video.chmod(0o444)
    before = video.stat(), video.read_bytes()
    with case:
        analysed(case, video)
    assert (video.stat().st_mtime_ns, video.stat().st_size) == (
        before[0].st_mtime_ns,
        before[0].st_size,
    )
    assert video.read_bytes() == before[1]
    assert [path.name for path in video.parent.iterdir()] == ["gate.mp4"]


def test_a_copy_is_kept_and_replayed_without_the_original(case: Case, tmp_path: Path) -> None:
    video = street_video(tmp_path / "gate.mp4", 40)
    with case:
        evidence, source = add_evidence(case, video, copy=True)
        source.close()
        copy = case.evidence_path(evidence)
        assert copy.read_bytes() == video.read_bytes()
        assert copy.is_relative_to(case.path)
        run = analysed(case, video)
        video.unlink()
        _, differences = rerun(case, run.id)
        assert differences == []


def test_a_folder_of_images_is_copied_without_what_else_lies_there(
    case: Case, tmp_path: Path
) -> None:
    folder = write_images(tmp_path / "footage" / "images", street(5))
    (folder / "notes.txt").write_text("private")
    (folder / "deep").mkdir()
    with case:
        evidence, source = add_evidence(case, folder, copy=True)
        source.close()
        copy = case.evidence_path(evidence)
        assert sorted(path.name for path in copy.iterdir()) == [f"{i:04d}.png" for i in range(5)]


def test_a_failed_copy_leaves_nothing_behind_and_an_earlier_one_alone(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cameras recorded the very same file; the disk fills up at the second."""
    from engine.core.errors import ResourceError

    one, other = tmp_path / "a" / "gate.mp4", tmp_path / "b" / "gate.mp4"
    for path in (one, other):
        path.parent.mkdir()
    street_video(one, 20)
    other.write_bytes(one.read_bytes())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with case:
        with monkeypatch.context() as patch:
            patch.setattr("shutil.copy2", full)
            with pytest.raises(ResourceError):
                add_evidence(case, one, copy=True)
        assert not case.evidence.all()
        assert not list((case.path / "evidence").rglob("*.mp4"))
        first, source = add_evidence(case, one, copy=True)
        source.close()
        with monkeypatch.context() as patch:
            patch.setattr("shutil.copy2", full)
            second, source = add_evidence(case, other, copy=True)
            source.close()
        assert case.evidence_path(first).read_bytes() == one.read_bytes()
        assert case.evidence_path(second).read_bytes() == one.read_bytes()


def test_an_unreadable_medium_does_not_get_a_hash(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> dict[str, str]:
        raise OSError(5, "Input/output error")

    video = street_video(tmp_path / "gate.mp4", 20)
    monkeypatch.setattr("engine.pipeline.evidence_intake.hash_evidence", broken)
    with case:
        with pytest.raises(OSError, match="Input/output"):
            add_evidence(case, video)
        assert not case.evidence.all()


def test_a_name_that_is_no_text_is_kept(case: Case, tmp_path: Path) -> None:
    video = street_video(tmp_path / "gate.mp4", 40)
    odd = Path(str(tmp_path) + "/bad\udcff\n.mp4")
    odd.write_bytes(video.read_bytes())
    with case:
        run = analysed(case, odd)
        assert case.evidence.get(run.evidence_id).path == str(odd)
        assert analysed(case, odd, resuming=Resuming(finished=True)).id == run.id


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(
        RECIPE.settings,
        (NormalFootage(Path("/n/a.mp4"), "ab" * 32),),
        (Span(1.0, 2.5),),
        12.5,
    )
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe


def test_numbered_pictures_are_numbered() -> None:
    assert numbered(3)[:, 0, 0].tolist() == [0, 1, 2]


def test_a_chunk_has_provisional_scores_from_the_past_alone(case: Case, tmp_path: Path) -> None:
    run = analysed(case, street_video(tmp_path / "day.mp4"))
    parts = [
        unpack_arrays(chunk.scores)["provisional"] for chunk in case.chunks.stream(run.id, SCENE)
    ]
    scores = np.concatenate(parts)
    assert len(scores) == run.analysed_frames
    assert scores[70:].max() > 0.5 > scores[:50].max()
