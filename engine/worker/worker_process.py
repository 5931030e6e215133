"""The process itself: its pipes, its priority, its log, and its end."""

from __future__ import annotations

import logging
import os
import sys
from typing import BinaryIO

import psutil

from engine.core.logs import ENGINE, start_log
from engine.worker.server import Server

_NICE = 10  # Half of what a process may step back on Linux; the window comes first.


def run() -> int:
    """Serves requests from stdin until it closes or a shutdown is asked for.

    Returns:
        The exit code of the process.
    """
    replies = _claim_stdout()
    start_log(ENGINE, logging.StreamHandler(sys.stderr))
    _lower_priority()
    server = Server(replies)
    server.serve(sys.stdin.buffer)
    # A decoder or a hash in the middle of its work must not keep a process whose window is gone.
    os._exit(0)


def _claim_stdout() -> BinaryIO:
    """Keeps stdout for replies: what libraries print goes to stderr, also from native code."""
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


def _lower_priority() -> None:
    """Lets the window go first, so that it stays quick while this process works."""
    try:
        priority = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICE
        psutil.Process().nice(priority)
    except (psutil.Error, OSError) as error:
        logging.getLogger(__name__).warning("the priority stays as it is: %s", error)
