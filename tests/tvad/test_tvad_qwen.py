from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.core.errors import ResourceError, SightlineError
from engine.tvad.backbones import qwen
from engine.tvad.backbones.backbone import VideoWindow
from engine.tvad.backbones.qwen import QwenBackbone, load_qwen, shapes_of
from engine.tvad.backbones.qwen_patches import PatchLayout, to_patches
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig
from engine.tvad.torchvision_guard import guard_torchvision
from tests.tvad.local_models import QWEN_7B, QWEN_TINY, write_qwen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen(tmp_path_factory.mktemp("qwen") / "tiny")


@pytest.fixture(scope="module")
def backbone(folder: Path) -> QwenBackbone:
    return load_qwen(folder)


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A folder of the test's own, to be spoilt."""
    return write_qwen(tmp_path / "spoilt")


def test_seven_billion_have_the_sizes_of_the_method() -> None:
    guard_torchvision()
    from transformers import Qwen2_5_VLConfig

    shapes = shapes_of(Qwen2_5_VLConfig.from_dict(QWEN_7B))
    vision = {name: shape for name, shape in shapes.items() if name.startswith("visual.")}
    assert len({name.split(".")[2] for name in vision if ".blocks." in name}) == 32
    assert vision["visual.blocks.31.mlp.down_proj.weight"] == (1280, 3420)
    assert vision["visual.patch_embed.proj.weight"] == (1280, 3, 2, 14, 14)
    assert shapes["language_model.norm.weight"] == (3584,)
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    assert 7.6e9 < count < 7.8e9


def test_its_decoder_has_the_parameters_that_the_authors_count() -> None:
    with torch.device("meta"):
        decoder = AnomalyHeatmapDecoder(DecoderConfig((1280,) * 4, 3584, (1280,) * 4))
    mlps = sum(weight.numel() for weight in decoder.depths.parameters())
    assert mlps == 4 * (1280 * 1280 + 1280 + 1280 * 3584 + 3584)
    assert mlps / 1e6 == pytest.approx(24.9, abs=0.06)
    assert sum(weight.numel() for weight in decoder.parameters()) == mlps + 4


def test_depths_are_blocks_1_8_16_32_of_32() -> None:
    from engine.tvad.backbones.weight_folder import four_depths

    assert four_depths(32, Path()) == (1, 8, 16, 32)
    assert four_depths(12, Path()) == (1, 3, 6, 12)
    with pytest.raises(SightlineError, match="5 blocks"):
        four_depths(5, Path())


def test_pixels_reach_it_as_its_own_processor_gives_them() -> None:
    guard_torchvision()
    processing: Any = pytest.importorskip("transformers.models.qwen2_vl.video_processing_qwen2_vl")
    frames = np.random.default_rng(0).integers(0, 256, (4, 140, 196, 3), dtype=np.uint8)
    theirs = processing.Qwen2VLVideoProcessor(cap_pixels_per_frame=False, do_resize=False)(
        videos=[torch.from_numpy(frames).permute(0, 3, 1, 2)], return_tensors="pt"
    )
    assert theirs["video_grid_thw"].tolist() == [[2, 10, 14]]
    ours = to_patches(torch.from_numpy(frames), PatchLayout(14, 2, 2, 112))
    torch.testing.assert_close(ours, theirs["pixel_values_videos"], rtol=0, atol=2e-6)


def test_text_tokens_are_averaged_over_the_last_layer(backbone: QwenBackbone, folder: Path) -> None:
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    from engine.tvad.quiet_transformers import quiet_transformers

    whole: Any = Qwen2_5_VLForConditionalGeneration
    with quiet_transformers():
        model = whole.from_pretrained(str(folder), dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(str(folder))("person riding a bicycle")["input_ids"]
    assert len(ids) == 4
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
    expected = out.hidden_states[-1][0].mean(0)
    torch.testing.assert_close(backbone.embed_text(["person riding a bicycle"])[0], expected)


def test_video_tokens_are_those_of_the_whole_model(backbone: QwenBackbone, folder: Path) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    from engine.tvad.quiet_transformers import quiet_transformers

    whole: Any = Qwen2_5_VLForConditionalGeneration
    with quiet_transformers():
        model = whole.from_pretrained(str(folder), dtype=torch.float32)
    frames = np.random.default_rng(0).integers(0, 256, (4, 140, 196, 3), dtype=np.uint8)
    patches = to_patches(torch.from_numpy(frames), PatchLayout(14, 2, 2, 56))
    with torch.no_grad():
        merged = model.model.get_video_features(patches, torch.tensor([[2, 10, 14]]))
    tokens = backbone.video_tokens(VideoWindow(frames, np.arange(4.0)))
    torch.testing.assert_close(tokens, merged.pooler_output[0])


def test_smaller_parts_are_used_when_memory_is_short_and_give_the_same(
    backbone: QwenBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (8, 140, 196, 3), dtype=np.uint8)
    video = VideoWindow(frames, np.arange(8.0))
    expected = backbone.features(video).maps
    real, sizes, most = QwenBackbone._run, list[int](), [2 * 140]

    def short(self: QwenBackbone, patches: torch.Tensor, thw: torch.Tensor) -> Any:
        sizes.append(len(patches) // 140)
        if len(patches) > most[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, patches, thw)

    monkeypatch.setattr(QwenBackbone, "_run", short)
    for whole, parts in zip(expected, backbone.features(video).maps, strict=True):
        torch.testing.assert_close(whole, parts)
    assert sizes == [4, 2, 2]
    most[0] = 0
    with pytest.raises(ResourceError, match="no memory for a picture of 196x140"):
        backbone.features(video)


def test_weights_under_the_names_of_newer_releases_load_the_same(
    backbone: QwenBackbone, spoilt: Path
) -> None:
    path = spoilt / "model.safetensors"
    renamed = {}
    for name, value in load_file(path).items():
        newer = name.replace("visual.", "model.visual.", 1) if name.startswith("visual") else name
        if name.startswith("model."):
            newer = name.replace("model.", "model.language_model.", 1)
        renamed[newer] = value.clone()
    save_file(renamed, path, {"format": "pt"})
    frames = np.full((2, 56, 84, 3), 90, np.uint8)
    video = VideoWindow(frames, np.arange(2.0))
    again = load_qwen(spoilt)
    torch.testing.assert_close(again.embed_text(["vehicle"]), backbone.embed_text(["vehicle"]))
    torch.testing.assert_close(again.features(video).maps[3], backbone.features(video).maps[3])


def _config(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_text())
        change(values)
        (folder / "config.json").write_text(json.dumps(values))

    return spoil


def _vision(**changes: object) -> Callable[[Path], object]:
    return _config(lambda values: values["vision_config"].update(changes))


def _drop(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["visual.blocks.3.mlp.up_proj.weight"]
    save_file(
        {name: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors"
    )


def _only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def _pickle_in_disguise(folder: Path) -> None:
    torch.save({}, folder / "model.safetensors")


def _cut(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "no JSON"),
        (lambda folder: (folder / "config.json").write_text("[1]"), "no object"),
        (_config(lambda values: values.update(model_type="bert")), "a folder of bert"),
        (_vision(hidden_size=128), "its config says"),
        (_vision(depth=9), "without visual.blocks.8"),
        (_vision(depth=10**9), "1000000000 blocks"),
        (_vision(depth="many"), "none of Qwen2.5-VL"),
        (_vision(patch_size=0), "none of Qwen2.5-VL"),
        (_config(lambda values: values.update(vision_config=3)), "none of Qwen2.5-VL"),
        (_config(lambda values: values["text_config"].update(hidden_size=10**7)), "config says"),
        (_drop, "without visual.blocks.3.mlp.up_proj.weight"),
        (_only_pickles, "only pickled weights"),
        (_pickle_in_disguise, "a pickle under the name of weights"),
        (_cut, "weights"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no weights"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "does not load"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_what_it_claims_is_one_line(
    spoilt: Path, spoil: Callable[[Path], object], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(spoilt)
    with pytest.raises(SightlineError) as caught:
        load_qwen(spoilt)
    assert message in caught.value.line()
    assert "\n" not in caught.value.line()
    assert len(caught.value.what) < 400
    assert capfd.readouterr() == ("", "")


def test_code_in_the_folder_is_not_run(spoilt: Path) -> None:
    flag = spoilt / "ran"
    (spoilt / "evil.py").write_text(f"open({str(flag)!r}, 'w')\nclass Evil: pass\n")
    _config(
        lambda values: values.update(auto_map={"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"})
    )(spoilt)
    (spoilt / "tokenizer_config.json").write_text(
        json.dumps({"auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}})
    )
    with contextlib.suppress(SightlineError):
        load_qwen(spoilt)
    assert not flag.exists()


def test_tiny_and_large_have_the_same_layout() -> None:
    assert QWEN_TINY["vision_config"].keys() == QWEN_7B["vision_config"].keys()
    assert QWEN_7B["model_type"] == qwen.MODEL_TYPE
