"""What a language model is shown of a hot target: its colours, its size, how it moved."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.render.colour_names import COLOUR_NAMES, colour_numbers
from engine.tvad.backbones.backbone import VideoWindow
from engine.tvad.video_tokens import VIDEO_STEP_TOKENS, VideoTokens, token_width
from tests.dialogue.dialogue_material import StubBackbone

HEIGHT, WIDTH, STEPS = 64, 96, 8
TOP, TALL, WIDE = 20, 24, 8
MOTION = slice(1, 5)
NAMED = slice(11, 11 + len(COLOUR_NAMES))
RED, BLUE = (168, 40, 42), (52, 96, 172)


def _walk(speed: int) -> tuple[VideoTokens, np.ndarray]:
    """A target, red above and blue below, `speed` pixels further in each step of a second."""
    frames = np.full((2 * STEPS, HEIGHT, WIDTH, 3), 122, np.uint8)
    heat = np.zeros((STEPS, HEIGHT, WIDTH), np.float32)
    for step in range(STEPS):
        left = 4 + speed * step
        for frame in (2 * step, 2 * step + 1):
            frames[frame, TOP : TOP + TALL // 2, left : left + WIDE] = RED
            frames[frame, TOP + TALL // 2 : TOP + TALL, left : left + WIDE] = BLUE
        heat[step, TOP : TOP + TALL, left : left + WIDE] = 0.9
    return VideoTokens(StubBackbone(), VideoWindow(frames, np.arange(2 * STEPS) / 2)), heat


def test_bands_name_the_colours_of_the_target_and_not_of_the_ground() -> None:
    video, heat = _walk(10)
    tokens = video.under(heat)
    assert tokens.shape == (STEPS, VIDEO_STEP_TOKENS, token_width(StubBackbone.widths))
    upper, lower = tokens[3, 1, NAMED], tokens[3, 3, NAMED]
    assert COLOUR_NAMES[int(upper.argmax())] == "red"
    assert COLOUR_NAMES[int(lower.argmax())] == "blue"
    assert upper.max() > 0.9
    assert lower.max() > 0.9


def test_motion_is_in_heights_of_the_target_a_second() -> None:
    video, heat = _walk(10)
    height, aspect, right, down = video.under(heat)[4, 2, MOTION]
    assert height == pytest.approx(TALL / HEIGHT)
    assert aspect == pytest.approx(WIDE / TALL)
    assert right == pytest.approx(10 / TALL)
    assert down == 0


def test_a_target_that_keeps_its_place_does_not_move() -> None:
    video, heat = _walk(0)
    assert not video.under(heat)[:, 1:, 3:5].any()


def test_bands_without_evidence_are_empty() -> None:
    video, heat = _walk(10)
    tokens = video.under(np.zeros_like(heat))
    assert not tokens[:, 1:].any()
    assert tokens[:, 0].any()


def test_the_most_heat_together_need_not_be_where_the_hottest_cell_is() -> None:
    video, _ = _walk(0)
    heat = np.zeros((STEPS, HEIGHT // 8, WIDTH // 8), np.float32)
    heat[:, 1, 9] = 0.99
    heat[:, (3, 4, 5), (2, 3, 4)] = 0.5
    tokens = video.under(heat)
    assert np.isfinite(tokens).all()
    assert tokens[:, 1:, 1].min() > 0


def test_another_number_of_heatmaps_is_refused() -> None:
    video, heat = _walk(10)
    with pytest.raises(BadInputError, match="heatmaps"):
        video.under(heat[:-1])


def test_a_dull_pixel_is_a_shade_of_grey() -> None:
    pixels = np.array([(120, 122, 121), (40, 40, 41), (215, 214, 214), (40, 52, 95)], np.uint8)
    named = [COLOUR_NAMES[int(number)] for number in colour_numbers(pixels)]
    assert named == ["grey", "black", "white", "dark blue"]
