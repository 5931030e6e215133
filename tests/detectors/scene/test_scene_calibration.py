from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_learning import learn_scene, learn_statistics
from tests.detectors.scene.scene_material import (
    CELL,
    RATE,
    SETTINGS,
    SHAPE,
    Block,
    Target,
    calibrated,
    cut,
    scored,
    simulate,
    walkers,
)

SOURCES = ({"path": "/f/normal.mp4", "sha256": "ab" * 32, "spans": [[1.0, 2.5]]},)
LEARNED = calibrated("normal", simulate(120, walkers(120)))
KEPT = SceneCalibration("normal", LEARNED.statistics, {"speed": 1.25}, SOURCES)


def test_what_is_encoded_is_decoded() -> None:
    blob = KEPT.encode()
    again = SceneCalibration.decode(blob)
    assert again.encode() == blob
    assert (again.kind, again.scales, again.sources) == ("normal", {"speed": 1.25}, SOURCES)
    assert again.statistics.seconds == KEPT.statistics.seconds
    assert again.statistics.frames == KEPT.statistics.frames
    for name, array in KEPT.statistics.arrays().items():
        assert np.array_equal(again.statistics.arrays()[name], array), name
    block = simulate(10, [*walkers(10), Target(3, 5, -16, 88, 90)])
    assert np.array_equal(scored(again, block)[0].heat, scored(KEPT, block)[0].heat)


def altered(change: Callable[[dict[str, Any]], object], drop: str = "") -> bytes:
    arrays = unpack_arrays(KEPT.encode())
    values = json.loads(arrays["values"].tobytes())
    change(values)
    arrays["values"] = np.frombuffer(json.dumps(values).encode(), np.uint8)
    arrays.pop(drop, None)
    return pack_arrays(arrays)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        KEPT.encode()[:-3],
        altered(lambda values: values.pop("kind")),
        altered(lambda values: values.update(version="one")),
        altered(lambda values: values.update(sources=5)),
        altered(lambda values: None, "visits"),
        altered(lambda values: None, "values"),
        pack_arrays({"values": np.frombuffer(b"[]", np.uint8)}),
        pack_arrays({"values": np.frombuffer(b"\xff{", np.uint8)}),
    ],
)
def test_a_damaged_calibration_is_refused(blob: bytes) -> None:
    with pytest.raises(BadInputError):
        SceneCalibration.decode(blob)


def test_arrays_that_do_not_fit_each_other_are_refused() -> None:
    arrays = unpack_arrays(KEPT.encode())
    arrays["dwelling"] = arrays["dwelling"][:-1]
    with pytest.raises(BadInputError):
        SceneCalibration.decode(pack_arrays(arrays))


def test_a_newer_calibration_is_named_as_such() -> None:
    with pytest.raises(BadInputError, match="newer"):
        SceneCalibration.decode(altered(lambda values: values.update(version=99)))


def faster(seconds: float) -> Block:
    """Normal footage in which somebody runs now and then."""
    runners = [Target(t, t + 2, -16, 88, 90) for t in range(10, int(seconds), 25)]
    return simulate(seconds, [*walkers(seconds), *runners])


def test_held_out_footage_raises_the_limit() -> None:
    """One piece has runners and the other not: the limits learned must let them pass."""
    plain = calibrated("normal", simulate(120, walkers(120)), simulate(120, walkers(120)))
    mixed = calibrated("normal", simulate(120, walkers(120)), faster(120))
    assert plain.scale("speed") == 1.0
    assert mixed.scale("speed") > 1.5
    assert mixed.scale("unknown") == 1.0
    (frames,) = scored(mixed, faster(60))
    assert frames.scores.max() < 0.6


def test_short_normal_footage_has_no_held_out_scales() -> None:
    assert calibrated("normal", simulate(15, walkers(15))).scales == {}


def test_scales_raise_limits_and_leave_the_measured_value() -> None:
    block = simulate(20, [*walkers(20), Target(8, 10, -16, 88, 90)])
    plain = scored(replace(LEARNED, scales={}), block)[0].peaks.by_attribute["speed"]
    raised = scored(replace(LEARNED, scales={"speed": 2.0}), block)[0].peaks.by_attribute["speed"]
    assert raised.excess.max() == pytest.approx(plain.excess.max() / 2, rel=1e-5)
    assert raised.value.max() == pytest.approx(plain.value.max(), rel=1e-5)


@pytest.mark.parametrize("borders", [[100, 200, 239], [239], [1], range(1, 240)])
def test_any_chunks_of_one_piece_can_be_parted_for_holding_out(borders: list[int]) -> None:
    """Also chunks of one frame, which have no first half."""
    block = simulate(24, walkers(24))
    calibration = learn_scene("normal", [lambda: cut(block, borders)], SHAPE, CELL, RATE, SETTINGS)
    assert calibration.statistics.frames == 240


@pytest.mark.parametrize("kind", ["normal", "self", "camera"])
def test_one_frame_teaches_nothing_and_harms_nothing(kind: str) -> None:
    calibration = calibrated(kind, simulate(1 / RATE, [Target(0, 1, 60, 40, 30)]))
    assert calibration.statistics.frames == 1
    assert calibration.usual_speed() is None
    assert calibration.speed_limit() is None
    assert calibration.usual_size() is None
    assert not scored(calibration, simulate(2, walkers(2)))[0].scores.any()


def test_footage_without_motion_teaches_nothing() -> None:
    calibration = calibrated("normal", simulate(60, []))
    assert calibration.usual_speed() is None
    assert calibration.statistics.frames == 600


def test_two_pieces_teach_what_both_do() -> None:
    one, other = simulate(60, walkers(60)), simulate(60, walkers(60, speed=40))
    both = calibrated("camera", one, other).statistics
    parts = [learn_statistics([block], SHAPE, CELL, RATE, SETTINGS) for block in (one, other)]
    assert both.frames == 1200
    assert both.speed.samples == sum(part.speed.samples for part in parts)
    assert both.seconds == pytest.approx(120)


def test_statistics_do_not_depend_on_how_footage_is_cut() -> None:
    block = faster(60)
    whole = learn_statistics([block], SHAPE, CELL, RATE, SETTINGS)
    parts = learn_statistics(cut(block, [7, 100, 101, 399]), SHAPE, CELL, RATE, SETTINGS)
    for name, array in whole.arrays().items():
        assert np.array_equal(parts.arrays()[name], array), name
    assert parts.frames == whole.frames
    assert parts.seconds == pytest.approx(whole.seconds, abs=0.2)


def test_normal_footage_in_one_piece_teaches_stays_longer_than_a_chunk() -> None:
    loiterer = [Target(t, t + 1, 80, 56, 2.0 if t % 2 else -2.0) for t in range(5, 95)]
    calibration = calibrated("normal", simulate(100, loiterer))
    assert calibration.statistics.longest_stay.max() == pytest.approx(90, abs=1)
