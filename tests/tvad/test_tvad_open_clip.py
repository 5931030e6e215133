from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.core.errors import SightlineError
from engine.tvad.backbones.backbone import VideoWindow
from engine.tvad.backbones.open_clip_vit import OpenClipBackbone, load_open_clip
from engine.tvad.torchvision_guard import guard_torchvision
from tests.tvad.local_models import write_open_clip

guard_torchvision()
open_clip: Any = pytest.importorskip("open_clip", reason="open_clip is not installed")

SMALL: dict[str, Any] = {"layers": 8, "width": 64, "head_width": 32, "patch_size": 16}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_open_clip(tmp_path / "small", **SMALL)


def test_at_its_own_size_it_agrees_with_open_clip(folder: Path) -> None:
    backbone = load_open_clip(folder)
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    frames = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor([0.48, 0.46, 0.41]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.27, 0.26, 0.28]).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = model.eval().visual.forward_intermediates(
            (pictures - mean) / deviation, indices=[0, 1, 3, 7], intermediates_only=True
        )["image_intermediates"]
    maps = backbone.features(VideoWindow(frames, np.arange(2.0))).maps
    for ours, theirs in zip(expected, maps, strict=True):
        torch.testing.assert_close(ours.mean(0, keepdim=True), theirs, rtol=1e-4, atol=1e-5)


def test_text_ends_in_the_token_that_open_clip_pools(folder: Path) -> None:
    """The mean has every token in it; with all but the last taken away it is open_clip's own."""
    backbone = load_open_clip(folder)
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.no_grad():
        pooled = model.eval().encode_text(tokenizer(["person running"]))[0]
    inputs: list[torch.Tensor] = []
    real = backbone._model.ln_final.forward

    def keep(hidden: torch.Tensor) -> torch.Tensor:
        inputs.append(real(hidden))
        return inputs[-1]

    backbone._model.ln_final.forward = keep
    mean = backbone.embed_text(["person running"])[0]
    assert inputs[0].shape[1] == 4
    projected = inputs[0][0] @ backbone._model.text_projection
    torch.testing.assert_close(projected[-1], pooled, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(projected.mean(0), mean)


def _config(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = folder / "open_clip_config.json"
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "open_clip_config.json").unlink(), "no open_clip_config.json"),
        (_config(lambda values: values.update(model_cfg=[])), "none of open_clip"),
        (_config(lambda values: values["model_cfg"].pop("text_cfg")), "none of open_clip"),
        (
            _config(lambda values: values["model_cfg"]["text_cfg"].update(hf_model_name="x/y")),
            "a tower of another library (hf_model_name)",
        ),
        (
            _config(lambda values: values["model_cfg"]["vision_cfg"].update(timm_model_name="x")),
            "a tower of another library (timm_model_name)",
        ),
        (
            _config(lambda values: values["model_cfg"]["vision_cfg"].update(layers=[3, 4, 6, 3])),
            "without a vision transformer",
        ),
        (
            _config(lambda values: values["model_cfg"]["vision_cfg"].update(width=128)),
            "its config says",
        ),
        (
            _config(lambda values: values["model_cfg"]["vision_cfg"].update(layers=9)),
            "without visual.transformer.resblocks.8",
        ),
        (
            _config(lambda values: values["model_cfg"]["vision_cfg"].update(frobnicate=1)),
            "does not load as open_clip",
        ),
        (
            _config(lambda values: values["preprocess_cfg"].update(mean=["red"])),
            "does not load as open_clip",
        ),
        (
            lambda folder: (folder / "open_clip_model.safetensors").write_bytes(b"\x80\x02" * 20),
            "a pickle under the name of weights",
        ),
        (lambda folder: (folder / "open_clip_model.safetensors").unlink(), "no weights"),
    ],
)
def test_a_folder_that_is_not_what_it_claims_is_one_line(
    folder: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(folder)
    with pytest.raises(SightlineError) as caught:
        load_open_clip(folder)
    assert message in caught.value.line()
    assert "\n" not in caught.value.line()


def test_too_few_blocks_are_named(tmp_path: Path) -> None:
    with pytest.raises(SightlineError, match="a vision encoder of 4 blocks"):
        load_open_clip(write_open_clip(tmp_path / "few", **{**SMALL, "layers": 4}))


def test_it_is_a_backbone_of_its_kind(folder: Path) -> None:
    backbone = load_open_clip(folder)
    assert isinstance(backbone, OpenClipBackbone)
    assert (backbone.name, backbone.widths, backbone.stride) == ("open_clip", (64,) * 4, 16)
