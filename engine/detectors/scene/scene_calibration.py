"""A calibration of the scene channel: what is usual for a camera, and from where it is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.detectors.scene.scene_statistics import SceneStatistics

VERSION = 1
_SPEED_LIMIT = 2.25
_SIZE_LIMIT = 3.0
_TRIM = 1.6
_SIZE_SECONDS = 60.0
_SPEED_QUANTILE = 0.99
_SIZE_QUANTILE = 0.995


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is usual for a camera.

    Attributes:
        kind: `normal` (footage marked normal), `camera` (unlabelled footage of the camera) or
            `self` (the evidence itself).
        statistics: what was learned.
        scales: for each attribute, by how much held-out normal footage exceeded its limit; the
            limit is raised by it. 1 where nothing is known.
        sources: one dictionary a source: path, SHA-256, span.
    """

    kind: str
    statistics: SceneStatistics
    scales: dict[str, float] = field(default_factory=dict)
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def from_normal(self) -> bool:
        """Whether the footage learned from is known to be normal."""
        return self.kind == "normal"

    def usual_speed(self) -> NDArray[np.float32] | None:
        """Usual speed a row of cells, px/s: three fifths of all distance are covered slower.

        None without motion.
        """
        return self.statistics.speed.usual(None if self.from_normal else _TRIM)

    def speed_limit(self) -> NDArray[np.float32] | None:
        """Speed a row of cells up to which motion is usual, px/s."""
        if self.from_normal:
            return self.statistics.speed.line(_SPEED_QUANTILE)
        return _times(self.usual_speed(), _SPEED_LIMIT)

    def usual_size(self) -> NDArray[np.float32] | None:
        """Usual side of a moving blob by the row it stands on, px. None on too little footage."""
        if self.statistics.seconds < _SIZE_SECONDS:
            return None
        return self.statistics.size.line(0.5)

    def size_limit(self) -> NDArray[np.float32] | None:
        """Side by row up to which a moving blob is usual, px."""
        if self.from_normal and self.usual_size() is not None:
            return self.statistics.size.line(_SIZE_QUANTILE)
        return _times(self.usual_size(), _SIZE_LIMIT)

    def scale(self, attribute: str) -> float:
        """By how much the limit of an attribute is raised."""
        return self.scales.get(attribute, 1.0)

    def with_scales(self, scales: dict[str, float]) -> Calibration:
        """Returns the calibration with other scales."""
        return replace(self, scales=scales)

    def encode(self) -> bytes:
        """Packs the calibration; equal calibrations give equal bytes."""
        values = {
            "version": VERSION,
            "kind": self.kind,
            "scales": self.scales,
            "sources": list(self.sources),
            "seconds": self.statistics.seconds,
            "frames": self.statistics.frames,
        }
        text = json.dumps(values, sort_keys=True).encode()
        header = {"values": np.frombuffer(text, np.uint8)}
        return pack_arrays({**header, **self.statistics.arrays()}, level=6)

    @classmethod
    def decode(cls, blob: bytes) -> Calibration:
        """Unpacks what `encode` wrote.

        Raises:
            BadInputError: it is damaged or of a newer version.
        """
        try:
            arrays = unpack_arrays(blob)
            values = json.loads(arrays["values"].tobytes())
            if values["version"] > VERSION:
                raise BadInputError(
                    "the calibration is of a newer version", "", "open it with that version"
                )
            seconds, frames = float(values["seconds"]), int(values["frames"])
            statistics = SceneStatistics.from_arrays(arrays, seconds, frames)
            scales, sources = dict(values["scales"]), tuple(values["sources"])
            return cls(values["kind"], statistics, scales, sources)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                "the calibration is damaged", "", "make a new one from normal footage"
            ) from error


def _times(line: NDArray[np.float32] | None, factor: float) -> NDArray[np.float32] | None:
    return None if line is None else line * np.float32(factor)
