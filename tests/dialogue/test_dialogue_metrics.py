"""`evaluate --dialogue`: what a language model is judged on, and what its heat was learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.case import Case
from engine.dialogue.span_results import current_or_new_run
from engine.lab.datasets.rendered_footage import rendered_videos
from engine.lab.evaluation.dialogue.evaluated_spans import (
    OWN,
    SWAPPED_TRUTH,
    ControlHeatmaps,
    EvaluatedSpan,
    spans_of_rendered_footage,
)
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.packs.pack import Pack
from tests.cli.cli_material import Command


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered")
    write_footage(root, FootageRequest(4, 3, "test", (256, 144), 3.0))
    return root


@pytest.fixture(scope="module")
def spans(rendered: Path) -> list[EvaluatedSpan]:
    return spans_of_rendered_footage(rendered, "test", None)


def test_normal_footage_is_of_the_same_camera_and_another_video(
    rendered: Path, spans: list[EvaluatedSpan]
) -> None:
    cameras = {video.path: video.camera for video in rendered_videos(rendered, "test")}
    harmless = {video.path for video in rendered_videos(rendered, "test") if video.normal}
    assert any(span.normal for span in spans)
    for span in spans:
        assert span.path not in span.normal
        assert harmless.issuperset(span.normal)
        assert {cameras[path] for path in span.normal} <= {cameras[span.path]}


def test_own_heat_learns_from_normal_footage_unless_told_not_to(
    spans: list[EvaluatedSpan], tmp_path: Path
) -> None:
    span = next(span for span in spans if span.normal)
    for learn, source in ((True, "normal"), (False, "self")):
        heat = ControlHeatmaps(OWN, spans, tmp_path, None, learn).of(span)
        assert heat is not None
        assert heat([span.first]).shape == span.true_heat([span.first]).shape
        with Case.open(tmp_path / f"{span.video}-{source}.case", write=True) as case:
            assert f'"calibration":"{source}"' in _settings(case)


def test_as_many_spans_as_asked_for_though_some_videos_have_less_room(rendered: Path) -> None:
    for limit in (4, 7):
        assert len(spans_of_rendered_footage(rendered, "test", limit)) == limit


def test_another_spans_true_heat_begins_and_ends_elsewhere(
    spans: list[EvaluatedSpan], tmp_path: Path
) -> None:
    giver = ControlHeatmaps(SWAPPED_TRUTH, spans, tmp_path, None)
    partners = [(span, giver.partner(span)) for span in spans]
    assert any(partner is not None for _, partner in partners)
    for span, partner in partners:
        heat = giver.of(span)
        assert (heat is None) == (partner is None)
        if heat is None or partner is None or span.end_cells is None or partner.end_cells is None:
            continue
        assert all(a != b for a, b in zip(span.end_cells, partner.end_cells, strict=True))
        ends = [partner.first, partner.last]
        assert np.array_equal(heat([span.first, span.last]), partner.true_heat(ends))


def test_figures_name_the_heat_and_where_it_was_learned(
    command: Command, rendered: Path, pack: Pack
) -> None:
    asked = ("evaluate", "--dialogue", "--root", rendered, "--pack", pack.name, "--limit", 2)
    said = command(*asked, "--heatmap", "truth", "--json")
    assert said.code == 0, said.err
    assert said.json["dialogues"] == 2
    assert (said.json["heatmap"], said.json["calibrate"]) == ("truth", "normal")
    assert command(*asked, "--heatmap", "truth", "--calibrate", "camera").code == 2
    assert command(*asked, "--heatmap", "guess").code == 2


def _settings(case: Case) -> str:
    run = current_or_new_run(case, case.evidence.all()[0], None)
    return run.settings.replace(" ", "")
