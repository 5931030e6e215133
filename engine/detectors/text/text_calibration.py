"""The calibration of the text channel: the logit at which a prompt speaks, and how sharply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.detectors.text.text_maps import NO_LOGIT, TextMaps

VERSION = 2  # Of the stored form; a newer one is refused.
# Most of these numbers were chosen by the measurements in docs/experiments/fusion.md.
_NORMAL_QUANTILE = 0.995  # All but this share of normal slices stay below every limit.
_PROMPT_QUANTILE = 0.9  # Level of a prompt in normal slices; above 0.95 false alarms come.
_SPREADS = 3.0  # Lower spreads above the median at which other footage puts the limit.
_LOW_QUANTILE = 0.16  # The median less one standard deviation, if logits were normal.
_USUAL_LOGIT = 4.0  # The median slice is to lie this far below the limit: a score of 0.02.
_MIN_SLICES = 8  # A choice: fewer slices tell nothing.
_MIN_LOWERING_SLICES = 60  # A dozen seconds: shorter normal footage can only raise the limit.
_MIN_RAISING_S = 60.0  # Shorter other footage moves no limit; see `learn_text`.
_EVEN_LOGIT = 0.0  # A prompt is as likely as the normal ones there; no limit lies below.
_MIN_GAP = 1e-3  # Keeps a slope finite where the median lies at the limit.
_MAX_STEEPENING = 2.0  # While the limit is not moved, the slope grows by this factor at most.
_MAX_LOGIT = 60.0  # exp(60) is far from the largest float32; beyond it a score does not change.


@dataclass(frozen=True)
class TextCalibration:
    """Turns logits of prompts into scores.

    Attributes:
        kind: `normal` (footage marked normal), `camera`, `self` or `pack` (nothing but the
            pack's own limit).
        limit: logit whose score is 0.5.
        slope: logits of the score for one logit of the prompt.
        pack_limit: limit of the pack, which does not know the camera.
        pack_slope: slope of the pack, likewise.
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
        """Returns the calibration of a pack, which knows nothing of the camera."""
        return cls("pack", limit, slope, limit, slope)

    def pack(self) -> TextCalibration:
        """Returns the calibration of the pack by itself."""
        return self.of_pack(self.pack_limit, self.pack_slope)

    def for_prompts(self, before: Sequence[str], now: Sequence[str]) -> TextCalibration:
        """Returns the calibration for other prompts; those that stay keep their limits.

        Args:
            before: the abnormal prompts that it was learned with.
            now: the abnormal prompts that it is for.
        """
        known = dict(zip(before, self.above, strict=False))
        return replace(self, above=tuple(known.get(prompt, 0.0) for prompt in now))

    def limits(self, prompt: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the limits of prompts, given by their numbers in the set, of any shape."""
        table = np.full(1 << 8, self.limit, np.float32)
        table[: len(self.above)] += np.asarray(self.above, np.float32)
        return table[prompt]

    def score(self, logits: NDArray[np.floating], prompt: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns scores 0..1 of logits, and of the prompts they belong to, of any shape."""
        steps = (np.asarray(logits, np.float32) - self.limits(prompt)) * np.float32(self.slope)
        return np.asarray(1 / (1 + np.exp(-np.clip(steps, -_MAX_LOGIT, _MAX_LOGIT))), np.float32)

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
                tuple(map(float, values["usual"])),
                tuple(map(float, values.get("above", ()))),
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

    A pack's limit is right for footage like that on which it was measured. On footage known to be
    normal the limit of each prompt is measured anew: above all but a tenth of its slices, wherever
    that is, but not below the point where a prompt is as likely as the normal ones; then all of
    them are raised together, until only 0.5 % of the slices rise above any. Footage that is too
    short to tell can only raise them. That way a prompt that does not suit a camera cannot drown
    those that do. On other footage, where the prompts may be right, the limit is never lowered, but
    raised above what its quieter half tells of all of it: a prompt that fires all the time would
    drown what the scene channel finds. Less than a minute of it does not move the limit, because
    an assault may fill most of a short video and would be taken for usual. And what is usual must
    lie well below the limit, or the slope is made steeper: by twice at most while the limit is
    not moved.

    Args:
        kind: `normal` when the footage is known to be normal, otherwise `camera` or `self`.
        maps: of the footage.
        pack: the calibration of the pack by itself.
        sources: what the footage is.
    """
    parts, seconds = [np.zeros((0, 1), np.float32)], 0.0
    for block in maps:
        # Prompts are told apart on normal footage only; each costs a pass over the maps.
        parts.append(block.usual_by_prompt() if kind == "normal" else block.usual()[:, None])
        seconds += float(np.ptp(block.seconds)) if len(block) else 0.0
    loudest = _stack(parts).astype(np.float64)
    loudest = loudest[loudest.max(1) > -_MAX_LOGIT * 100]
    if len(loudest) < _MIN_SLICES:
        return replace(pack, kind=kind, slices=len(loudest), sources=sources)
    limits, steepest = _limits(kind, loudest, seconds, pack)
    usual = float(np.quantile((loudest - limits).max(1), 0.5))
    steep = max(pack.slope, _USUAL_LOGIT / max(_MIN_GAP, -usual))
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


def _stack(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Joins logits [s, P] of blocks; P is smaller where the last prompts were silent."""
    width = max(part.shape[1] for part in parts)
    silent = float(NO_LOGIT)
    return np.concatenate(
        [
            np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=silent)
            for part in parts
        ]
    )


def _limits(
    kind: str, loudest: NDArray[np.float64], seconds: float, pack: TextCalibration
) -> tuple[NDArray[np.float64], float]:
    """Returns the limit of each prompt and the steepest slope; see `learn_text`."""
    pack_limits = np.full(loudest.shape[1], pack.limit)
    if kind == "normal":
        floor = _EVEN_LOGIT if len(loudest) >= _MIN_LOWERING_SLICES else pack.limit
        own = np.maximum(min(floor, pack.limit), np.quantile(loudest, _PROMPT_QUANTILE, axis=0))
        excess = np.quantile((loudest - own).max(1), _NORMAL_QUANTILE)
        return own + max(0.0, float(excess)), 1 / _MIN_GAP
    if seconds < _MIN_RAISING_S:
        return pack_limits, _MAX_STEEPENING * pack.slope
    usual, low = np.quantile(loudest.max(1), (0.5, _LOW_QUANTILE))
    return np.maximum(pack_limits, usual + _SPREADS * (usual - low)), 1 / _MIN_GAP
