"""Estimates what an analysis will need before it starts."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import ResourceError
from engine.core.settings import MotionSettings
from engine.detectors.text.feature_store import CACHE_BYTES
from engine.detectors.text.text_detector import TextDetector
from engine.media import Source
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.chunk_reader import ChunkReader
from engine.motion.motion_meter import ChunkPictures, MotionMeter

_BYTES_PER_FRAME = 1_100  # Raw maps, scores and heatmaps of an analysed frame, at most.
_TEXT_BYTES_PER_FRAME = 70_000  # Features of 64 KB at most and maps of the text channel.
_SPARE_BYTES = 64 << 20  # A choice: what the system and the audit log need beside the results.
_PROBE_FRAMES = 24  # About a second of footage, measured to estimate the rest.


@dataclass(frozen=True)
class Estimate:
    """The needs of an analysis.

    Attributes:
        seconds: wall time on this machine, roughly.
        bytes: disk space in the case, at most.
    """

    seconds: float
    bytes: int


def estimate(
    source: Source,
    plan: AnalysisPlan,
    settings: MotionSettings,
    threads: int,
    done: int,
    text: TextDetector | None = None,
) -> Estimate:
    """Estimates the needs by analysing a second of the stream.

    Args:
        source: the evidence.
        plan: what is analysed.
        settings: how motion is measured.
        threads: frames measured at once.
        done: analysed frames that are already stored.
        text: the text channel; None without it.
    """
    remaining = len(plan) - done
    probe = min(len(plan), _PROBE_FRAMES)
    with MotionMeter(plan.grid, settings, plan.rate, threads) as meter:
        start = time.perf_counter()
        reader = ChunkReader(source, plan, meter.context)
        pictures = reader.first_pictures(probe)
        meter.measure(ChunkPictures.alone(pictures, plan.seconds[: len(pictures)]))
        spent = time.perf_counter() - start
    seconds, size = spent / probe * remaining, remaining * _BYTES_PER_FRAME
    if text is not None:
        model = text.model
        windows = remaining / max(1.0, plan.rate / model.frame_rate) / model.window_frames
        seconds += windows * model.window_ms / 1000
        size += min(remaining * _TEXT_BYTES_PER_FRAME, CACHE_BYTES + remaining * _BYTES_PER_FRAME)
    return Estimate(seconds, size)


def check_space(folder: Path, needed: int) -> None:
    """Makes sure that the disk can hold the results.

    Raises:
        ResourceError: it cannot.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise ResourceError(
            f"the disk has {free / 1e6:.0f} MB free, the analysis needs up to "
            f"{(needed + _SPARE_BYTES) / 1e6:.0f} MB",
            folder,
            "free some space or put the case elsewhere",
        )
