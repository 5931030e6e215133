from __future__ import annotations

import numpy as np
import pytest

from engine.detectors.scene.scene_peaks import AttributePeaks, ScenePeaks


def peak(frame: int, excess: float, value: float, usual: float, count: int = 10) -> AttributePeaks:
    arrays = np.zeros((3, count), np.float32)
    arrays[:, frame] = excess, value, usual
    return AttributePeaks(*arrays)


@pytest.mark.parametrize(
    ("name", "value", "usual", "text", "ratio"),
    [
        ("speed", 93.0, 30.0, "3.1 times the usual speed here", 3.1),
        ("size", 48.0, 16.0, "3.0 times the usual size here", 3.0),
        (
            "direction",
            0.034,
            0.375,
            "against the usual direction (3.4% of the motion here goes this way)",
            0.0907,
        ),
        ("place", 0.0, 12.0, "at a place where nothing usually moves", 0.0),
        ("dwelling", 84.0, 0.0, "stayed for 84 s", 1.4),
        (
            "dwelling",
            84.0,
            20.0,
            "stayed for 84 s, the longest usual stay here is 20 s",
            4.2,
        ),
        ("left", 60.0, 0.0, "something was left here and stood for 60 s", 1.4),
        ("taken", 60.0, 0.0, "something that stood here has been gone for 60 s", 1.4),
    ],
)
def test_every_attribute_says_what_it_found_with_numbers(
    name: str, value: float, usual: float, text: str, ratio: float
) -> None:
    (reason,) = ScenePeaks({name: peak(4, 1.4, value, usual)}).reasons(0, 9)
    assert reason.attribute == name
    assert reason.text == text
    assert reason.value == pytest.approx(value, rel=1e-3)
    assert reason.usual == pytest.approx(usual, rel=1e-3)
    assert reason.ratio == pytest.approx(ratio, rel=1e-2)
    assert reason.unit


def test_the_strongest_comes_first_and_what_is_within_limits_is_left_out() -> None:
    peaks = ScenePeaks(
        {
            "speed": peak(3, 1.2, 72, 30),
            "size": peak(5, 2.0, 90, 20),
            "dwelling": peak(5, 0.9, 50, 0),
            "place": peak(0, 1.4, 0, 3),
        }
    )
    assert [reason.attribute for reason in peaks.reasons(2, 6)] == ["size", "speed"]


def test_an_event_below_every_limit_names_the_strongest() -> None:
    peaks = ScenePeaks({"speed": peak(3, 0.8, 50, 30), "size": peak(3, 0.6, 30, 20)})
    assert [reason.attribute for reason in peaks.reasons(0, 9)] == ["speed"]


def test_ends_are_inclusive_and_nothing_is_said_without_cause() -> None:
    peaks = ScenePeaks({"speed": peak(6, 1.2, 72, 30)})
    assert peaks.reasons(6, 6)
    assert peaks.reasons(0, 5) == ()
    assert peaks.reasons(7, 9) == ()


def test_equal_strength_is_ordered_by_name() -> None:
    peaks = ScenePeaks({"speed": peak(3, 1.2, 72, 30), "place": peak(3, 1.2, 0, 3)})
    assert [reason.attribute for reason in peaks.reasons(0, 9)] == ["place", "speed"]
