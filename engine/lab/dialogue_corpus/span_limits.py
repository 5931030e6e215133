"""What spans and targets must be like to be spoken about, rendered or filmed."""

from __future__ import annotations

MIN_SPAN_S, MAX_SPAN_S = 1.6, 5.0
"""Shortest and longest span in seconds: 16 frames at 10 a second, which fill a window of a
backbone, and what an examiner would ask about at once; a choice."""

SPAN_MARGIN_S = 0.5
"""Seconds that a normal span keeps away from every abnormal target; a choice."""

MIN_TARGET_PIXELS = 24
"""A target with fewer pixels in a frame can neither be measured nor described; a choice."""

MIN_SHIFT = 0.04
"""Share of the frame's diagonal that a target moves at least to have a direction; a choice."""
