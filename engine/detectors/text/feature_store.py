"""Projected features in the cache of a case, so that other prompts need no decoding."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.canonical import content_sha256
from engine.core.errors import SightlineError
from engine.core.files import write_atomically

_LOG = logging.getLogger(__name__)
CACHE_BYTES = 2 << 30
"""Bytes of the features of all evidence of a case: docs/decisions/0011-kept-features.md."""

_SUFFIX = ".features"


@dataclass(frozen=True, eq=False)
class ChunkFeatures:
    """The projected features of one chunk.

    Attributes:
        seconds: float64 [s], stream time of each slice.
        slices: uint8 [s, b], a row each.
        window: frames of a window when they were computed.
        size: width and height of the frames that they were computed on.
    """

    seconds: NDArray[np.float64]
    slices: NDArray[np.uint8]
    window: int
    size: tuple[int, int]


class FeatureStore:
    """The features of one piece of footage as one pack sees it; a file for each chunk.

    Everything in it may be deleted at any time. A damaged file counts as missing.

    Args:
        folder: of the cache, shared by all footage of a case.
        key: what decides the features: hash of the footage, pack, plan; JSON values.
        max_bytes: that the whole folder may take.
    """

    def __init__(
        self, folder: Path, key: Mapping[str, object], max_bytes: int = CACHE_BYTES
    ) -> None:
        self._root = folder
        self._folder = folder / content_sha256(key)[:24]
        self._max_bytes = max_bytes
        self.evicted = 0
        """Chunks of other footage that were deleted to make room."""
        self.refused = 0
        """Chunks that were not saved, because this footage alone fills the cache."""

    def __contains__(self, chunk: int) -> bool:
        """Returns whether there is a file for a chunk, sound or not."""
        return self._path(chunk).is_file()

    def load(self, chunk: int) -> ChunkFeatures | None:
        """Returns the features of a chunk; None when they are missing or damaged."""
        path = self._path(chunk)
        try:
            arrays = unpack_arrays(path.read_bytes())
            window, width, height = map(int, arrays["about"])
            features = ChunkFeatures(arrays["seconds"], arrays["slices"], window, (width, height))
            if features.slices.ndim != 2 or len(features.slices) != len(features.seconds):
                raise ValueError("features of another number of slices")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, SightlineError):
            _LOG.warning("the kept features %s are damaged and made again", path)
            return None
        with contextlib.suppress(OSError):  # a case on a medium that cannot be written
            os.utime(path.parent)
        return features

    def save(self, chunk: int, features: ChunkFeatures) -> None:
        """Saves the features of a chunk; makes room by deleting what was used longest ago.

        A cache that cannot be written is named in the log and changes no result.
        """
        about = np.array([features.window, *features.size], np.int32)
        blob = pack_arrays(
            {"about": about, "seconds": features.seconds, "slices": features.slices}, level=0
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._make_room(len(blob)):
                write_atomically(self._path(chunk), blob)
                return
        except OSError as error:
            _LOG.warning("features cannot be kept: %s", error)
        self.refused += 1

    def _path(self, chunk: int) -> Path:
        return self._folder / f"{chunk}{_SUFFIX}"

    def _make_room(self, size: int) -> bool:
        sizes = {
            folder: sum(file.stat().st_size for file in folder.iterdir())
            for folder in self._root.iterdir()
            if folder.is_dir()
        }
        others = sorted(
            (folder for folder in sizes if folder != self._folder),
            key=lambda folder: folder.stat().st_mtime_ns,
        )
        while others and sum(sizes.values()) + size > self._max_bytes:
            oldest = others.pop(0)
            self.evicted += len(list(oldest.glob(f"*{_SUFFIX}")))
            shutil.rmtree(oldest, ignore_errors=True)
            del sizes[oldest]
        return sum(sizes.values()) + size <= self._max_bytes
