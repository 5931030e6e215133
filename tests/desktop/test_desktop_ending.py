"""The end of the user's session, or Ctrl+C in a terminal, loses nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from engine.case import Case
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_and_keeps_the_note_being_written(
    drive: Drive, sample_case: Path, number: signal.Signals
) -> None:
    before = signal.getsignal(number)

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.window.notes._field.setPlainText("a red bicycle")
        signal.raise_signal(number)
        driver.until(lambda: not driver.window.isVisible(), "the end of the window")

    assert drive([str(sample_case)], script) == 0
    assert signal.getsignal(number) is before
    with Case.open(sample_case) as case:
        assert [note.text for note in case.notes.all()] == ["a red bicycle"]
