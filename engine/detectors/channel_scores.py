"""What every channel makes of consecutive analysed frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.core.findings import Reason


class ChannelPeaks(ABC):
    """What a channel found at the strongest cell of each frame; events take reasons from it."""

    @classmethod
    @abstractmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Joins the peaks of consecutive blocks."""

    @abstractmethod
    def reasons(self, first: int, last: int) -> tuple[Reason, ...]:
        """Returns why the frames first..last (indices, inclusive) stand out, strongest first."""


@dataclass(frozen=True, eq=False)
class ChannelScores:
    """Heat and scores of n consecutive analysed frames.

    Attributes:
        heat: float32 [n, R, C], calibrated, 0..1; 0.5 = at the limit.
        scores: float32 [n], calibrated, 0..1.
        peaks: of the same frames; None for the fused channel.
    """

    heat: NDArray[np.float32]
    scores: NDArray[np.float32]
    peaks: ChannelPeaks | None

    def __len__(self) -> int:
        return len(self.scores)
