from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.errors import ResourceError
from engine.core.findings import RunWarning
from engine.core.settings import AnalysisSettings
from engine.core.stream import FrameIndex, StreamInfo
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_statistics import SceneStatistics
from engine.motion.row_statistics import RowStatistics
from engine.pipeline.estimate import check_space, estimate
from engine.pipeline.run_warnings import run_warnings, stream_warnings

INFO = StreamInfo(0, "mp4", "h264", 160, 96, Fraction(1, 25), None)
INDEX = FrameIndex(
    np.arange(100, dtype=np.int64), np.ones(100, np.bool_), np.ones(100, np.int64), Fraction(1, 25)
)
NONE = np.zeros(100, np.bool_)


def kinds(warnings: list[RunWarning]) -> dict[str, float]:
    assert all(warning.text and 0 <= warning.share <= 1 for warning in warnings)
    return {warning.kind: warning.share for warning in warnings}


def test_a_plain_stream_has_nothing_to_warn_of() -> None:
    assert stream_warnings(INFO, INDEX) == []


def test_what_a_stream_is_warned_of() -> None:
    index = replace(
        INDEX, made=True, variable_rate=True, duplicates=25, gaps=((10, 2.0), (20, 2.0))
    )
    info = replace(INFO, interlaced=True, sound=True)
    warnings = kinds(stream_warnings(info, index))
    assert warnings == pytest.approx(
        {
            "made_pts": 1.0,
            "variable_rate": 1.0,
            "interlaced": 1.0,
            "duplicate_pts": 0.2,
            "gaps": 1.0,
            "sound": 1.0,
        }
    )


def learned(seconds: float, kind: str = "self") -> SceneCalibration:
    speed = RowStatistics.empty(12).add(
        np.repeat(np.arange(12), 100), np.full(1200, 30, np.float32)
    )
    return SceneCalibration(
        kind, replace(SceneStatistics.empty(12, 20), speed=speed, seconds=seconds)
    )


def share(value: float) -> NDArray[np.bool_]:
    return np.arange(100) < 100 * value


@pytest.mark.parametrize(
    ("damaged", "missing", "camera", "unsteady", "expected"),
    [
        (0, 0, NONE, NONE, {}),
        (5, 0, NONE, NONE, {"damaged_frames": 0.05}),
        (0, 100, NONE, NONE, {"damaged_frames": 0.5}),
        (100, 0, NONE, NONE, {"damaged_frames": 1.0}),
        (0, 0, share(0.04), NONE, {}),
        (0, 0, share(0.5), NONE, {"camera_moves": 0.5}),
        (0, 0, NONE, share(0.1), {"light_changes": 0.1}),
    ],
)
def test_what_a_run_is_warned_of(
    damaged: int,
    missing: int,
    camera: NDArray[np.bool_],
    unsteady: NDArray[np.bool_],
    expected: dict[str, float],
) -> None:
    warnings = run_warnings(damaged, missing, camera, unsteady, learned(100))
    assert kinds(warnings) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("calibration", "short"),
    [
        (learned(59), True),
        (learned(61), False),
        (learned(29, "normal"), True),
        (learned(31, "normal"), False),
        (SceneCalibration("self", replace(SceneStatistics.empty(12, 20), seconds=500.0)), True),
    ],
)
def test_a_calibration_from_too_little_is_warned_of(
    calibration: SceneCalibration, short: bool
) -> None:
    warnings = kinds(run_warnings(0, 0, NONE, NONE, calibration))
    assert ("short_calibration" in warnings) == short


def test_the_needs_are_said_before_the_work() -> None:
    from tests.pipeline.pipeline_material import MadeSource, numbered, plan_of

    source = MadeSource(numbered(100, 64, 48))
    plan = plan_of(source)
    whole = estimate(source, plan, AnalysisSettings().motion, 1, 0)
    rest = estimate(source, plan, AnalysisSettings().motion, 1, 90)
    assert whole.seconds > 0
    assert 0 < rest.bytes < whole.bytes
    assert estimate(source, plan, AnalysisSettings().motion, 1, 100).bytes == 0


def test_a_full_disk_is_said_with_figures(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from pathlib import Path

    usage = shutil.disk_usage("/")._replace(free=50_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ResourceError, match="50 MB free"):
        check_space(Path(str(tmp_path)), 0)
