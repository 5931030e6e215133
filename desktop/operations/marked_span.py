"""Makes a bookmark or an event of the examiner's own out of a marked span."""

from __future__ import annotations

import numpy as np

from desktop.state.evidence_view import EvidenceView
from engine.case import NewBookmark, NewOwnEvent
from engine.core.times import format_time


def bookmark_of(view: EvidenceView, first: int, last: int, text: str) -> NewBookmark:
    """Returns a bookmark of the frames from `first` to `last`, both inclusive."""
    return NewBookmark(
        evidence_id=view.evidence.id,
        run_id=None if view.run is None else view.run.id,
        start_frame=first,
        end_frame=last,
        start_pts=int(view.index.pts[first]),
        end_pts=int(view.index.pts[last]),
        start_s=float(view.seconds[first]),
        end_s=float(view.seconds[last]),
        text=text,
    )


def own_event_of(view: EvidenceView, first: int, last: int, text: str) -> NewOwnEvent:
    """Returns an event of the frames from `first` to `last`; its peak is their highest score."""
    peak, score = first, 0.0
    curve = next(iter(view.curves.values()), None)
    if curve is not None:
        low, high = np.searchsorted(curve.frames, [first, last + 1])
        if high > low:
            best = int(low) + int(np.argmax(curve.scores[low:high]))
            peak, score = int(curve.frames[best]), float(curve.scores[best])
    return NewOwnEvent(
        evidence_id=view.evidence.id,
        run_id=None if view.run is None else view.run.id,
        first_frame=first,
        last_frame=last,
        peak_frame=peak,
        start_pts=int(view.index.pts[first]),
        end_pts=int(view.index.pts[last]),
        peak_pts=int(view.index.pts[peak]),
        start_s=float(view.seconds[first]),
        end_s=float(view.seconds[last]),
        peak_s=float(view.seconds[peak]),
        peak_score=score,
        summary=f"{text} ({format_time(float(view.seconds[first]))})",
    )
