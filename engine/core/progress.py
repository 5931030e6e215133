"""Progress of long work and its cancel token, without knowing who shows or stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.errors import CancelledError


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Attributes:
        stage: what is being done, for people (`hashing`, `analysing`).
        done: units done so far.
        total: units in all; 0 when unknown.
        rate: units a second; 0 when not known yet.
        seconds_left: None when not known yet.
        unit: the unit's plural (`frames`, `bytes`).
    """

    stage: str
    done: int
    total: int
    rate: float = 0.0
    seconds_left: float | None = None
    unit: str = "frames"

    @property
    def text(self) -> str:
        """The stage with the units that are done, and of how many where that is known."""
        total = f" of {self.total:,}" if self.total else ""
        return f"{self.stage}: {self.done:,}{total} {self.unit}"


ProgressCallback = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Shows nothing."""


class CancelToken:
    """Tells work to stop; set from any thread and checked between small steps of the work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Stops the work at its next check."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Ends the work if it is to stop.

        Raises:
            CancelledError: it is to stop.
        """
        if self.cancelled:
            raise CancelledError("cancelled", "", "what was committed is kept; run again to resume")
