"""The strongest excess of each attribute in each frame, and the reasons that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from engine.core.channels import SCENE_ATTRIBUTES
from engine.core.findings import Reason
from engine.detectors.channel_scores import ChannelPeaks

_LIMIT = 1.0  # Excess at the limit of the usual, by definition.


class AttributePeaks(NamedTuple):
    """What one attribute found in each frame, at its strongest cell.

    Attributes:
        excess: float32 [n], 1 = at the limit of the usual.
        value: float32 [n], what was measured there, in the unit of the attribute.
        usual: float32 [n], what is usual there, likewise.
    """

    excess: NDArray[np.float32]
    value: NDArray[np.float32]
    usual: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScenePeaks(ChannelPeaks):
    """What each attribute found in the same frames.

    Attributes:
        by_attribute: by the stored name of the attribute.
    """

    by_attribute: dict[str, AttributePeaks]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Joins the peaks of consecutive blocks."""
        joined = {}
        for name in parts[0].by_attribute:
            arrays = zip(*(part.by_attribute[name] for part in parts), strict=True)
            joined[name] = AttributePeaks(*map(np.concatenate, arrays))
        return cls(joined)

    def reasons(self, first: int, last: int) -> tuple[Reason, ...]:
        """Returns why the frames first..last (indices, inclusive) stand out.

        Returns:
            One reason for each attribute beyond its limit, strongest first; at least the strongest.
        """
        strongest = []
        for name, peaks in self.by_attribute.items():
            excess = peaks.excess[first : last + 1]
            if len(excess) and excess.max() > 0:
                frame = first + int(np.argmax(excess))
                strongest.append((float(peaks.excess[frame]), name, frame))
        strongest.sort(key=lambda entry: (-entry[0], entry[1]))
        beyond = [entry for entry in strongest if entry[0] >= _LIMIT] or strongest[:1]
        return tuple(self._reason(name, frame, excess) for excess, name, frame in beyond)

    def _reason(self, name: str, frame: int, excess: float) -> Reason:
        peaks, attribute = self.by_attribute[name], SCENE_ATTRIBUTES[name]
        value, usual = float(peaks.value[frame]), float(peaks.usual[frame])
        ratio = value / usual if usual > 0 else excess
        text = attribute.describe(value, usual, ratio)
        numbers = round(value, 4), round(usual, 4), round(ratio, 4)
        return Reason(name, *numbers, attribute.unit, text)
