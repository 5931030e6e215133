"""Projected features kept in the case's cache, so that other prompts need no decoding."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.canonical import content_sha256
from engine.core.errors import SightlineError

_LOG = logging.getLogger(__name__)
CACHE_BYTES = 2 << 30
"""Bytes of projected features that a case keeps, of all its evidence together."""

_SUFFIX = ".features"


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """The projected features of one chunk.

    Attributes:
        seconds: float64 [s], stream time of each slice.
        slices: uint8 [s, b], a row each.
        window: frames of a window when they were computed.
        size: width and height of the pictures they were computed on.
    """

    seconds: NDArray[np.float64]
    slices: NDArray[np.uint8]
    window: int
    size: tuple[int, int]


class FeatureStore:
    """The kept features of one piece of footage as one pack sees it; a file a chunk.

    Everything in it may be deleted at any time. What is damaged counts as not there.

    Args:
        folder: of the cache, shared by all footage of a case.
        decisive: what decides the features: hash of the footage, pack, plan.
        limit: bytes that the whole folder may take.
    """

    def __init__(
        self, folder: Path, decisive: Mapping[str, object], limit: int = CACHE_BYTES
    ) -> None:
        self._root = folder
        self._folder = folder / content_sha256(decisive)[:24]
        self._limit = limit
        self.evicted = 0
        """Chunks of other footage that were deleted to make room."""
        self.refused = 0
        """Chunks that were not kept, because this footage fills the cache alone."""

    def holds(self, chunk: int) -> bool:
        """Whether the features of a chunk are there, sound or not."""
        return self._file(chunk).is_file()

    def load(self, chunk: int) -> KeptFeatures | None:
        """Returns the features of a chunk; None when they are not there or damaged."""
        path = self._file(chunk)
        try:
            arrays = unpack_arrays(path.read_bytes())
            window, width, height = (int(one) for one in arrays["about"])
            kept = KeptFeatures(arrays["seconds"], arrays["slices"], window, (width, height))
            if kept.slices.ndim != 2 or len(kept.slices) != len(kept.seconds):
                raise ValueError("features of another number of slices")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, SightlineError):
            _LOG.warning("the kept features %s are damaged and made again", path)
            return None
        with contextlib.suppress(OSError):  # a case on a medium that cannot be written
            os.utime(path.parent)
        return kept

    def keep(self, chunk: int, features: KeptFeatures) -> None:
        """Keeps the features of a chunk; makes room by deleting what was used longest ago.

        A cache that cannot be written is said in the log and changes no result.
        """
        about = np.array([features.window, *features.size], np.int32)
        blob = pack_arrays(
            {"about": about, "seconds": features.seconds, "slices": features.slices}, level=0
        )
        path = self._file(chunk)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._make_room(len(blob)):
                self.refused += 1
                return
            part.write_bytes(blob)
            part.replace(path)
        except OSError as error:
            self.refused += 1
            _LOG.warning("features cannot be kept: %s", error)
            part.unlink(missing_ok=True)

    def _file(self, chunk: int) -> Path:
        return self._folder / f"{chunk}{_SUFFIX}"

    def _make_room(self, size: int) -> bool:
        taken = {
            folder: sum(file.stat().st_size for file in folder.iterdir())
            for folder in self._root.iterdir()
            if folder.is_dir()
        }
        others = sorted(
            (folder for folder in taken if folder != self._folder),
            key=lambda folder: folder.stat().st_mtime_ns,
        )
        while others and sum(taken.values()) + size > self._limit:
            oldest = others.pop(0)
            self.evicted += len(list(oldest.glob(f"*{_SUFFIX}")))
            shutil.rmtree(oldest, ignore_errors=True)
            del taken[oldest]
        return sum(taken.values()) + size <= self._limit


def stacked(slices: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Stacks the slices of a chunk, uint8 [s, b]; none give [0, 0]."""
    return np.stack(slices) if slices else np.zeros((0, 0), np.uint8)
