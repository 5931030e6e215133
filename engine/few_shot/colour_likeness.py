"""How alike two targets are in colour, which kept features do not hold.

What a target shows above and below its middle is counted in cells of CIELAB; two targets are as
alike as the Bhattacharyya coefficient of their counts says.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.errors import CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.few_shot.feature_reader import Footage
from engine.few_shot.marked_cells import MotionReader, cells_of_box
from engine.few_shot.moments import Moment
from engine.media import Source
from engine.pipeline.evidence_intake import opened_evidence

_LIGHT, _TINT = 6, 8
_TINTS = (88, 168)
"""Of CIELAB's a and b as bytes; 128 is grey."""


def colour_shares(picture: NDArray[np.uint8], cells: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Counts the colours of a target.

    Args:
        picture: uint8 [H, W, 3], RGB.
        cells: bool [R, C], where it is, at least one.

    Returns:
        float32 [2, n], of its upper and its lower half, each summing to 1 or all 0.
    """
    height, width = picture.shape[:2]
    mask = cv2.resize(cells.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    x, y, w, h = cv2.boundingRect(mask)
    cut, inside = picture[y : y + h, x : x + w], mask[y : y + h, x : x + w] > 0
    lab = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2LAB).astype(np.int32)
    low, high = _TINTS
    tints = np.clip((lab[..., 1:] - low) * _TINT // (high - low), 0, _TINT - 1)
    number = (lab[..., 0] * _LIGHT // 256 * _TINT + tints[..., 0]) * _TINT + tints[..., 1]
    halves = []
    for part in (np.s_[: h // 2], np.s_[h // 2 :]):
        found = np.bincount(number[part][inside[part]], minlength=_LIGHT * _TINT**2)
        halves.append(found / max(1, found.sum()))
    return np.asarray(halves, np.float32)


def colour_likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Returns how alike two counts of `colour_shares` are, 0..1."""
    return float(np.sqrt(one * other).sum()) / len(one)


def ranked_by_colour(
    case: Case,
    footages: dict[int, Footage],
    asked: Sequence[tuple[Footage, int, NDArray[np.bool_]]],
    moments: Sequence[Moment],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> list[Moment]:
    """Ranks moments anew: their likeness becomes its mean with that of colours.

    What cannot be seen any more keeps its likeness.

    Args:
        case: holds the evidence.
        footages: by evidence.
        asked: the target: footage, position of the analysed frame and bool [R, C] of each mark.
        moments: to rank.
        cancel: looked at between frames.
        progress: told how far it is.
    """
    with _TargetColours(case, cancel) as colours:
        known = [colours.at(*one) for one in asked]
        targets = [one for one in known if one is not None]
        if not targets:
            return list(moments)
        found = []
        by_place = sorted(moments, key=lambda one: (one.evidence_id, one.peak_frame))
        for number, moment in enumerate(by_place, 1):
            shares = colours.of_moment(footages[moment.evidence_id], moment)
            if shares is not None:
                alike = float(np.mean([colour_likeness(one, shares) for one in targets]))
                moment = replace(moment, likeness=(moment.likeness + alike) / 2)
            found.append(moment)
            progress(Progress("comparing colours", number, len(by_place), unit="moments"))
    return sorted(found, key=lambda one: (-one.likeness, one.evidence_id, one.peak_s))


class _TargetColours:
    """Reads targets' colours from the evidence itself, of which one piece is open at a time."""

    def __init__(self, case: Case, cancel: CancelToken) -> None:
        self._case = case
        self._cancel = cancel
        self._motion = MotionReader(case)
        self._stack = ExitStack()
        self._open: tuple[int, Source | None] | None = None

    def __enter__(self) -> _TargetColours:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at(
        self, footage: Footage, place: int, cells: NDArray[np.bool_]
    ) -> NDArray[np.float32] | None:
        """Returns the colours in the cells of an analysed frame; None when it cannot be seen."""
        self._cancel.check()
        source = self._source(footage)
        if source is None or not cells.any():
            return None
        image = source.frame(int(footage.stored.plan.frames[place])).image
        return None if image is None else colour_shares(image, cells)

    def of_moment(self, footage: Footage, moment: Moment) -> NDArray[np.float32] | None:
        """Returns the colours of what moves in a moment's box, or of all of it."""
        place = int(np.searchsorted(footage.stored.plan.frames, moment.peak_frame))
        return self.at(footage, place, cells_of_box(self._motion, footage, place, moment.box))

    def _source(self, footage: Footage) -> Source | None:
        number = footage.run.evidence_id
        if self._open is None or self._open[0] != number:
            self._stack.close()
            self._open = number, self._opened(footage)
        return self._open[1]

    def _opened(self, footage: Footage) -> Source | None:
        row = self._case.evidence.get(footage.run.evidence_id)
        try:
            return self._stack.enter_context(
                opened_evidence(self._case, row, footage.run.stream, self._cancel)
            )
        except CancelledError:
            raise
        except SightlineError:
            # Kept features are searched without the footage as well.
            return None
