"""Stage 1 end to end, from rendered footage to a pack, on backbones from local folders."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, silent
from engine.datasets.synthetic.footage.write import FootageRequest, write_footage
from engine.packs.listing import check_pack
from engine.packs.locations import WEIGHTS_VARIABLE
from engine.packs.manifest import find_pack
from engine.training.ahd import AhdRequest, train_ahd
from engine.training.stage1 import Stage1Settings
from engine.tvad.backbone import VideoWindow
from engine.tvad.loading import open_backbone
from tests.tvad.local_models import write_qwen

SETTINGS = Stage1Settings(
    epochs=12, accumulation=2, measure_every=4, judged=2, peak_rate=3e-3, centre=False
)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "footage"
    for split in ("train", "validation"):
        request = FootageRequest(2, 5, split, (320, 180), 2.0)
        write_footage(folder, request, 1, silent, CancelToken())
    return folder


@pytest.fixture
def request_(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AhdRequest:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "models"))
    folder = write_qwen(tmp_path / "models" / "Tiny-Qwen")
    return AhdRequest(
        footage, tmp_path / "tiny-lab", "qwen2.5-vl", folder, tmp_path / "work", SETTINGS,
        windows=2, workers=1, threads=1, command="main.py train ahd",
    )  # fmt: skip


def losses(request: AhdRequest) -> list[float]:
    """Returns the losses that the training logged, in order."""
    with safe_open(request.work / "state" / "stage1.safetensors", "pt") as file:
        log: list[dict[str, Any]] = json.loads(file.metadata()["state"])["log"]
    return [entry["loss"] for entry in log]


def test_a_tiny_qwen_is_trained_and_its_pack_runs(request_: AhdRequest, tmp_path: Path) -> None:
    train_ahd(request_, silent, CancelToken())
    fallen = losses(request_)
    assert len(fallen) > 3
    assert np.mean(fallen[-2:]) < 0.9 * fallen[0]
    found = check_pack(tmp_path / "tiny-lab")
    assert found.problems == ()
    pack = find_pack(tmp_path / "tiny-lab")
    assert pack.backbone.folders == {"model": "Tiny-Qwen"}
    assert (pack.grid.stride, pack.grid.frames, pack.grid.steps) == (14, 16, 8)
    backbone = open_backbone(pack)
    frames = np.zeros((2, 56, 84, 3), np.uint8)
    assert backbone.features(VideoWindow(frames, np.arange(2.0))).maps[0].shape == (1, 64, 4, 6)
    write_qwen(request_.weights, seed=8)
    with pytest.raises(BadInputError, match="other than those tiny-lab was trained on"):
        open_backbone(pack)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA: stage 1 on a GPU")
def test_a_tiny_qwen_is_trained_on_a_gpu(request_: AhdRequest) -> None:
    train_ahd(replace(request_, device="cuda:0"), silent, CancelToken())
    assert losses(request_)[-1] < losses(request_)[0]
