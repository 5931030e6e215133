"""A calibration of the text channel: the logit at which a prompt speaks, and how sharply."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.text.maps import TextMaps
from engine.core.errors import BadInputError

VERSION = 1
_NORMAL_QUANTILE = 0.995
_SPREADS = 3.0
_LOW_QUANTILE = 0.16
_USUAL_LOGIT = 4.0
_LEAST_SLICES = 8
_KNOWN_SLICES = 60
_MINUTE_S = 60.0
_EVEN_LOGIT = 0.0
_LEAST_GAP = 1e-3
_STEEPER = 2.0
_FURTHEST = 60.0


@dataclass(frozen=True)
class TextCalibration:
    """Turns logits of prompts into scores.

    Attributes:
        kind: `normal` (footage marked normal), `camera`, `self` or `pack` (nothing but the
            pack's own limit).
        limit: logit whose score is 0.5.
        slope: logits of the score for one logit of the prompt.
        pack_limit: what the pack says without knowing the camera.
        pack_slope: likewise.
        slices: slices learned from.
        sources: one dictionary a source: path, SHA-256, span.
        people: height of people in normal footage, in analysis pixels; None when unknown.
        usual: usual speed of each row of cells there, analysis pixels a second; none when unknown.
    """

    kind: str
    limit: float
    slope: float
    pack_limit: float
    pack_slope: float
    slices: int = 0
    sources: tuple[dict[str, Any], ...] = ()
    people: float | None = None
    usual: tuple[float, ...] = ()

    @classmethod
    def of_pack(cls, limit: float, slope: float) -> TextCalibration:
        """Makes the calibration of a pack that knows nothing of the camera."""
        return cls("pack", limit, slope, limit, slope)

    def pack(self) -> TextCalibration:
        """Returns what the pack says by itself."""
        return self.of_pack(self.pack_limit, self.pack_slope)

    def score(self, logits: NDArray[np.floating]) -> NDArray[np.float32]:
        """Returns scores 0..1 of logits of any shape."""
        steps = (np.asarray(logits, np.float32) - np.float32(self.limit)) * np.float32(self.slope)
        return np.asarray(1 / (1 + np.exp(-np.clip(steps, -_FURTHEST, _FURTHEST))), np.float32)

    def encode(self) -> bytes:
        """Packs the calibration; equal calibrations give equal bytes."""
        values = {"version": VERSION, **self.__dict__, "sources": list(self.sources)}
        return json.dumps(values, sort_keys=True).encode()

    @classmethod
    def decode(cls, blob: bytes) -> TextCalibration:
        """Unpacks what `encode` wrote.

        Raises:
            BadInputError: it is damaged or of a newer version.
        """
        try:
            values = json.loads(blob)
            if values["version"] > VERSION:
                raise BadInputError(
                    "the calibration is of a newer version", "", "open it with that version"
                )
            return cls(
                str(values["kind"]),
                float(values["limit"]),
                float(values["slope"]),
                float(values["pack_limit"]),
                float(values["pack_slope"]),
                int(values["slices"]),
                tuple(values["sources"]),
                None if values["people"] is None else float(values["people"]),
                tuple(float(one) for one in values["usual"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError("the calibration is damaged", "", "analyse again") from error


def learn_text(
    kind: str,
    maps: Iterable[TextMaps],
    pack: TextCalibration,
    sources: tuple[dict[str, Any], ...] = (),
) -> TextCalibration:
    """Moves the pack's limit to where the unusual begins for this camera.

    A pack's limit is right for footage like that it was measured on. On footage known to be
    normal the limit is measured anew: above all but 0.5 % of its slices, wherever that is, but
    not below the point where a prompt is as likely as the normal ones; footage too short to tell
    can only raise it. On other footage, where the prompts may be right, it is never lowered, but
    raised above what its quieter half says of all of it: a prompt that fires all the time would
    drown what the scene channel finds. Less than a minute of it does not move the limit, because
    an assault may fill most of a short clip and would be taken for usual. And what is usual must
    lie well below the limit, or the slope is made steeper: by twice at most while the limit is
    not moved.

    Args:
        kind: `normal` when the footage is known to be normal, otherwise `camera` or `self`.
        maps: of the footage.
        pack: what the pack says by itself.
        sources: what the footage is.
    """
    parts, seconds = [np.zeros(0, np.float32)], 0.0
    for one in maps:
        parts.append(one.usual())
        seconds += float(np.ptp(one.seconds)) if len(one) else 0.0
    largest = np.concatenate(parts)
    largest = largest[largest > -_FURTHEST * 100]
    if len(largest) < _LEAST_SLICES:
        return replace(pack, kind=kind, slices=len(largest), sources=sources)
    usual = float(np.quantile(largest, 0.5))
    limit, steepest = _limit(kind, largest, usual, seconds, pack)
    steep = max(pack.slope, _USUAL_LOGIT / max(_LEAST_GAP, limit - usual))
    return replace(
        pack,
        kind=kind,
        limit=limit,
        slope=min(steep, steepest),
        slices=len(largest),
        sources=sources,
    )


def _limit(
    kind: str, largest: NDArray[np.float32], usual: float, seconds: float, pack: TextCalibration
) -> tuple[float, float]:
    """Returns the limit and the steepest slope; see `learn_text`."""
    if kind == "normal":
        reached = float(np.quantile(largest, _NORMAL_QUANTILE))
        least = _EVEN_LOGIT if len(largest) >= _KNOWN_SLICES else pack.limit
        return max(min(least, pack.limit), reached), 1 / _LEAST_GAP
    if seconds < _MINUTE_S:
        return pack.limit, _STEEPER * pack.slope
    low = float(np.quantile(largest, _LOW_QUANTILE))
    return max(pack.limit, usual + _SPREADS * (usual - low)), 1 / _LEAST_GAP
