"""What a pack's model reads of its prompts when normal footage gave each a limit of its own."""

from __future__ import annotations

import numpy as np
import pytest

from engine.detectors.text.text_model import TextModel, TextWindow
from engine.detectors.text.text_setup import make_text_recipe, open_text_model
from engine.tvad.adaptation import Adaptation
from tests.tvad.text_pack import PROMPTS, text_pack

GRID = (6, 8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    pack = text_pack(tmp_path_factory.mktemp("packs"))
    return open_text_model(make_text_recipe(pack, PROMPTS, "cpu"))


@pytest.fixture(scope="module")
def slices(model: TextModel) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (model.window_frames, 96, 128, 3)).astype(np.uint8)
    count = model.window_frames // model.patch
    motion = rng.random((count, 6, 24, 32)).astype(np.float32)
    usual, seconds = np.zeros(GRID[0], np.float32), np.arange(len(frames)) / 10
    return model.project(TextWindow(frames, seconds, motion, usual, 128), GRID)


def test_the_prompt_furthest_above_its_own_limit_is_the_loudest(
    model: TextModel, slices: list[np.ndarray]
) -> None:
    plain = model.read(slices, GRID)
    first = model.read(slices, GRID, (0.0, 100.0))
    second = model.read(slices, GRID, (100.0,))
    assert not first.prompt.any()
    assert (second.prompt == 1).all()
    np.testing.assert_allclose(np.maximum(first.logits, second.logits), plain.logits, atol=1e-4)
    assert (first.logits < plain.logits).any()


def test_a_variant_rises_above_its_limit_and_not_above_that_of_another(
    model: TextModel, slices: list[np.ndarray]
) -> None:
    weight = np.zeros((1, model.cell_features(slices[0], GRID).shape[0]), np.float32)
    unit = np.ones(1, np.float32)
    cart = Adaptation(("vehicle",), (False,), weight, -unit, 2 * unit, ((),))
    variant, above = model.with_variant(cart.encode()), (5.0, 0.0)
    before, after = model.read(slices, GRID, above), variant.read(slices, GRID, above)
    over = before.logits - np.asarray(above, np.float32)[before.prompt]
    assert (after.prompt == 1).all()
    np.testing.assert_allclose(after.logits, over + 2, atol=1e-4)
    assert after.plain is not None
    np.testing.assert_allclose(after.plain, over, atol=1e-4)
