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
from engine.detectors.text.text_detector import TextUse
from engine.detectors.text.text_maps import TextMaps
from engine.packs.prompt_sets import PromptSet
from engine.pipeline.calibration.normal_footage import hash_normal
from engine.pipeline.calibration.recalibration import recalibrate
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.fusion import fuse, speaking_channel
from engine.pipeline.recipe import Recipe
from engine.pipeline.region_mask import PictureParts
from engine.pipeline.run import Resuming, Run
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
            one: results.scores(run_id, one).tobytes() for one in results.channels(run_id)
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
        asked = fake_recipe(prompts)
        wanted = replace(recipe or Recipe(BOTH), text=asked)
        self.model = FakeTextModel(asked, memory)
        calls = 0

        def report(progress: Progress) -> None:
            nonlocal calls
            calls += progress.stage in ("analysing", "reading kept features", "deriving")
            if kill_at and calls == kill_at:
                raise Killed

        evidence, source = add_evidence(self.case, self.video)
        with source:
            use = TextUse(asked, self.model, self.case.cache / "features")
            run = Run(self.case, evidence, source, wanted, text=use, progress=report)
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
    with bench(tmp_path_factory.mktemp("whole") / "whole.case", video) as made:
        run = made.analyse()
        return text_content(made.case, run.id)


def test_a_prompt_that_speaks_gives_events_with_its_name_and_number(
    video: Path, tmp_path: Path
) -> None:
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse()
        assert set(made.case.results.channels(run.id)) == {"scene", "text", "fused"}
        assert set(made.case.results.heat_channels(run.id)) == {"scene", "text", "fused"}
        (event,) = (row.event for row in made.case.results.events(run.id))
        assert event.channel == "fused"
        spoken = next(one for one in event.reasons if one.attribute == "prompt")
        assert "moving thing" in spoken.text
        assert f"{spoken.value:.2f}" in spoken.text
        assert spoken.value > spoken.usual == 0.5
        assert any(one.attribute == "speed" for one in event.reasons)
        settings = json.loads(run.settings)["text"]
        assert settings["prompts"]["abnormal"] == list(FAST.abnormal)
        assert {"pack", "pack_sha256", "seed", "device", "number_type"} <= settings.keys()


def test_what_only_a_prompt_finds_is_an_event_of_the_text_channel(
    video: Path, tmp_path: Path
) -> None:
    deaf = replace(BOTH, scene=replace(BOTH.scene, attributes=("dwelling",)))
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse(recipe=Recipe(deaf))
        (event,) = (row.event for row in made.case.results.events(run.id))
        assert event.channel == "text"
        assert [one.attribute for one in event.reasons] == ["prompt"]
        assert made.case.results.trajectories(run.id)
        scores = {one: made.case.results.scores(run.id, one) for one in ("scene", "text", "fused")}
        assert scores["scene"].max() < 0.5
        assert np.abs(scores["fused"] - scores["text"]).max() < 0.05


def test_the_text_channel_runs_alone(video: Path, tmp_path: Path) -> None:
    alone = replace(SHORT_CHUNKS, channels=("text",))
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse(recipe=Recipe(alone))
        assert made.case.results.channels(run.id) == ("text",)
        (event,) = (row.event for row in made.case.results.events(run.id))
        assert (event.channel, [one.attribute for one in event.reasons]) == ("text", ["prompt"])


@pytest.mark.parametrize("call", [2, 4, 6, 9])
def test_a_killed_run_ends_as_an_uninterrupted_one(
    video: Path, whole: dict[str, object], call: int, tmp_path: Path
) -> None:
    folder = tmp_path / "a.case"
    with bench(folder, video) as made, pytest.raises(Killed):
        made.analyse(kill_at=call)
    with bench(folder, video) as made:
        run = made.analyse()
        assert run.id == 1
        assert run.resumed_frames == min(130, 32 * (call - 1))
        assert text_content(made.case, run.id) == whole


def test_other_prompts_are_read_from_kept_features_without_the_video(
    video: Path, tmp_path: Path
) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    with bench(tmp_path / "a.case", video) as made:
        first = made.analyse()
        before = text_content(made.case, first.id)
        second = made.analyse(OTHER)
        assert second.id != first.id
        assert made.model is not None
        assert not made.model.windows
        assert text_content(made.case, second.id) == expected
        assert text_content(made.case, first.id) == before
        assert not [one for one in second.warnings if one.kind.startswith("features")]
        assert made.analyse(FAST).id == first.id


def test_a_killed_rescoring_is_resumed_the_same(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    folder = tmp_path / "a.case"
    with bench(folder, video) as made:
        made.analyse()
        with pytest.raises(Killed):
            made.analyse(OTHER, kill_at=3)
    with bench(folder, video) as made:
        second = made.analyse(OTHER)
        assert second.id == 2
        assert text_content(made.case, second.id) == expected


@pytest.mark.parametrize("harm", ["gone", "damaged", "half"])
def test_features_that_are_gone_are_measured_again_and_that_is_said(
    video: Path, harm: str, tmp_path: Path
) -> None:
    with bench(tmp_path / "fresh.case", video) as fresh:
        expected = text_content(fresh.case, fresh.analyse(OTHER).id)
    with bench(tmp_path / "a.case", video) as made:
        made.analyse()
        files = sorted((made.case.cache / "features").rglob("*.features"))
        assert len(files) == CHUNKS
        for file in files if harm == "gone" else files[2:3]:
            if harm == "damaged":
                file.write_bytes(file.read_bytes()[:-9])
            else:
                file.unlink()
        run = made.analyse(OTHER)
        assert made.model is not None
        assert made.model.windows
        assert text_content(made.case, run.id) == expected
        assert [one.kind for one in run.warnings if one.kind.startswith("features")] == [
            "features_gone"
        ]


def test_prompts_after_a_run_without_any_miss_no_features(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as made:
        evidence, source = add_evidence(made.case, video)
        with source:
            alone = Recipe(replace(BOTH, channels=("scene",)))
            Run(made.case, evidence, source, alone).execute(Resuming(finished=True))
        run = made.analyse()
        assert not [one.kind for one in run.warnings if one.kind.startswith("features")]


def test_a_scene_run_gives_its_motion_once_features_are_kept(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as made:
        made.analyse()
        again = made.analyse(FAST, resuming=Resuming(unfinished=False))
        assert made.model is not None
        assert not made.model.windows
        assert text_content(made.case, again.id) == text_content(made.case, 1)


def test_too_little_memory_takes_smaller_windows_and_says_so(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse(memory=4)
        assert made.model is not None
        assert max(made.model.windows) <= 4
        said = next(one for one in run.warnings if one.kind == "short_windows")
        assert "no memory for windows of 8 frames" in said.text


def test_no_memory_at_all_is_named_and_the_run_can_go_on(video: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a.case"
    with bench(folder, video) as made:
        with pytest.raises(ResourceError, match="no memory for the text channel"):
            made.analyse(memory=1)
        assert made.analyse().id == 1


def test_ignored_parts_silence_prompts_and_recalibrating_needs_no_model(
    video: Path, tmp_path: Path
) -> None:
    everything = ((0.0, 0.0), (160.0, 0.0), (160.0, 96.0), (0.0, 96.0))
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse()
        before = text_content(made.case, run.id)
        recalibrate(made.case, run.id, (), PictureParts((everything,)))
        assert not made.case.results.events(run.id)
        assert made.case.results.scores(run.id, "fused").max() < 0.5
        derivation = recalibrate(made.case, run.id, (Span(0.0, 1.5),), PictureParts())
        kinds = [
            made.case.calibrations.get(one).calibration.channel for one in derivation.calibrations
        ]
        assert sorted(kinds) == ["scene", "text"]
        recalibrate(made.case, run.id, (), PictureParts())
        after = text_content(made.case, run.id)
        assert after["channels"] == before["channels"]
        assert after["events"] == before["events"]


def test_exports_show_the_fused_map(video: Path, tmp_path: Path) -> None:
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse()
        stored = stored_run(made.case, run)
        fused = made.case.results.scores(run.id, "fused")
        assert np.array_equal(every_score(made.case, stored), fused)
        heat = np.stack(list(every_heat(made.case, stored)))
        assert heat.shape == (130, 12, 20)
        assert np.allclose(heat.max((1, 2))[70:90], 1, atol=0.05)


def test_normal_footage_calibrates_both_channels_and_is_measured_once(
    video: Path, tmp_path: Path
) -> None:
    calm = street_video(tmp_path / "calm.mp4", 130, (), seed=3)
    recipe = Recipe(BOTH, tuple(hash_normal([calm], CancelToken())))
    with bench(tmp_path / "a.case", video) as made:
        run = made.analyse(recipe=recipe)
        rows = [made.case.calibrations.of_run(run.id, one) for one in ("scene", "text")]
        assert [len(one) for one in rows] == [1, 1]
        assert all(one[0].calibration.kind == "normal" for one in rows)
        second = made.analyse(OTHER, recipe=recipe)
        assert made.model is not None
        assert not made.model.windows
        assert not made.case.calibrations.of_run(second.id, "scene")
        assert len(made.case.calibrations.of_run(second.id, "text")) == 1


def test_fusing_leaves_a_channel_as_it_is_where_the_other_is_silent() -> None:
    scene = np.linspace(0, 1, 101, dtype=np.float32)
    silent = np.full(101, 0.001, np.float32)
    assert np.abs(fuse(scene, silent) - scene).max() < 0.002
    assert np.all(np.diff(fuse(scene, silent)) >= 0)
    both = fuse(np.array([0.5], np.float32), np.array([0.5], np.float32))
    assert both[0] == pytest.approx(2 / 3)
    assert np.isfinite(fuse(np.array([1, 0], np.float32), np.array([1, 0], np.float32))).all()
    assert speaking_channel({"scene": 0.9, "text": 0.1}) == "scene"
    assert speaking_channel({"scene": 0.2, "text": 0.7}) == "text"
    assert speaking_channel({"scene": 0.9, "text": 0.7}) == "fused"
    assert speaking_channel({"text": 0.1}) == "text"


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
