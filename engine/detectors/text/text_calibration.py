"""A calibration of the text channel: the logit at which a prompt speaks, and how sharply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.detectors.text.text_maps import SILENT, TextMaps

VERSION = 2
_NORMAL_QUANTILE = 0.995
_PROMPT_QUANTILE = 0.9
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
        above: by how much the limit of each prompt lies above `limit`; a prompt beyond the last
            has that limit itself.
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
    above: tuple[float, ...] = ()

    @classmethod
    def of_pack(cls, limit: float, slope: float) -> TextCalibration:
        """Makes the calibration of a pack that knows nothing of the camera."""
        return cls("pack", limit, slope, limit, slope)

    def pack(self) -> TextCalibration:
        """Returns what the pack says by itself."""
        return self.of_pack(self.pack_limit, self.pack_slope)

    def asked(self, before: Sequence[str], now: Sequence[str]) -> TextCalibration:
        """Returns the calibration for another set of prompts; those of both keep their limits."""
        known = dict(zip(before, self.above, strict=False))
        return replace(self, above=tuple(known.get(word, 0.0) for word in now))

    def limits(self, prompt: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the limits of prompts, given by their numbers in the set, of any shape."""
        table = np.full(1 << 8, self.limit, np.float32)
        table[: len(self.above)] += np.asarray(self.above, np.float32)
        return table[prompt]

    def score(self, logits: NDArray[np.floating], prompt: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns scores 0..1 of logits, and of the prompts they belong to, of any shape."""
        steps = (np.asarray(logits, np.float32) - self.limits(prompt)) * np.float32(self.slope)
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
                tuple(float(one) for one in values.get("above", ())),
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
    normal the limit of each prompt is measured anew: above all but a tenth of its slices, wherever
    that is, but not below the point where a prompt is as likely as the normal ones; then all of
    them are raised together, until only 0.5 % of the slices rise above any. Footage too short to
    tell can only raise them. A prompt that does not suit a camera is so kept from drowning those
    that do. On other footage, where the prompts may be right, the limit is never lowered, but
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
    parts, seconds = [np.zeros((0, 1), np.float32)], 0.0
    for one in maps:
        # Prompts are told apart on normal footage only, and it costs a pass over the maps each.
        parts.append(one.usual_by_prompt() if kind == "normal" else one.usual()[:, None])
        seconds += float(np.ptp(one.seconds)) if len(one) else 0.0
    loudest = _stacked(parts).astype(np.float64)
    loudest = loudest[loudest.max(1) > -_FURTHEST * 100]
    if len(loudest) < _LEAST_SLICES:
        return replace(pack, kind=kind, slices=len(loudest), sources=sources)
    limits, steepest = _limits(kind, loudest, seconds, pack)
    usual = float(np.quantile((loudest - limits).max(1), 0.5))
    steep = max(pack.slope, _USUAL_LOGIT / max(_LEAST_GAP, -usual))
    limit = limits.min()
    return replace(
        pack,
        kind=kind,
        limit=float(limit),
        slope=min(steep, steepest),
        slices=len(loudest),
        sources=sources,
        above=tuple((limits - limit).tolist()) if limits.max() > limit else (),
    )


def _stacked(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Joins logits [s, P] of blocks; a block in which the last prompts were silent has fewer."""
    most = max(part.shape[1] for part in parts)
    silent = float(SILENT)
    return np.concatenate(
        [
            np.pad(part, ((0, 0), (0, most - part.shape[1])), constant_values=silent)
            for part in parts
        ]
    )


def _limits(
    kind: str, loudest: NDArray[np.float64], seconds: float, pack: TextCalibration
) -> tuple[NDArray[np.float64], float]:
    """Returns the limit of each prompt and the steepest slope; see `learn_text`."""
    even = np.full(loudest.shape[1], pack.limit)
    if kind == "normal":
        least = _EVEN_LOGIT if len(loudest) >= _KNOWN_SLICES else pack.limit
        own = np.maximum(min(least, pack.limit), np.quantile(loudest, _PROMPT_QUANTILE, axis=0))
        together = np.quantile((loudest - own).max(1), _NORMAL_QUANTILE)
        return own + max(0.0, float(together)), 1 / _LEAST_GAP
    if seconds < _MINUTE_S:
        return even, _STEEPER * pack.slope
    usual, low = np.quantile(loudest.max(1), (0.5, _LOW_QUANTILE))
    return np.maximum(even, usual + _SPREADS * (usual - low)), 1 / _LEAST_GAP
