"""PTS of frames: made where the file has none, continued where its clock jumps back."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engine.media.packets import NO_TIME

_MAX_REORDERING_S = 1  # PTS may go back by this much because frames are reordered: a choice.
_MAX_DTS_STEPS = 2  # Usual steps by which DTS may go back before it is a jump: a choice.
_MIN_VARYING_SHARE = 0.05  # Share of unusual steps from which on the rate is variable: a choice.


@dataclass(frozen=True, eq=False)
class DisplayTimes:
    """PTS of packets that give a frame.

    Attributes:
        pts: int64 [n], in the stream's time base, or frame numbers when `by_rate`.
        has_made_pts: whether any of them is not the file's own.
        by_rate: the file has no times at all, so they count frames.
        discontinuities: how often the file's clock jumped back.
    """

    pts: NDArray[np.int64]
    has_made_pts: bool
    by_rate: bool
    discontinuities: int


@dataclass(frozen=True, eq=False)
class FrameSteps:
    """The steps of time between frames.

    Attributes:
        duration: int64 [n], in time_base units.
        gaps: (index of the frame before the gap, seconds missing after it).
        variable: whether the steps vary.
    """

    duration: NDArray[np.int64]
    gaps: tuple[tuple[int, float], ...]
    variable: bool


def display_times(
    pts: NDArray[np.int64],
    dts: NDArray[np.int64],
    order: NDArray[np.int64] | None,
    *,
    untimed: bool,
    second: Fraction,
    rate: Fraction,
) -> DisplayTimes:
    """Gives every packet a PTS.

    Args:
        pts: int64 [n] in decoding order, NO_TIME where the file has none.
        dts: int64 [n], likewise.
        order: int64 [n], indices in decoding order, sorted by display order as the headers of the
            pictures state it; None when they state nothing.
        untimed: the format is a bare stream, whatever times it has were counted.
        second: time-base units in a second.
        rate: frames a second where nothing else is known.
    """
    has_pts, has_dts = pts != NO_TIME, dts != NO_TIME
    if untimed or not (has_pts.any() or has_dts.any()):
        if untimed and order is None and has_dts.all():
            order = np.argsort(_fill_from_references(pts, dts, 1), kind="stable")
        return DisplayTimes(_ranks(order, len(pts)), True, True, 0)
    # DTS never go back by themselves; PTS do, by as many frames as may be reordered.
    slack = _MAX_DTS_STEPS * second / rate if has_dts.all() else _MAX_REORDERING_S * second
    shift, jumps = _clock_shift(np.where(has_dts, dts, pts), slack, second / rate)
    pts = np.where(has_pts, pts + shift, NO_TIME)
    dts = np.where(has_dts, dts + shift, NO_TIME)
    if not has_pts.all():
        step = max(1, round(second / rate))
        if order is not None:
            pts = _fill_from_order(pts, dts, order, step)
        elif has_dts.all():
            pts = _fill_from_references(pts, dts, step)
        else:
            pts = _fill_from_order(pts, dts, np.arange(len(pts)), step)
    return DisplayTimes(pts, not has_pts.all() or jumps > 0, False, jumps)


def frame_steps(
    pts: NDArray[np.int64], stated: NDArray[np.int64], time_base: Fraction
) -> FrameSteps:
    """Measures the steps between frames, and finds gaps.

    A step over one and a half usual ones is a gap. Where more than one step in twenty differs
    from the usual one the rate varies, and only steps over a second and five usual ones count
    as gaps.

    Args:
        pts: int64 [n], strictly ascending.
        stated: int64 [n], durations that the container states, 0 where it does not.
        time_base: seconds of one unit.
    """
    if len(pts) == 1:
        only = max(1, int(stated[0]))
        return FrameSteps(np.array([only], np.int64), (), False)
    step = np.diff(pts)
    usual = int(np.median(step))
    duration = np.append(step, int(stated[-1]) if stated[-1] > 0 else usual)
    differs = np.abs(step - usual) > max(1, usual // 10)
    variable = bool(differs.sum() > 1 and differs.mean() > _MIN_VARYING_SHARE)
    shortest = max(5.0 * usual, float(1 / time_base)) if variable else 1.5 * usual + 1
    gaps = tuple(
        (int(index), float((int(step[index]) - usual) * time_base))
        for index in np.flatnonzero(step > shortest)
    )
    return FrameSteps(duration, gaps, variable)


def _ranks(order: NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    ranks = np.arange(count, dtype=np.int64)
    if order is not None:
        ranks[order] = np.arange(count)
    return ranks


def _clock_shift(
    clock: NDArray[np.int64], slack: Fraction, usual: Fraction
) -> tuple[NDArray[np.int64], int]:
    """Returns what to add to each time so that it never jumps back by more than `slack`."""
    known = clock != NO_TIME
    shift = np.zeros(len(clock), np.int64)
    times, indices = clock[known], np.flatnonzero(known)
    jumps = np.flatnonzero(np.diff(times) < -int(slack)) + 1
    step = max(1, round(usual))
    for jump in jumps:
        shift[indices[jump] :] += int(times[jump - 1]) + step - int(times[jump])
    return shift, len(jumps)


def _fill_from_order(
    pts: NDArray[np.int64], dts: NDArray[np.int64], order: NDArray[np.int64], step: int
) -> NDArray[np.int64]:
    """Fills in PTS where the display order is known, between the PTS that there are."""
    ordered = pts[order]
    known = np.flatnonzero(ordered != NO_TIME)
    if not len(known) or np.any(np.diff(ordered[known]) < np.diff(known)):
        has_dts = dts != NO_TIME
        ordered = np.sort(dts[has_dts]) if has_dts.all() else step * np.arange(len(pts))
    else:
        ranks = np.arange(len(pts))
        filled = np.interp(ranks, known, ordered[known].astype(np.float64))
        before, after = ranks < known[0], ranks > known[-1]
        filled[before] = ordered[known[0]] + step * (ranks[before] - known[0])
        filled[after] = ordered[known[-1]] + step * (ranks[after] - known[-1])
        ordered = np.where(ordered == NO_TIME, np.rint(filled).astype(np.int64), ordered)
    filled_pts = np.empty(len(pts), np.int64)
    filled_pts[order] = ordered
    return filled_pts


def _fill_from_references(
    pts: NDArray[np.int64], dts: NDArray[np.int64], step: int
) -> NDArray[np.int64]:
    """Fills in PTS of a codec that delays one picture (MPEG-1, -2, -4, VC-1).

    A B-frame is shown when it is decoded; any other frame when the next such frame is decoded.
    """
    filled_pts = pts.copy()
    references = np.flatnonzero((pts == NO_TIME) | (pts > dts))
    if not len(references):
        return filled_pts
    following = np.append(dts[references[1:]], dts[-1] + step)
    unknown = pts[references] == NO_TIME
    filled_pts[references[unknown]] = following[unknown]
    return filled_pts
