"""The calibration of the scene channel: what is usual for a camera, and where that is from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.detectors.scene.scene_statistics import SceneStatistics

VERSION = 1  # Of the stored form; a newer one is refused.
# Limits of speed and their trimming: docs/decisions/0004-usual-speed.md. Those of size are choices.
_SPEED_FACTOR = 2.25  # Limit in multiples of the usual speed, where footage may hold the unusual.
_SPEED_QUANTILE = 0.99  # Limit of speed where footage is known to be normal.
_SPEED_TRIM = 1.6  # Multiple of the fitted line beyond which motion is left out of the fit.
_SIZE_FACTOR = 3.0  # Limit in multiples of the usual size, where footage may hold the unusual.
_SIZE_QUANTILE = 0.995  # Limit of size where footage is known to be normal.
_MIN_SIZE_S = 60.0  # Shorter footage shows too few targets to tell their usual size.
_MOVING_SHARE = 0.4  # A choice: share of the usual speed from which on something moves.


@dataclass(frozen=True, eq=False)
class SceneCalibration:
    """What is usual for a camera.

    Attributes:
        kind: `normal` (footage marked normal), `camera` (unlabelled footage of the camera) or
            `self` (the evidence itself).
        statistics: what was learned.
        scales: for each attribute, the factor by which held-out normal footage exceeded its limit
            and by which the limit is raised; 1 where nothing is known.
        sources: one dictionary a source: path, SHA-256, span.
    """

    kind: str
    statistics: SceneStatistics
    scales: dict[str, float] = field(default_factory=dict)
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def from_normal(self) -> bool:
        """Whether the footage that it was learned from is known to be normal."""
        return self.kind == "normal"

    def usual_speed(self) -> NDArray[np.float32] | None:
        """Returns the usual speed by row, float32 [R], px/s; None without motion.

        Three fifths of all distance are covered more slowly.
        """
        return self.statistics.speed.usual(None if self.from_normal else _SPEED_TRIM)

    def moving_speed(self) -> NDArray[np.float32] | None:
        """Returns the speed by row from which on something moves, float32 [R], px/s."""
        return _times(self.usual_speed(), _MOVING_SHARE)

    def speed_limit(self) -> NDArray[np.float32] | None:
        """Returns the speed by row up to which motion is usual, float32 [R], px/s."""
        if self.from_normal:
            return self.statistics.speed.line(_SPEED_QUANTILE)
        return _times(self.usual_speed(), _SPEED_FACTOR)

    def usual_size(self) -> NDArray[np.float32] | None:
        """Returns the usual side of a moving blob by the row that it stands on, float32 [R], px.

        None where the footage is too short.
        """
        if self.statistics.seconds < _MIN_SIZE_S:
            return None
        return self.statistics.size.line(0.5)

    def size_limit(self) -> NDArray[np.float32] | None:
        """Returns the side by row up to which a moving blob is usual, float32 [R], px."""
        if self.from_normal and self.usual_size() is not None:
            return self.statistics.size.line(_SIZE_QUANTILE)
        return _times(self.usual_size(), _SIZE_FACTOR)

    def scale(self, attribute: str) -> float:
        """Returns the factor by which the limit of an attribute is raised."""
        return self.scales.get(attribute, 1.0)

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
    def decode(cls, blob: bytes) -> SceneCalibration:
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
