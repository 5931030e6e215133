"""What the text channel takes for usual: limits of prompts learned from footage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_maps import TextMaps


def scored(known: TextCalibration, logits: object, prompt: int = 0) -> NDArray[np.float32]:
    values = np.asarray(logits, np.float32)
    return known.score(values, np.full(values.shape, prompt, np.uint8))


def test_a_camera_on_which_a_prompt_fires_all_the_time_raises_the_limit() -> None:
    rng = np.random.default_rng(0)
    quiet = TextCalibration.of_pack(2.0, 1.0)

    def maps(level: float, peak: float | None = None) -> TextMaps:
        logits = rng.normal(level, 0.3, (400, 3, 4)).astype(np.float16)
        if peak is not None:
            logits[50:60] = peak
        return TextMaps(np.arange(400.0), logits, np.zeros((400, 3, 4), np.uint8))

    assert learn_text("self", [maps(-6)], quiet).limit == 2.0
    loud = learn_text("self", [maps(4, 9.0)], quiet)
    assert 4.5 < loud.limit < 7
    assert scored(loud, 9.0) > 0.9
    normal = learn_text("normal", [maps(4)], quiet)
    scores = scored(normal, maps(4).largest())
    assert np.mean(scores >= 0.5) < 0.05
    assert np.median(scores) < 0.05
    assert TextCalibration.decode(loud.encode()) == loud


def test_what_fills_a_short_clip_is_not_taken_for_usual() -> None:
    """An assault of seven seconds in a clip of nine raised the limit above itself."""
    pack = TextCalibration.of_pack(2.3, 1.3)
    logits = np.random.default_rng(0).normal(1.0, 0.2, (46, 3, 4)).astype(np.float16)
    logits[10:, 1, 1] = 3.0
    short = TextMaps(np.arange(46.0) / 5, logits, np.zeros((46, 3, 4), np.uint8))
    for kind in ("self", "camera"):
        learned = learn_text(kind, [short], pack)
        assert learned.limit == pack.limit
        assert pack.slope <= learned.slope <= 2 * pack.slope
        assert np.all(scored(learned, short.largest())[10:] > 0.5)
    known_normal = learn_text("normal", [short], pack)
    assert known_normal.limit >= 3


def test_normal_footage_says_where_the_unusual_begins_also_below_the_packs_limit() -> None:
    rng = np.random.default_rng(0)
    strict = TextCalibration.of_pack(2.3, 1.3)

    def maps(level: float, count: int = 200) -> TextMaps:
        logits = rng.normal(level, 0.2, (count, 3, 4)).astype(np.float16)
        return TextMaps(np.arange(float(count)), logits, np.zeros((count, 3, 4), np.uint8))

    known = learn_text("normal", [maps(-0.2)], strict)
    assert 0.1 < known.limit < 0.8
    assert scored(known, 1.1) > 0.65
    assert np.mean(scored(known, maps(-0.2).largest()) >= 0.5) < 0.02
    # Where a prompt is less likely than the normal ones, it does not speak at all.
    assert learn_text("normal", [maps(-4.0)], strict).limit == 0.0
    assert learn_text("normal", [maps(-0.2, 20)], strict).limit == strict.limit
    assert learn_text("self", [maps(-0.2)], strict).limit == strict.limit


def test_a_prompt_that_does_not_suit_a_camera_does_not_drown_the_others() -> None:
    """ "Lying" fired on every walker of a crowd and raised the limit over its cyclists."""
    rng = np.random.default_rng(0)
    logits = rng.normal(-2.0, 0.1, (200, 3, 4)).astype(np.float16)
    prompt = np.zeros((200, 3, 4), np.uint8)
    logits[:, 0, 0] = rng.normal(1.5, 0.1, 200)
    prompt[:, 0, 0] = 1
    street = TextMaps(np.arange(200.0), logits, prompt)
    known = learn_text("normal", [street], TextCalibration.of_pack(2.3, 1.3))
    assert scored(known, 1.2, 0) > 0.9
    assert scored(known, 1.2, 1) < 0.1
    alarms = [scored(known, street.logits[:, 0, 0], 1), scored(known, street.logits[:, 1, 1], 0)]
    assert np.mean(np.max(alarms, 0) >= 0.5) <= 0.01
    assert TextCalibration.decode(known.encode()) == known
    again = known.for_prompts(("riding", "lying"), ("lying", "driving"))
    assert scored(again, 1.2, 0) < 0.1
    assert scored(again, 1.2, 1) > 0.9
    # On footage that may hold what is asked for, no prompt is told apart.
    assert learn_text("self", [street], TextCalibration.of_pack(2.3, 1.3)).above == ()
