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
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.lab.training.stage1 import Stage1Settings
from engine.lab.training.train_ahd import AhdRequest, train_ahd
from engine.packs.pack import find_pack
from engine.packs.pack_folders import WEIGHTS_VARIABLE
from engine.packs.pack_listing import check_pack
from engine.tvad.backbones.backbone import VideoWindow
from engine.tvad.backbones.registry import open_backbone
from engine.tvad.torchvision_guard import guard_torchvision
from tests.tvad.local_models import write_open_clip, write_qwen

SETTINGS = Stage1Settings(
    epochs=40,
    accumulation=2,
    measure_every=2,
    validation_windows=1,
    peak_rate=3e-3,
    centre=False,
    threads=1,
)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "footage"
    for split in ("train", "validation"):
        request = FootageRequest(2, 5, split, (320, 180), 2.0)
        write_footage(folder, request, 1, silent, CancelToken())
    return folder


def asked(footage: Path, place: Path, kind: str) -> AhdRequest:
    """Returns the training of a small random model of a kind."""
    if kind == "qwen2.5-vl":
        folder = write_qwen(place / "models" / "Tiny-1.0")
    else:
        guard_torchvision()
        pytest.importorskip("open_clip", reason="open_clip is not installed")
        small: dict[str, Any] = {"layers": 8, "width": 64, "head_width": 32, "patch_size": 16}
        folder = write_open_clip(place / "models" / "Tiny-1.0", **small)
    return AhdRequest(
        (footage,), place / "tiny-lab", kind, folder, place / "work", SETTINGS,
        windows=2, workers=1, command="main.py train ahd",
    )  # fmt: skip


def losses(request: AhdRequest) -> list[float]:
    """Returns the losses that the training logged, in order."""
    with safe_open(request.work / "state" / "stage1.safetensors", "pt") as file:
        log: list[dict[str, Any]] = json.loads(file.metadata()["state"])["log"]
    return [entry["loss"] for entry in log]


@pytest.mark.parametrize(("kind", "stride"), [("qwen2.5-vl", 14), ("open_clip", 16)])
def test_a_small_model_is_trained_and_its_pack_runs(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, stride: int
) -> None:
    request = asked(footage, tmp_path, kind)
    train_ahd(request, silent, CancelToken())
    fallen = losses(request)
    assert np.mean(fallen[-5:]) < 0.9 * np.mean(fallen[:5])
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "models"))
    found = check_pack(tmp_path / "tiny-lab")
    assert found.problems == ()
    pack = find_pack(tmp_path / "tiny-lab")
    assert pack.backbone.folders == {"model": "Tiny-1.0"}
    assert f"main.py synth --to {footage.name} --videos" in pack.training.data
    assert str(footage.parent) not in pack.training.data
    assert (pack.grid.stride, pack.grid.frames, pack.grid.steps) == (stride, 16, 8)
    backbone = open_backbone(pack)
    frames = np.zeros((2, 4 * stride, 6 * stride, 3), np.uint8)
    assert backbone.features(VideoWindow(frames, np.arange(2.0))).maps[0].shape == (1, 64, 4, 6)
    for path in request.weights.glob("*.safetensors"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    with pytest.raises(BadInputError, match="other than those tiny-lab was trained on"):
        open_backbone(pack)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA: stage 1 on a GPU")
@pytest.mark.parametrize("kind", ["qwen2.5-vl", "open_clip"])
def test_a_small_model_is_trained_on_a_gpu(footage: Path, tmp_path: Path, kind: str) -> None:
    request = asked(footage, tmp_path, kind)
    train_ahd(replace(request, device="cuda:0"), silent, CancelToken())
    assert np.mean(losses(request)[-5:]) < np.mean(losses(request)[:5])
