from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.detectors.scene.attributes.direction import Direction
from engine.detectors.scene.observation import Observer
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneScores
from engine.detectors.scene.scene_learning import learn_statistics
from engine.detectors.scene.scene_peaks import AttributePeaks, ScenePeaks
from engine.detectors.scene.scene_statistics import direction_sector
from tests.detectors.scene.scene_material import (
    CELL,
    COLUMNS,
    RATE,
    ROWS,
    SETTINGS,
    SHAPE,
    Block,
    Target,
    calibrated,
    channel,
    cut,
    scored,
    simulate,
    walkers,
)

NORMAL = calibrated("normal", simulate(120, walkers(120)))
ITSELF = calibrated("self", simulate(120, walkers(120)))


def peaks(frames: list[SceneScores], name: str) -> AttributePeaks:
    return ScenePeaks.join([part.peaks for part in frames]).by_attribute[name]


@pytest.mark.parametrize("calibration", [NORMAL, ITSELF])
def test_a_fast_target_among_slow_ones_is_found_with_its_ratio(
    calibration: SceneCalibration,
) -> None:
    block = simulate(30, [*walkers(30), Target(12, 14, -16, 88, 90)])
    (frames,) = scored(calibration, block)
    peak = int(frames.scores.argmax())
    assert 12 <= block[1][peak] <= 14
    assert frames.scores[peak] > 0.55
    assert frames.scores[:100].max() < 0.5
    assert frames.scores[160:].max() < 0.5
    speed = peaks([frames], "speed")
    at = int(speed.excess.argmax())
    assert speed.value[at] / speed.usual[at] == pytest.approx(3, rel=0.15)
    row, _ = np.unravel_index(frames.heat[peak].argmax(), SHAPE)
    assert 11 <= row <= 14
    assert frames.relative_speed[peak].max() == pytest.approx(3, rel=0.05)


def test_the_walkers_themselves_are_usual() -> None:
    (frames,) = scored(ITSELF, simulate(120, walkers(120)))
    assert frames.scores.max() < 0.3


def with_directions(counts: list[int], kind: str) -> SceneCalibration:
    statistics = NORMAL.statistics
    directions = np.zeros_like(statistics.directions)
    directions[..., :] = counts
    return SceneCalibration(kind, replace(statistics, directions=directions))


@pytest.mark.parametrize(
    ("counts", "kind", "speaks"),
    [
        ([100, 0, 0, 0, 0, 0, 0, 0], "normal", True),
        ([100, 0, 0, 0, 0, 0, 0, 0], "self", True),
        ([30, 0, 0, 0, 0, 0, 0, 0], "normal", False),
        ([0, 0, 0, 0, 0, 0, 0, 0], "normal", False),
        ([100, 0, 0, 0, 1, 0, 0, 0], "self", True),
        ([100, 0, 0, 0, 20, 0, 0, 0], "self", False),
        ([100, 0, 0, 20, 0, 0, 0, 0], "normal", False),
    ],
)
def test_a_direction_is_unusual_only_where_enough_went_another_way(
    counts: list[int], kind: str, speaks: bool
) -> None:
    """A target goes to the left, sector 4; its neighbours 3 and 5 count as the same way."""
    block = simulate(12, [Target(2, 10, 150, 40, -30)])
    (frames,) = scored(with_directions(counts, kind), block)
    direction = peaks([frames], "direction")
    assert (direction.excess.max() >= 1) == speaks


def test_the_share_of_motion_that_goes_a_way_is_a_share() -> None:
    attribute = Direction(with_directions([100, 0, 0, 0, 0, 0, 0, 0], "normal"))
    for excess in (1e-9, 0.01, 0.5, 1.0, 1.5):
        value, usual = attribute.explain(excess, 3, 3)
        assert 0 <= value <= 1
        assert usual == 3 / 8
    assert attribute.explain(1.0, 3, 3)[0] == pytest.approx(0.05)


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_sectors_go_clockwise_from_right(angle: int) -> None:
    for off in (-20, 0, 20):
        radians = np.radians(angle + off)
        vx, vy = np.array([np.cos(radians)], np.float32), np.array([np.sin(radians)], np.float32)
        assert direction_sector(vx, vy).tolist() == [angle // 45]


def test_a_vehicle_among_people_is_too_large() -> None:
    cart = Target(12, 18, -64, 56, 30, edge=(64, 56))
    (frames,) = scored(ITSELF, simulate(30, [*walkers(30), cart]))
    size = peaks([frames], "size")
    at = int(size.excess.argmax())
    assert size.excess[at] > 0.9
    assert size.value[at] > 2.5 * size.usual[at]


def test_people_side_by_side_are_not_large() -> None:
    group = [Target(12, 18, -64 + 24 * i, 56, 30, edge=(16, 32)) for i in range(3)]
    (frames,) = scored(ITSELF, simulate(30, group))
    assert peaks([frames], "size").excess.max() < 0.5


def test_size_says_nothing_about_what_stands_still() -> None:
    wall = Target(12, 18, 64, 56, 0, edge=(64, 56))
    (frames,) = scored(ITSELF, simulate(30, [wall]))
    assert not peaks([frames], "size").excess.any()


def test_moving_where_nothing_moves_normally_is_unusual() -> None:
    """Normal people walk at y 24..120; somebody walks along the lower edge."""
    block = simulate(20, [Target(4, 12, -16, 128, 30, edge=(16, 16))])
    (frames,) = scored(calibrated("normal", simulate(120, walkers(60 * 2)[::3])), block)
    place_peaks = peaks([frames], "place")
    assert place_peaks.excess.max() > 1
    assert place_peaks.value[place_peaks.excess.argmax()] == 0
    assert place_peaks.usual[place_peaks.excess.argmax()] >= 1


def test_short_normal_footage_does_not_say_where_nobody_walks() -> None:
    block = simulate(20, [Target(4, 12, -16, 128, 30, edge=(16, 16))])
    short = calibrated("normal", simulate(50, walkers(50)[::3]))
    assert not peaks(scored(short, block), "place").excess.any()


def test_where_people_walk_is_a_usual_place() -> None:
    (frames,) = scored(NORMAL, simulate(20, walkers(20)))
    assert not peaks([frames], "place").excess.any()


def loiterer(start: float, end: float) -> list[Target]:
    """Somebody who shifts from foot to foot: slow, but not as still as a thing."""
    return [
        Target(start + i, min(end, start + i + 1), 80, 56, 2.0 if i % 2 else -2.0)
        for i in range(int(end - start))
    ]


def test_loitering_speaks_after_a_minute() -> None:
    block = simulate(100, loiterer(5, 95))
    frames = scored(ITSELF, *cut(block, range(100, 1000, 100)))
    excess = peaks(frames, "dwelling").excess
    assert excess[:600].max() < 1
    assert excess[700:940].max() > 1.1
    at = int(excess.argmax())
    assert peaks(frames, "dwelling").value[at] == pytest.approx(89, abs=4)
    assert not excess[975:].any()


def test_a_thing_that_stands_there_does_not_loiter() -> None:
    frames = scored(ITSELF, simulate(100, [Target(5, 95, 80, 56, 0)]))
    assert peaks(frames, "dwelling").excess.max() < 0.1


def test_passers_by_do_not_loiter() -> None:
    frames = scored(ITSELF, simulate(100, walkers(100, gap=3)))
    assert peaks(frames, "dwelling").excess.max() < 0.1


def with_gap(first: Block, second: Block) -> list[Block]:
    return [first, second]


@pytest.mark.parametrize("gap", [30.0, 600.0])
def test_nobody_loiters_through_a_gap_in_the_footage(gap: float) -> None:
    """A recorder that stops between motions: who is there before and after stayed unseen."""
    here = loiterer(0, 10)
    later = [replace(t, start=t.start + 10 + gap, end=t.end + 10 + gap) for t in here]
    frames = scored(ITSELF, simulate(10, here), simulate(10, later, start=10 + gap))
    assert peaks(frames, "dwelling").value.max() <= 11


def test_a_gap_between_spans_does_not_teach_long_stays() -> None:
    here = loiterer(0, 10)
    later = [replace(t, start=t.start + 600, end=t.end + 600) for t in here]
    pieces = [simulate(10, here), simulate(10, later, start=600)]
    statistics = learn_statistics(pieces, SHAPE, CELL, RATE, SETTINGS)
    assert statistics.longest_stay.max() <= 11
    assert statistics.seconds == pytest.approx(20)


def test_loitering_is_measured_at_one_frame_in_five_seconds() -> None:
    rate = 0.2
    block = simulate(200, loiterer(0, 190), rate=rate)
    observer = Observer(ROWS, COLUMNS, CELL, SETTINGS, rate)
    assert observer.observe(*block).stay.max() > 150


def background_with(*boxes: tuple[int, int, int, int, int]) -> NDArray[np.uint8]:
    """A quarter-size ground with flat boxes x, y, w, h of a grey value."""
    rng = np.random.default_rng(4)
    picture = rng.integers(88, 93, (ROWS * 2, COLUMNS * 2)).astype(np.uint8)
    for x, y, w, h, grey in boxes:
        picture[y : y + h, x : x + w] = grey
    return picture


def peaks_of_change(
    before: NDArray[np.uint8], after: NDArray[np.uint8], name: str
) -> AttributePeaks:
    """Eight chunks of ten seconds with one background, then six with the other."""
    blocks = [
        simulate(10, [], start=10.0 * i, background=before if i < 8 else after) for i in range(14)
    ]
    return peaks(scored(ITSELF, *blocks), name)


BAG = (20, 16, 6, 6, 200)


def test_an_abandoned_object_is_told_from_a_removed_one() -> None:
    empty, with_bag = background_with(), background_with(BAG)
    abandoned = peaks_of_change(empty, with_bag, "left")
    assert abandoned.excess[:780].max() < 0.05
    assert abandoned.excess.max() > 1
    assert abandoned.value.max() == pytest.approx(60, abs=6)
    assert peaks_of_change(empty, with_bag, "taken").excess.max() < 0.05
    removed = peaks_of_change(with_bag, empty, "taken")
    assert removed.excess.max() > 1
    assert peaks_of_change(with_bag, empty, "left").excess.max() < 0.05


def test_what_stands_for_one_chunk_only_is_not_abandoned() -> None:
    empty, with_bag = background_with(), background_with(BAG)
    blocks = [
        simulate(10, [], start=10.0 * i, background=with_bag if i == 8 else empty)
        for i in range(12)
    ]
    left = peaks(scored(ITSELF, *blocks), "left")
    assert left.excess.max() < 0.5


def test_another_light_leaves_no_object() -> None:
    dark = background_with()
    assert peaks_of_change(dark, dark + np.uint8(40), "left").excess.max() < 0.05


def test_while_the_camera_moves_only_speed_speaks() -> None:
    block = simulate(
        100,
        [*loiterer(5, 95), Target(80, 82, -16, 88, 90)],
        camera=lambda now: now > 60,
    )
    (frames,) = scored(NORMAL, block)
    assert not peaks([frames], "dwelling").excess[650:].any()
    assert not peaks([frames], "place").excess[650:].any()
    assert peaks([frames], "speed").excess[780:830].max() > 1


def test_only_chosen_attributes_speak() -> None:
    only = replace(SETTINGS, attributes=("speed", "dwelling"))
    assert [attribute.name for attribute in channel(NORMAL, only).attributes] == [
        "speed",
        "dwelling",
    ]
    (frames,) = channel(NORMAL, only).score([simulate(5, walkers(5))])
    assert set(frames.peaks.by_attribute) == {"speed", "dwelling"}
