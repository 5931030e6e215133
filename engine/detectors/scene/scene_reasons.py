"""Reasons in words: what an attribute found, with its numbers."""

from __future__ import annotations

import numpy as np

from engine.core.findings import Reason
from engine.detectors.scene.scene_channel import AttributePeaks

_LEAST_EXCESS = 1.0
_UNITS = {
    "speed": "px/s",
    "direction": "share of motion",
    "size": "px",
    "place": "visits",
    "dwelling": "s",
    "left": "s",
    "taken": "s",
}


def event_reasons(peaks: dict[str, AttributePeaks], first: int, last: int) -> tuple[Reason, ...]:
    """Says why the analysed frames first..last (inclusive) stand out.

    Args:
        peaks: of the whole run, by attribute.
        first: position of the first analysed frame of the event.
        last: position of the last one.

    Returns:
        One reason for each attribute beyond its limit, strongest first; at least the strongest.
    """
    found = []
    for name, peak in peaks.items():
        part = peak.excess[first : last + 1]
        if len(part) and part.max() > 0:
            at = first + int(np.argmax(part))
            found.append((float(peak.excess[at]), name, at))
    found.sort(key=lambda one: (-one[0], one[1]))
    kept = [one for one in found if one[0] >= _LEAST_EXCESS] or found[:1]
    return tuple(
        _reason(name, float(peaks[name].value[at]), float(peaks[name].usual[at]), excess)
        for excess, name, at in kept
    )


def _reason(attribute: str, value: float, usual: float, excess: float) -> Reason:
    ratio = value / usual if usual > 0 else excess
    text = {
        "speed": f"{ratio:.1f} times the usual speed here",
        "direction": f"against the usual direction ({value:.1%} of the motion here goes this way)",
        "size": f"{ratio:.1f} times the usual size here",
        "place": "at a place where nothing usually moves",
        "dwelling": f"stayed for {value:.0f} s",
        "left": f"something was left here and stood for {value:.0f} s",
        "taken": f"something that stood here has been gone for {value:.0f} s",
    }[attribute]
    if attribute == "dwelling" and usual > 0:
        text += f", the longest usual stay here is {usual:.0f} s"
    return Reason(
        attribute,
        round(value, 4),
        round(usual, 4),
        round(ratio, 4),
        _UNITS[attribute],
        text,
    )
