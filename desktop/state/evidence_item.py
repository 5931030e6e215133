"""A piece of evidence as one line of the evidence list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvidenceItem:
    """What the evidence list says about one piece of evidence.

    Attributes:
        id: in the case; negative while it is being added.
        name: of the file.
        path: where it is read from.
        duration_s: seconds of stream time; None when unknown.
        run_state: `adding`, `not analysed`, `waiting`, `analysing`, `stopped`, `failed` or
            `analysed`.
        progress: 0..1 while adding or analysing; None otherwise.
        integrity: `hashing`, `recorded` (hashed when added), `verified`, `changed` or `missing`.
        warnings: of the run shown, in words.
        unseen: events not yet looked at.
        events: events in all.
        clock_offset_s: seconds to add to stream time to get the burned-in clock; None when the
            examiner gave none.
    """

    id: int
    name: str
    path: str
    duration_s: float | None = None
    run_state: str = "not analysed"
    progress: float | None = None
    integrity: str = "recorded"
    warnings: tuple[str, ...] = ()
    unseen: int = 0
    events: int = 0
    clock_offset_s: float | None = None

    def at_clock(self, clock_s: float) -> float | None:
        """Returns the stream time at which its burned-in clock reads this; None when it never does.

        Args:
            clock_s: seconds of the burned-in clock.
        """
        if self.clock_offset_s is None or self.duration_s is None:
            return None
        seconds = clock_s - self.clock_offset_s
        return seconds if 0 <= seconds <= self.duration_s else None
