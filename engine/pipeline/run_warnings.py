"""Warnings of a run: what the examiner must know before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import RunWarning
from engine.core.stream import FrameIndex, StreamInfo
from engine.detectors.scene.scene_calibration import SceneCalibration

# Choices: what is rarer than these, or longer, changes hardly any score.
_MAX_CAMERA_SHARE = 0.05  # Share of frames in which the camera may move without a warning.
_MAX_LIGHTING_SHARE = 0.01  # Share of frames that a lighting change may take likewise.
_MIN_SELF_S = 60.0  # Seconds of footage that a calibration on the evidence itself needs.
_MIN_NORMAL_S = 30.0  # Seconds of normal footage that a calibration needs.


def stream_warnings(info: StreamInfo, index: FrameIndex) -> list[RunWarning]:
    """Warns about the stream itself: times, fields, gaps and frames that are not there."""
    warnings = []
    if index.made:
        warnings.append(RunWarning("made_pts", 1.0, "frame times were made, not recorded"))
    if index.variable_rate:
        warnings.append(RunWarning("variable_rate", 1.0, "the frame rate varies; times are exact"))
    if info.interlaced:
        warnings.append(RunWarning("interlaced", 1.0, "frames consist of two fields"))
    if index.duplicates:
        share = index.duplicates / (len(index) + index.duplicates)
        text = f"{index.duplicates} frames repeat the time of another and are left out"
        warnings.append(RunWarning("duplicate_pts", share, text))
    if index.gaps:
        missing = sum(seconds for _, seconds in index.gaps)
        share = missing / max(missing, index.duration_s)
        text = f"{len(index.gaps)} gaps, {missing:.1f} s of footage missing in all"
        warnings.append(RunWarning("gaps", share, text))
    if info.sound:
        warnings.append(RunWarning("sound", 1.0, "the evidence has sound, which is not played"))
    return warnings


def run_warnings(
    damaged: int,
    missing: int,
    camera: NDArray[np.bool_],
    lighting_change: NDArray[np.bool_],
    calibration: SceneCalibration,
) -> list[RunWarning]:
    """Warns about what the analysis came across.

    Args:
        damaged: analysed frames that could not be decoded as they were recorded.
        missing: frames that the container promises but that are not there.
        camera: bool [m], analysed frames in which the camera moves.
        lighting_change: bool [m], analysed frames that differ from their background all over.
        calibration: of the scene channel.
    """
    warnings = []
    total = max(1, len(camera))
    if damaged or missing:
        parts = [f"{damaged} analysed frames are damaged and were not judged"] if damaged else []
        parts += [f"{missing} frames the file promises are not there"] if missing else []
        share = (damaged + missing) / (total + missing)
        warnings.append(RunWarning("damaged_frames", share, "; ".join(parts)))
    if camera.mean() > _MAX_CAMERA_SHARE:
        text = (
            f"the camera moves in {camera.mean():.0%} of the frames; there only speed against "
            "the moving picture is judged, and scores say little"
        )
        warnings.append(RunWarning("camera_moves", float(camera.mean()), text))
    if lighting_change.mean() > _MAX_LIGHTING_SHARE:
        text = (
            f"the whole picture differs from its background in {lighting_change.mean():.0%} of the "
            "frames (another light or view), which are not judged"
        )
        warnings.append(RunWarning("light_changes", float(lighting_change.mean()), text))
    seconds = calibration.statistics.seconds
    min_seconds = _MIN_NORMAL_S if calibration.from_normal else _MIN_SELF_S
    if seconds < min_seconds or calibration.usual_speed() is None:
        text = (
            f"learned from {seconds:.0f} s only; scores are coarse, size and place are not judged"
        )
        warnings.append(RunWarning("short_calibration", 1.0, text))
    return warnings


def short_windows(windows: Sequence[int], full: int) -> list[RunWarning]:
    """Warns when the device had no memory for full windows of the text channel.

    Args:
        windows: frames of a window, chunk by chunk.
        full: frames of a full one.
    """
    short = [window for window in windows if window < full]
    if not short:
        return []
    text = (
        f"no memory for windows of {full} frames: the text channel saw {min(short)} at once; its "
        "scores may differ from those of another machine"
    )
    return [RunWarning("short_windows", len(short) / len(windows), text)]


def feature_warnings(missing: int, evicted: int, refused: int, chunks: int) -> list[RunWarning]:
    """Warns about features that other prompts would have been read from.

    Args:
        missing: chunks measured again because their features were no longer cached.
        evicted: chunks of other footage whose features were deleted to make room.
        refused: chunks whose features could not be kept.
        chunks: of the run.
    """
    warnings = []
    if missing:
        text = "kept features were gone, so the footage was measured again for these prompts"
        warnings.append(RunWarning("features_gone", missing / max(missing, chunks), text))
    if evicted:
        text = (
            f"the cache is full: kept features of {evicted} chunks of other footage were deleted; "
            "other prompts measure that footage again"
        )
        warnings.append(RunWarning("features_evicted", 1.0, text))
    if refused:
        text = (
            f"features of {refused} of {chunks} chunks could not be kept (the cache is full or "
            "cannot be written); other prompts measure them again"
        )
        warnings.append(RunWarning("features_not_kept", refused / chunks, text))
    return warnings
