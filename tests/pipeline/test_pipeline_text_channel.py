"""The text channel and its fusion, with a model that needs neither weights nor torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from engine.case import Case, RunRow
from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress
from engine.core.times import Span
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_maps import TextMaps
from engine.packs.prompt_sets import PromptSet
from engine.pipeline.channels.fusion import dominant_channel, fuse
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.normal_footage import hash_normal_footage
from engine.pipeline.recalibration import recalibrate
from engine.pipeline.recipe import Recipe
from engine.pipeline.region_mask import RegionMask
from engine.pipeline.run import AnalysisRun, Resuming
from engine.pipeline.stored_run import every_heat, every_score, stored_run
from tests.detectors.text.fake_text_model import FAST, OTHER, FakeTextModel, fake_recipe
from tests.pipeline.pipeline_material import SHORT_CHUNKS, content, street_video

ROOT = Path(__file__).parents[2]
BOTH = replace(SHORT_CHUNKS, channels=("scene", "text"))
CHUNKS = 5


def text_content(case: Case, run_id: int) -> dict[str, object]:
    """Everything a run found, the text channel's maps and heat of all channels included."""
    results = case.results
    heat = case.database.rows(
        "SELECT channel, first_frame, data FROM heat WHERE run_id = ? ORDER BY id", [run_id]
    )
    chunks = list(case.chunks.stream(run_id, "text"))
    return {
        **content(case, run_id),
        "text maps": [chunk.raw for chunk in chunks],
        "text raw scores": [chunk.scores for chunk in chunks],
        "text spans": [chunk.span for chunk in chunks],
        "channels": {
            channel: results.scores(run_id, channel).tobytes()
            for channel in results.channels(run_id)
        },
        "heat": [(row["channel"], row["first_frame"], row["data"]) for row in heat],
    }


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Bench:
    """A case, a video, and a fake model each time it is analysed."""

    case: Case
    video: Path
    model: FakeTextModel | None = None

    def analyse(
        self,
        prompts: PromptSet = FAST,
        *,
        memory: int = 1000,
        kill_at: int = 0,
        recipe: Recipe | None = None,
        resuming: Resuming | None = None,
    ) -> RunRow:
        text_recipe = fake_recipe(prompts)
        with_text = replace(recipe or Recipe(BOTH), text=text_recipe)
        self.model = FakeTextModel(text_recipe, memory)
        calls = 0

        def report(progress: Progress) -> None:
            nonlocal calls
            calls += progress.stage in ("analysing", "reading kept features", "deriving")
            if kill_at and calls == kill_at:
                raise Killed

        evidence, source = add_evidence(self.case, self.video)
        with source:
            use = TextDetector(text_recipe, self.model, self.case.cache_folder / "features")
            run = AnalysisRun(self.case, evidence, source, with_text, text=use, progress=report)
            return run.execute(resuming or Resuming(finished=True))


@contextmanager
def bench(folder: Path, video: Path) -> Iterator[Bench]:
    case = Case.open(folder, write=True) if folder.exists() else Case.create(folder)
    with case:
        yield Bench(case, video)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street_video(tmp_path_factory.mktemp("footage") / "street.mp4")


@pytest.fixture(scope="module")
def whole(video: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    with bench(tmp_path_factory.mktemp("whole") / "whole.case", video) as setup:
        run = setup.analyse()
        return text_content(setup.case, run.id)


def test_a_prompt_that_speaks_gives_events_with_its_name_and_number(
    video: Path, tmp_path: Path
) -> None:
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse()
        assert set(setup.case.results.channels(run.id)) == {"scene", "text", "fused"}
        assert set(setup.case.results.heat_channels(run.id)) == {"scene", "text", "fused"}
        (event,) = (row.event for row in setup.case.results.events(run.id))
        assert event.channel == "fused"
        spoken = next(reason for reason in event.reasons if reason.attribute == "prompt")
        assert "moving thing" in spoken.text
        assert f"{spoken.value:.2f}" in spoken.text
        assert spoken.value > spoken.usual == 0.5
        assert any(reason.attribute == "speed" for reason in event.reasons)
        settings = json.loads(run.settings)["text"]
        assert settings["prompts"]["abnormal"] == list(FAST.abnormal)
        assert {"pack", "pack_sha256", "seed", "device", "number_type"} <= settings.keys()


def test_what_only_a_prompt_finds_is_an_event_of_the_text_channel(
    video: Path, tmp_path: Path
) -> None:
    deaf = replace(BOTH, scene=replace(BOTH.scene, attributes=("dwelling",)))
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse(recipe=Recipe(deaf))
        (event,) = (row.event for row in setup.case.results.events(run.id))
        assert event.channel == "text"
        assert [reason.attribute for reason in event.reasons] == ["prompt"]
        assert setup.case.results.trajectories(run.id)
        scores = {
            channel: setup.case.results.scores(run.id, channel)
            for channel in ("scene", "text", "fused")
        }
        assert scores["scene"].max() < 0.5
        assert np.abs(scores["fused"] - scores["text"]).max() < 0.05


def test_the_text_channel_runs_alone(video: Path, tmp_path: Path) -> None:
    alone = replace(SHORT_CHUNKS, channels=("text",))
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse(recipe=Recipe(alone))
        assert setup.case.results.channels(run.id) == ("text",)
        (event,) = (row.event for row in setup.case.results.events(run.id))
        assert (event.channel, [reason.attribute for reason in event.reasons]) == (
            "text",
            ["prompt"],
        )


@pytest.mark.parametrize("call", [2, 4, 6, 9])
def test_a_killed_run_ends_as_an_uninterrupted_one(
    video: Path, whole: dict[str, object], call: int, tmp_path: Path
) -> None:
    folder = tmp_path / "a.case"
    with bench(folder, video) as setup, pytest.raises(Killed):
        setup.analyse(kill_at=call)
    with bench(folder, video) as setup:
        run = setup.analyse()
        assert run.id == 1
        assert run.resumed_frames == min(130, 32 * (call - 1))
        assert text_content(setup.case, run.id) == whole


def test_other_prompts_are_read_from_kept_features_without_the_video(
    video: Path, tmp_path: Path
) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    with bench(tmp_path / "a.case", video) as setup:
        first = setup.analyse()
        before = text_content(setup.case, first.id)
        second = setup.analyse(OTHER)
        assert second.id != first.id
        assert setup.model is not None
        assert not setup.model.windows
        assert text_content(setup.case, second.id) == expected
        assert text_content(setup.case, first.id) == before
        assert not [warning for warning in second.warnings if warning.kind.startswith("features")]
        assert setup.analyse(FAST).id == first.id


def test_a_killed_rescoring_is_resumed_the_same(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    folder = tmp_path / "a.case"
    with bench(folder, video) as setup:
        setup.analyse()
        with pytest.raises(Killed):
            setup.analyse(OTHER, kill_at=3)
    with bench(folder, video) as setup:
        second = setup.analyse(OTHER)
        assert second.id == 2
        assert text_content(setup.case, second.id) == expected


@pytest.mark.parametrize("harm", ["gone", "damaged", "half"])
def test_features_that_are_gone_are_measured_again_and_that_is_said(
    video: Path, harm: str, tmp_path: Path
) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    with bench(tmp_path / "a.case", video) as setup:
        setup.analyse()
        files = sorted((setup.case.cache_folder / "features").rglob("*.features"))
        assert len(files) == CHUNKS
        for file in files if harm == "gone" else files[2:3]:
            if harm == "damaged":
                file.write_bytes(file.read_bytes()[:-9])
            else:
                file.unlink()
        run = setup.analyse(OTHER)
        assert setup.model is not None
        assert setup.model.windows
        assert text_content(setup.case, run.id) == expected
        assert [
            warning.kind for warning in run.warnings if warning.kind.startswith("features")
        ] == ["features_gone"]


def test_prompts_after_a_run_without_any_miss_no_features(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as setup:
        evidence, source = add_evidence(setup.case, video)
        with source:
            alone = Recipe(replace(BOTH, channels=("scene",)))
            AnalysisRun(setup.case, evidence, source, alone).execute(Resuming(finished=True))
        run = setup.analyse()
        assert not [warning.kind for warning in run.warnings if warning.kind.startswith("features")]


def test_a_scene_run_gives_its_motion_once_features_are_kept(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as setup:
        setup.analyse()
        again = setup.analyse(FAST, resuming=Resuming(unfinished=False))
        assert setup.model is not None
        assert not setup.model.windows
        assert text_content(setup.case, again.id) == text_content(setup.case, 1)


def test_too_little_memory_takes_smaller_windows_and_says_so(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse(memory=4)
        assert setup.model is not None
        assert max(setup.model.windows) <= 4
        warning_row = next(warning for warning in run.warnings if warning.kind == "short_windows")
        assert "no memory for windows of 8 frames" in warning_row.text


def test_no_memory_at_all_is_named_and_the_run_can_go_on(video: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a.case"
    with bench(folder, video) as setup:
        with pytest.raises(ResourceError, match="no memory for the text channel"):
            setup.analyse(memory=1)
        assert setup.analyse().id == 1


def test_ignored_parts_silence_prompts_and_recalibrating_needs_no_model(
    video: Path, tmp_path: Path
) -> None:
    everything = ((0.0, 0.0), (160.0, 0.0), (160.0, 96.0), (0.0, 96.0))
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse()
        before = text_content(setup.case, run.id)
        recalibrate(setup.case, run.id, (), RegionMask((everything,)))
        assert not setup.case.results.events(run.id)
        assert setup.case.results.scores(run.id, "fused").max() < 0.5
        derivation = recalibrate(setup.case, run.id, (Span(0.0, 1.5),), RegionMask())
        kinds = [
            setup.case.calibrations.get(number).calibration.channel
            for number in derivation.calibrations
        ]
        assert sorted(kinds) == ["scene", "text"]
        recalibrate(setup.case, run.id, (), RegionMask())
        after = text_content(setup.case, run.id)
        assert after["channels"] == before["channels"]
        assert after["events"] == before["events"]


def test_exports_show_the_fused_map(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse()
        stored = stored_run(setup.case, run)
        fused = setup.case.results.scores(run.id, "fused")
        assert np.array_equal(every_score(setup.case, stored), fused)
        heat = np.stack(list(every_heat(setup.case, stored)))
        assert heat.shape == (130, 12, 20)
        assert np.allclose(heat.max((1, 2))[70:90], 1, atol=0.05)


def test_normal_footage_calibrates_both_channels_and_is_measured_once(
    video: Path, tmp_path: Path
) -> None:
    calm = street_video(tmp_path / "calm.mp4", 130, (), seed=3)
    recipe = Recipe(BOTH, tuple(hash_normal_footage([calm], CancelToken())))
    with bench(tmp_path / "a.case", video) as setup:
        run = setup.analyse(recipe=recipe)
        rows = [setup.case.calibrations.of_run(run.id, channel) for channel in ("scene", "text")]
        assert [len(row) for row in rows] == [1, 1]
        assert all(row[0].calibration.kind == "normal" for row in rows)
        second = setup.analyse(OTHER, recipe=recipe)
        assert setup.model is not None
        assert not setup.model.windows
        assert not setup.case.calibrations.of_run(second.id, "scene")
        assert len(setup.case.calibrations.of_run(second.id, "text")) == 1


def test_fusing_leaves_a_channel_as_it_is_where_the_other_is_silent() -> None:
    scene = np.linspace(0, 1, 101, dtype=np.float32)
    silent = np.full(101, 0.001, np.float32)
    assert np.abs(fuse(scene, silent) - scene).max() < 0.002
    assert np.all(np.diff(fuse(scene, silent)) >= 0)
    both = fuse(np.array([0.5], np.float32), np.array([0.5], np.float32))
    assert both[0] == pytest.approx(2 / 3)
    assert np.isfinite(fuse(np.array([1, 0], np.float32), np.array([1, 0], np.float32))).all()
    assert dominant_channel({"scene": 0.9, "text": 0.1}) == "scene"
    assert dominant_channel({"scene": 0.2, "text": 0.7}) == "text"
    assert dominant_channel({"scene": 0.9, "text": 0.7}) == "fused"
    assert dominant_channel({"text": 0.1}) == "text"


@pytest.mark.parametrize("blob", [b"", b"SLA1nothing", b"{}"])
def test_damaged_maps_and_calibrations_are_refused(blob: bytes) -> None:
    for kind in (TextMaps, TextCalibration):
        with pytest.raises(BadInputError, match="damaged"):
            kind.decode(blob)


def test_the_scene_channel_runs_without_torch(video: Path, tmp_path: Path) -> None:
    words = ["analyze", str(video), "--case", str(tmp_path / "a.case"), "--quiet"]
    script = (
        f"import sys; sys.argv = ['main.py', *{words!r}]; import main; code = main.main();"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split()[-2:] == ["0", "False"], done.stderr
