"""Threads that must not keep the window's own from being painted."""

from __future__ import annotations

import os
import sys
import threading

FRAMES, CASE, THUMBNAILS = 4, 4, 10
"""Niceness above the window's own thread, by what a thread does."""
_MAX_NICENESS = 19  # of POSIX


def yield_to_window(niceness: int) -> None:
    """Lowers the calling thread, with all that it starts, below the window's own.

    A decoder keeps every core busy while it plays, and the window must still be painted in time.
    Only Linux counts niceness by thread; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(_MAX_NICENESS, now + niceness))
