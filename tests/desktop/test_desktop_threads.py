"""Decoding must not keep the window from being painted."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from desktop.session.thread_priority import FRAMES, yield_to_window


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is of whole processes there")
def test_a_thread_that_yields_and_those_it_starts_are_nicer_than_the_window() -> None:
    found: list[int] = []

    def own() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def work() -> None:
        yield_to_window(FRAMES)
        own()
        started = threading.Thread(target=own)
        started.start()
        started.join()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    window = os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id or 0)
    assert found == [min(19, window + FRAMES)] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is of whole processes there")
def test_a_thread_that_is_as_nice_as_can_be_stays_so() -> None:
    found: list[int] = []

    def work() -> None:
        for _ in range(3):
            yield_to_window(19)
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [19]
