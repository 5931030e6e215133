from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.core.errors import BadInputError, ResourceError
from engine.packs.pack_folders import weights_folders
from engine.packs.prompt_sets import Templates
from engine.tvad.backbones.backbone import VideoWindow, WindowMotion
from engine.tvad.backbones.compact import CompactBackbone, load_compact
from engine.tvad.backbones.scene_units import scene_motion
from engine.tvad.prompt_embeddings import embed_words


@pytest.fixture(scope="module")
def backbone() -> CompactBackbone:
    folder = weights_folders()[0]
    if not (folder / "mobilenetv2" / "model.safetensors").is_file():
        pytest.skip("no base weights in resources/weights; run the set-up")
    torch.set_num_threads(1)
    return load_compact(folder)


def window(slices: int = 1, size: tuple[int, int] = (128, 96), seed: int = 0) -> VideoWindow:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 255, (2 * slices, size[1], size[0], 3), dtype=np.uint8)
    return VideoWindow(frames, np.arange(2 * slices) / 10)


def test_features_have_the_widths_and_grids_that_the_backbone_names(
    backbone: CompactBackbone,
) -> None:
    features = backbone.features(window(3))
    assert tuple(depth.shape[1] for depth in features.maps) == backbone.widths
    assert [tuple(depth.shape[2:]) for depth in features.maps] == [
        (12, 16),
        (12, 16),
        (6, 8),
        (3, 4),
    ]
    assert features.motion is not None
    assert features.motion.shape == (3, backbone.motion_channels, 12, 16)
    assert not features.motion.any()


def test_features_lie_in_raster_order(backbone: CompactBackbone) -> None:
    plain = VideoWindow(np.full((2, 256, 320, 3), 90, np.uint8), np.arange(2) / 10)
    marked = plain.frames.copy()
    marked[:, 40:48, 240:248] = (250, 30, 30)
    before = backbone.features(plain).maps
    after = backbone.features(VideoWindow(marked, plain.seconds)).maps
    for depth, cell in ((0, 8), (1, 8), (2, 16)):
        change = (after[depth] - before[depth]).abs().sum(1)[0]
        row, column = np.unravel_index(int(change.argmax()), change.shape)
        assert abs(row - 43 // cell) <= 1
        assert abs(column - 243 // cell) <= 1


def test_scale_brings_people_to_their_size_within_the_area(backbone: CompactBackbone) -> None:
    assert backbone.picture_size(640, 480) == (640, 480)
    assert backbone.picture_size(360, 240, people=30) == (672, 448)
    assert backbone.picture_size(1920, 1080, people=240) == (480, 256)
    for people in (None, 5.0, 60.0, 4000.0):
        width, height = backbone.picture_size(1280, 720, people)
        assert width % 32 == height % 32 == 0
        assert min(width, height) >= 64
        assert width * height <= 640 * 480 * 1.1


def test_windows_that_do_not_fit_are_refused(backbone: CompactBackbone) -> None:
    with pytest.raises(BadInputError, match="not made of pairs"):
        backbone.features(VideoWindow(window().frames[:1], np.zeros(1)))
    with pytest.raises(BadInputError, match="32x32"):
        backbone.features(window(size=(100, 96)))
    motion = WindowMotion(np.zeros((2, 6, 4, 4), np.float32), np.zeros(4, np.float32), 128)
    pair = window()
    with pytest.raises(BadInputError, match="slices of motion"):
        backbone.features(VideoWindow(pair.frames, pair.seconds, motion))


def test_prompts_that_mean_the_same_lie_closer_than_others(backbone: CompactBackbone) -> None:
    words = ("person riding a bicycle", "cyclist", "person lying on the ground", "vehicle")
    embedded = embed_words(backbone, words, Templates())
    embedded = torch.nn.functional.normalize(embedded - embedded.mean(0), dim=1)
    alike = float(embedded[0] @ embedded[1])
    assert alike > max(float(embedded[0] @ embedded[2]), float(embedded[0] @ embedded[3]))
    again = embed_words(backbone, words[:1], Templates())
    assert torch.allclose(again[0], embed_words(backbone, words, Templates())[0], atol=1e-5)


def test_prompts_that_cannot_be_embedded_are_refused(backbone: CompactBackbone) -> None:
    with pytest.raises(BadInputError, match="empty"):
        backbone.embed_text(["person", "  "])
    with pytest.raises(BadInputError, match="word pieces"):
        backbone.embed_text(["word " * 200])


def test_missing_weights_are_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ResourceError, match="MobileNetV2"):
        load_compact(tmp_path_factory.mktemp("none"))


def motion_of(speed: float, usual: float, width: int = 128) -> WindowMotion:
    values = np.zeros((2, 6, 24, 32), np.float32)
    values[:, 0] = values[:, 2] = speed
    values[:, 5] = 1
    return WindowMotion(values, np.full(12, usual, np.float32), width)


def test_speed_in_units_of_the_scene_is_the_same_at_every_scale() -> None:
    slow = scene_motion(motion_of(20, 10), (128, 96), (12, 16))
    fast = scene_motion(motion_of(40, 20), (128, 96), (12, 16))
    doubled = scene_motion(motion_of(20, 10), (256, 192), (24, 32))
    units = slow[:, :4].mean((2, 3))
    assert torch.allclose(units, fast[:, :4].mean((2, 3)))
    assert torch.allclose(units, doubled[:, :4].mean((2, 3)), atol=1e-5)
    assert 1.8 < float(units[0, 0]) < 2


def test_unknown_usual_speed_is_that_of_a_walker() -> None:
    unknown = scene_motion(motion_of(45, 0), (128, 96), (12, 16))
    assert 0.95 < float(unknown[0, 0, 6, 8]) <= 1
    assert torch.isfinite(unknown).all()


def two_walkers(towards: float) -> WindowMotion:
    """One large group goes right, somebody far from it goes `towards`, for five slices."""
    values = np.zeros((5, 6, 96, 128), np.float32)
    values[:, 0, 10:30, 10:60], values[:, 5, 10:30, 10:60] = 45, 1
    values[:, 0, 80:90, 110:118], values[:, 5, 80:90, 110:118] = towards, 1
    values[:, 2] = np.abs(values[:, 0])
    return WindowMotion(values, np.full(96, 45, np.float32), 512)


@pytest.mark.parametrize("towards", [45, -45])
def test_who_walks_with_or_against_the_others_is_told_apart(towards: float) -> None:
    channels = scene_motion(two_walkers(towards), (512, 384), (48, 64))
    along, stream = channels[2, -2:, 42, 57]
    assert stream > 0.5
    assert torch.sign(along) == np.sign(towards)
    alone = two_walkers(towards)
    alone.values[:, :, 10:30, 10:60] = 0
    assert float(scene_motion(alone, (512, 384), (48, 64))[2, -1, 42, 57]) < 0.01


def test_a_slice_is_told_what_came_before_and_after() -> None:
    motion = two_walkers(45)
    motion.values[3:] = 0
    channels = scene_motion(motion, (512, 384), (48, 64))[:, :, 42, 57]
    before, after = channels[:, 12:15], channels[:, 15:18]
    assert torch.equal(before[4], channels[2, [0, 1, 5]])
    assert torch.equal(after[0], channels[2, [0, 1, 5]])
    assert float(after[2].abs().max()) == 0
