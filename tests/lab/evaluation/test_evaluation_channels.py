"""An evaluation gives the figures of each channel, and those of the fused one at the top."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.detectors.text.text_detector import TextDetector
from engine.lab.datasets.registry import open_dataset
from engine.lab.evaluation.benchmark_run import EvaluationRun, Evaluator
from tests.detectors.text.fake_text_model import FAST, FakeTextModel, fake_recipe
from tests.pipeline.pipeline_material import SHORT_CHUNKS, street


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one normal and one test video in the layout of a repacked Ped2."""
    folder = tmp_path_factory.mktemp("ped2")
    for kind, fast, seed in (("training", (), 2), ("testing", (30,), 0)):
        frames = folder / kind / "frames" / "01"
        frames.mkdir(parents=True)
        for number, picture in enumerate(street(75, fast, seed)):
            cv2.imwrite(str(frames / f"{number:03d}.jpg"), picture)
    masks = folder / "testing" / "masks" / "01"
    masks.mkdir(parents=True)
    for number in range(75):
        mask = np.zeros((96, 160), np.uint8)
        left = 5 * (number - 30) - 28
        if number >= 30 and left < 160:
            mask[36:60, max(0, left) : left + 28] = 255
        cv2.imwrite(str(masks / f"{number:03d}.png"), mask)
    return folder


def evaluated(root: Path, *channels: str, dump: Path | None = None) -> EvaluationRun:
    settings = replace(SHORT_CHUNKS, channels=channels)
    recipe = fake_recipe(FAST)
    text = TextDetector(recipe, FakeTextModel(recipe)) if "text" in channels else None
    return Evaluator(open_dataset("ped2", root), settings, None, text=text, dump=dump).evaluate(
        "test"
    )


def test_each_channel_has_its_figures(root: Path, tmp_path: Path) -> None:
    both = evaluated(root, "scene", "text", dump=tmp_path)
    assert set(both.channels) == {"scene", "text", "fused"}
    assert (both.leading, both.calibrate) == ("fused", "normal")
    alone = evaluated(root, "scene")
    assert set(alone.channels) == {"scene"}
    assert alone.channels["scene"] == both.channels["scene"]
    text = evaluated(root, "text")
    assert (text.leading, text.channels["text"]) == ("text", both.channels["text"])
    fused = both.channels["fused"].micro_auc.value
    assert fused is not None
    assert fused >= (alone.channels["scene"].micro_auc.value or 0) - 0.003
    with np.load(tmp_path / "01.npz") as arrays:
        assert arrays["heatmap"].shape == (75, 12, 20)
