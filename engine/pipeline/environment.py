"""The environment of a run: versions, system, processor and threads that computed it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import av
import cv2

from engine.core.version import VERSION
from engine.pipeline.stream_measurement import worker_threads

_PACKAGES = ("av", "numpy", "opencv-python-headless", "scipy")


def environment() -> dict[str, object]:
    """Returns what a rerun has to compare itself with, as JSON values."""
    return {
        "sightline": VERSION,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count() or 1,
        "threads": worker_threads(),
        "packages": {name: version(name) for name in _PACKAGES},
        "decoder": {name: list(numbers) for name, numbers in av.library_versions.items()},
        "opencv_features": sorted(cv2.getCPUFeaturesLine().replace("?", "").split()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
