"""What both backbones from local folders must do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import BadInputError
from engine.packs.prompt_sets import Templates, expand
from engine.tvad.backbones.backbone import Backbone, Features, VideoWindow, WindowMotion
from engine.tvad.backbones.registry import load_backbone
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder, DecoderConfig
from tests.tvad.local_models import write_open_clip, write_qwen

KINDS = ("qwen2.5-vl", "open_clip")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "model"
    if request.param == "qwen2.5-vl":
        return write_qwen(folder)
    pytest.importorskip("open_clip", reason="open_clip is not installed")
    return write_open_clip(folder)


@pytest.fixture(scope="module")
def backbone(folder: Path) -> Backbone:
    kind = "open_clip" if (folder / "open_clip_config.json").exists() else "qwen2.5-vl"
    return load_backbone(kind, folder)


@pytest.fixture(scope="module")
def still_features(backbone: Backbone) -> Features:
    return backbone.features(window(backbone))


def window(backbone: Backbone, frames: int = 4, rows: int = 6, columns: int = 8) -> VideoWindow:
    """A still, grey scene of so many cells."""
    size = rows * backbone.stride, columns * backbone.stride
    pictures = np.full((frames, *size, 3), 110, np.uint8)
    return VideoWindow(pictures, np.arange(frames) / 5.0)


def test_features_have_four_depths_on_one_grid(
    backbone: Backbone, still_features: Features
) -> None:
    features = still_features
    assert [tuple(depth.shape) for depth in features.maps] == [
        (2, width, 6, 8) for width in backbone.widths
    ]
    assert all(depth.dtype == torch.float32 and depth.isfinite().all() for depth in features.maps)
    assert (features.motion is None) == (backbone.motion_channels == 0)


@pytest.mark.parametrize("cell", [(0, 0, 0), (1, 3, 6), (0, 5, 2)])
def test_a_marked_patch_is_found_where_it_was_marked(
    backbone: Backbone, still_features: Features, cell: tuple[int, int, int]
) -> None:
    step, row, column = cell
    marked = window(backbone)
    edge = backbone.stride
    marked.frames[
        step * 2 : step * 2 + 2, row * edge : (row + 1) * edge, column * edge : (column + 1) * edge
    ] = 250
    for before, after in zip(still_features.maps, backbone.features(marked).maps, strict=True):
        change = (before - after).norm(dim=1)
        hottest = np.unravel_index(int(change.argmax()), change.shape)
        assert tuple(map(int, hottest)) == cell
        assert float(change[1 - step].max()) < 1e-4 * float(change.max())


def test_equal_windows_and_texts_give_equal_bits(
    backbone: Backbone, still_features: Features, folder: Path
) -> None:
    again = load_backbone(backbone.name, folder)
    features = again.features(window(backbone))
    for before, after in zip(still_features.maps, features.maps, strict=True):
        assert torch.equal(before, after)
    texts = ["person running", "vehicle"]
    assert torch.equal(backbone.embed_text(texts), again.embed_text(texts[::-1]).flip(0))


def test_text_embeddings_are_means_of_this_encoder(backbone: Backbone) -> None:
    levels = expand("person running", Templates())
    embedded = backbone.embed_text(levels)
    assert embedded.shape == (3, backbone.text_width)
    assert embedded.isfinite().all()
    assert not torch.allclose(embedded[0], embedded[1])
    assert backbone.embed_text([]).shape == (0, backbone.text_width)


@pytest.mark.parametrize(("text", "message"), [(" ", "empty"), ("person " * 200, "tokens")])
def test_prompts_that_do_not_fit_are_named(backbone: Backbone, text: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        backbone.embed_text(["vehicle", text])


def test_a_window_that_does_not_fit_is_named(backbone: Backbone) -> None:
    with pytest.raises(BadInputError, match="3 frames"):
        backbone.features(window(backbone, frames=3))
    odd = VideoWindow(np.zeros((2, 100, 130, 3), np.uint8), np.arange(2.0))
    with pytest.raises(BadInputError, match="130x100"):
        backbone.features(odd)


@pytest.mark.parametrize(
    ("size", "people"), [((1920, 1080), None), ((160, 120), 20.0), ((90, 1600), 400.0)]
)
def test_the_size_it_asks_for_is_one_it_takes(
    backbone: Backbone, size: tuple[int, int], people: float | None
) -> None:
    width, height = backbone.picture_size(*size, people)
    assert width * height <= 1.2 * 640 * 480
    frames = np.zeros((2, height, width, 3), np.uint8)
    features = backbone.features(VideoWindow(frames, np.arange(2.0)))
    assert features.maps[0].shape[-2:] == (height // backbone.stride, width // backbone.stride)


def test_video_tokens_are_finite_rows(backbone: Backbone) -> None:
    tokens = backbone.video_tokens(window(backbone))
    assert tokens.ndim == 2
    assert tokens.dtype == torch.float32
    assert tokens.isfinite().all()


def test_costs_are_what_the_weights_weigh(backbone: Backbone, folder: Path) -> None:
    stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert 0.8 * stored < backbone.cost.weights_bytes < 1.2 * stored
    assert backbone.cost.window_bytes > 0


def moving_square(backbone: Backbone, rng: np.random.Generator) -> tuple[VideoWindow, torch.Tensor]:
    """A bright square on noise, with its truth on the grid."""
    window_frames = window(backbone)
    window_frames.frames[:] = rng.integers(60, 160, window_frames.frames.shape, dtype=np.uint8)
    edge, truth = backbone.stride, torch.zeros(2, 6, 8)
    for step in range(2):
        row, column = int(rng.integers(0, 5)), int(rng.integers(0, 7))
        part = np.s_[
            step * 2 : step * 2 + 2,
            row * edge : (row + 2) * edge,
            column * edge : (column + 2) * edge,
        ]
        window_frames.frames[part] = (250, 60, 60)
        truth[step, row : row + 2, column : column + 2] = 1.0
    return window_frames, truth


def test_the_decoder_learns_on_its_features(backbone: Backbone) -> None:
    rng = np.random.default_rng(3)
    samples = [moving_square(backbone, rng) for _ in range(4)]
    features = [backbone.features(frames) for frames, _ in samples]
    text = backbone.embed_text(["person walking", "vehicle"])
    torch.manual_seed(0)
    widths = backbone.widths
    config = DecoderConfig(
        widths, backbone.text_width, (32, 32, 32, 32), backbone.motion_channels,
        8 if backbone.motion_channels else 0,
    )  # fmt: skip
    decoder = AnomalyHeatmapDecoder(config)
    decoder.text_centre.copy_(text.mean(0))
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        total = torch.zeros(())
        for maps, (_, truth) in zip(features, samples, strict=True):
            odds = decoder.log_odds(decoder.hidden_maps(maps), text[:1], text[1:])[0]
            weight = torch.where(truth > 0, 20.0, 1.0)
            total = total + torch.nn.functional.binary_cross_entropy_with_logits(
                odds, truth, weight
            )
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(total.detach()))
    assert losses[-1] < 0.7 * losses[0]
    frames, truth = moving_square(backbone, rng)
    with torch.no_grad():
        hidden = decoder.hidden_maps(backbone.features(frames))
        heat = decoder.heatmaps(hidden, text[:1], text[1:])
    assert float(heat[0][truth > 0].mean()) > float(heat[0][truth == 0].mean()) + 0.2


def test_motion_reaches_a_backbone_that_wants_it(backbone: Backbone) -> None:
    if not backbone.motion_channels:
        pytest.skip(f"{backbone.name} sees frames only")
    still = window(backbone)
    values = np.zeros((2, 6, 6, 8), np.float32)
    values[1, :3, 4, 5] = 30.0
    values[1, 5, 4, 5] = 1.0
    moving = VideoWindow(
        still.frames, still.seconds, WindowMotion(values, np.full(6, 20.0, np.float32), 384)
    )
    motion = backbone.features(moving).motion
    assert motion is not None
    assert motion.shape == (2, backbone.motion_channels, 6, 8)
    assert float(motion[1, 2].max()) > 1.0
    assert float(motion[0, 2].max()) == 0.0
    wrong = VideoWindow(
        still.frames, still.seconds, WindowMotion(values[:1], values[0, 0, :, 0], 9)
    )
    with pytest.raises(BadInputError, match="1 slices of motion for 2 pairs"):
        backbone.features(wrong)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA: heatmaps on a GPU")
def test_a_gpu_gives_the_same_heatmaps(backbone: Backbone, folder: Path) -> None:
    there = load_backbone(backbone.name, folder, "cuda:0")
    frames, _ = moving_square(backbone, np.random.default_rng(1))
    text = backbone.embed_text(["person walking", "vehicle"])
    config = DecoderConfig(
        backbone.widths, backbone.text_width, (32, 32, 32, 32), backbone.motion_channels,
        8 if backbone.motion_channels else 0,
    )  # fmt: skip
    decoder = AnomalyHeatmapDecoder(config).eval()
    with torch.no_grad():
        heat = decoder.heatmaps(decoder.hidden_maps(backbone.features(frames)), text[:1], text[1:])
        features = there.features(frames)
        maps = Features(
            tuple(depth.cpu() for depth in features.maps),
            None if features.motion is None else features.motion.cpu(),
        )
        other = decoder.heatmaps(decoder.hidden_maps(maps), text[:1], text[1:])
    assert float((heat - other).abs().max()) < 1e-2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA: a training step on a GPU")
def test_a_gpu_takes_a_training_step(backbone: Backbone, folder: Path) -> None:
    there = load_backbone(backbone.name, folder, "cuda:0")
    text = there.embed_text(["person walking", "vehicle"])
    config = DecoderConfig(
        there.widths, there.text_width, (32, 32, 32, 32), there.motion_channels,
        8 if there.motion_channels else 0,
    )  # fmt: skip
    decoder = AnomalyHeatmapDecoder(config).to("cuda:0")
    odds = decoder.log_odds(decoder.hidden_maps(there.features(window(there))), text[:1], text[1:])
    odds.mean().backward()  # type: ignore[no-untyped-call]
    assert all(
        parameter.grad is None or parameter.grad.isfinite().all()
        for parameter in decoder.parameters()
    )
