from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, silent
from engine.lab.datasets.rendered_footage import RenderedVideo, Target, rendered_videos
from engine.lab.synthesis.phrases import ABNORMAL, NORMAL
from engine.lab.training.decoder_calibration import calibration
from engine.lab.training.feature_cache import FeatureCache, FeatureRecipe
from engine.lab.training.loss import (
    BACKGROUND,
    OTHER,
    TARGET,
    Balance,
    balanced_cross_entropy,
    pixel_groups,
)
from engine.lab.training.loss import NORMAL as NORMAL_GROUP
from engine.lab.training.prompt_bank import draw_prompts
from engine.lab.training.steering_metrics import ScoredSlice, SteeringMetrics
from engine.lab.training.window_samples import PLAIN, draw_variation
from engine.tvad.backbones.backbone import Features, VideoWindow
from tests.lab.training.training_material import TinyBackbone, bank, cached


def test_cached_windows_are_those_that_were_computed(rendered: Path, features: Path) -> None:
    cache = cached(rendered, features, "train")
    window = cache.read(0)
    width, height = window.picture
    assert window.ids.shape == (2, height // 4, width // 4)
    assert window.features.motion is not None
    assert window.features.motion.shape[1] == TinyBackbone.motion_channels
    again = cached(rendered, features, "train").read(0)
    assert all(
        torch.equal(a, b) for a, b in zip(window.features.maps, again.features.maps, strict=True)
    )


def test_ids_of_a_whole_video_are_those_of_its_annotations(rendered: Path, features: Path) -> None:
    window = cached(rendered, features, "validation", 0).read(0)
    for index, frame in enumerate(window.frames):
        truth = window.video.ids(int(frame))
        assert set(np.unique(window.ids[index])) <= set(np.unique(truth))


def test_cache_keeps_to_its_share_of_the_disk(rendered: Path, tmp_path: Path) -> None:
    videos = rendered_videos(rendered, "train")
    cache = FeatureCache(tmp_path, FeatureRecipe("tiny", 1, 3, 2), videos)
    cache.fill(TinyBackbone, 1, 1, silent, CancelToken())
    assert len(cache) == len(videos)


def test_features_that_are_no_numbers_are_refused(rendered: Path, tmp_path: Path) -> None:
    class Broken(TinyBackbone):
        def features(self, window: VideoWindow) -> Features:
            features = super().features(window)
            features.maps[2][0, 0, 0, 0] = torch.nan
            return features

    videos = rendered_videos(rendered, "train")
    cache = FeatureCache(tmp_path, FeatureRecipe("tiny", 1, 3, 2), videos)
    with pytest.raises(BadInputError, match="no numbers"):
        cache.fill(Broken, 1 << 30, 1, silent, CancelToken())
    assert not list(cache.folder.glob("*.safetensors"))


def test_folder_without_the_split_is_named(rendered: Path) -> None:
    with pytest.raises(BadInputError, match="no test split"):
        rendered_videos(rendered, "test")


def test_variation_follows_from_seed_and_name() -> None:
    assert draw_variation(1, "a") == draw_variation(1, "a")
    assert len({draw_variation(1, str(n)) for n in range(20)}) == 20
    assert PLAIN.scale == PLAIN.stride == 1


def test_groups_depend_on_what_the_prompt_asks_for(rendered: Path, features: Path) -> None:
    window = cached(rendered, features, "train").read(0)
    targets = (
        Target(1, "person", {}, ((0, 9999),), (("running", 0, 9999),)),
        Target(2, "person", {}, ((0, 9999),), (("cycling", 0, 9999),)),
        Target(3, "person", {}, (), (("walking", 0, 9999),)),
    )
    ids = np.zeros_like(window.ids)
    ids[:, 0, :4] = (1, 2, 3, 0)
    window = replace(window, ids=ids, video=replace(window.video, targets=targets))
    classes = (frozenset({"running"}), frozenset({"cycling", "running"}), frozenset({"walking"}))
    groups = pixel_groups(window, classes)[:, 0, 0, :4].tolist()
    assert groups[0] == [TARGET, OTHER, NORMAL_GROUP, BACKGROUND]
    assert groups[1] == [TARGET, TARGET, NORMAL_GROUP, BACKGROUND]
    assert groups[2] == [OTHER, OTHER, TARGET, BACKGROUND]


def test_small_target_counts_as_much_as_a_large_one() -> None:
    balance = Balance(hard=0.0)
    groups = torch.full((1, 2, 16, 16), BACKGROUND, dtype=torch.uint8)
    groups[0, 0, :2, :2] = TARGET
    groups[0, 1, :8, :8] = TARGET
    for slice_ in (0, 1):
        odds = torch.full((1, 2, 16, 16), -3.0)
        odds[0, slice_][groups[0, slice_] == TARGET] = 3.0
        value = float(balanced_cross_entropy(odds, groups, balance))
        wrong, right = np.log1p(np.exp(3)), np.log1p(np.exp(-3))
        assert value == pytest.approx(0.35 * (wrong + right) / 2 + 0.5 * right, rel=1e-4)


def test_a_hot_spot_weighs_more_than_its_pixels() -> None:
    groups = torch.full((1, 1, 32, 32), BACKGROUND, dtype=torch.uint8)
    odds = torch.full((1, 1, 32, 32), -5.0)
    odds[0, 0, 3, 3] = 5.0
    plain = float(balanced_cross_entropy(odds, groups, Balance(hard=0.0)))
    assert float(balanced_cross_entropy(odds, groups, Balance(hard=0.5))) > 20 * plain


def test_every_class_that_is_there_is_asked_for_by_itself() -> None:
    there = frozenset({"running", "lying"})
    for seed in range(10):
        drawn = draw_prompts(bank(), there, frozenset({"walking"}), np.random.default_rng(seed))
        alone = [names for names in drawn.classes if len(names) == 1]
        assert {frozenset({name}) for name in there} <= set(alone)
        assert sum(1 for names in alone if names <= set(ABNORMAL) and not names <= there) >= 2
        assert len(drawn.abnormal) == len(drawn.classes)


def test_held_out_phrases_are_in_no_training() -> None:
    phrases = {**ABNORMAL, **NORMAL}
    trained = {word for class_phrases in phrases.values() for word in class_phrases.training}
    assert not trained & {
        word for class_phrases in phrases.values() for word in class_phrases.held_out
    }


def test_threshold_lets_one_region_of_a_hundred_frames_through() -> None:
    rng = np.random.default_rng(2)
    maps = [rng.normal(-4, 1, (12, 16)).astype(np.float32) for _ in range(300)]
    threshold, scale = calibration(maps)
    regions = sum(int((heat > threshold).sum()) for heat in maps)
    assert 1 <= regions <= 4
    best = float(np.median([heat.max() for heat in maps]))
    assert 1 / (1 + np.exp(-(best - threshold) / scale)) == pytest.approx(0.1)
    with pytest.raises(BadInputError, match="no normal footage"):
        calibration([])


def judged(peaks: dict[str, tuple[int, int]], areas: dict[str, int]) -> ScoredSlice:
    places = {"running": (0, 0), "lying": (2, 3)}
    masks = {name: np.zeros((4, 5), np.bool_) for name in areas}
    for name, mask in masks.items():
        mask[places[name]] = True
    maps = {name: np.zeros((4, 5), np.float32) for name in ("running", "lying", "cycling")}
    for name, cell in peaks.items():
        maps[name][cell] = 5
    return ScoredSlice("v", maps, masks, areas, frozenset(areas))


def test_figures_tell_own_peaks_from_wrong_ones() -> None:
    steering = SteeringMetrics(threshold=3.0)
    both = {"running": 500, "lying": 1000}
    steering.add([judged({"running": (0, 0), "lying": (2, 3)}, both)])
    steering.add([judged({"running": (2, 3), "lying": (1, 1)}, both)])
    steering.add([judged({"running": (0, 0)}, {"running": 500, "lying": 100})])
    steering.add([judged({"cycling": (1, 1)}, {})])
    figures = steering.summary()
    assert figures["peaks"] == 4
    assert figures["peak_own"] == 0.5
    assert figures["peak_wrong"] == 0.25
    assert figures["absent_below"] == pytest.approx(5 / 6, abs=1e-3)
    assert steering.class_auc()["running"] == 1.0
    assert "cycling" not in steering.class_auc()


def test_targets_class_is_that_of_the_frame() -> None:
    stretches = (("walking", 0, 9), ("falling", 10, 20), ("lying", 21, 40))
    target = Target(1, "person", {}, ((10, 40),), stretches)
    assert [target.class_at(frame) for frame in (5, 15, 30, 50)] == [
        "walking",
        "falling",
        "lying",
        "",
    ]
    assert target.abnormal_classes == {"falling", "lying"}
    video = RenderedVideo("v", Path("v.mp4"), 50, 25.0, (64, 64), "street", False, (target,))
    assert video.classes == {"falling", "lying"}
