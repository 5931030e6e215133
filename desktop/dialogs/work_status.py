"""The long work in progress in the status bar: title, progress, rate, time left, Cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.session.engine_work import WorkItem
from desktop.theme.controls import figures_label, push_button
from desktop.theme.layouts import row_of
from engine.core.progress import Progress

_BAR_STEPS = 1000  # of the progress bar, finer than its pixels


class WorkStatus(QWidget):
    """Shows the first piece of work, and how many wait behind it."""

    cancelled = Signal()
    """The examiner cancels the work in progress."""

    def __init__(self) -> None:
        super().__init__()
        self._text = figures_label()
        self._bar = QProgressBar()
        self._bar.setFixedWidth(160)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        tip = "Cancel current task; what was committed is kept (Ctrl+.)"
        self._cancel = push_button("Cancel", self.cancelled.emit, tip)
        row_of(self._text, self._bar, self._cancel, None, parent=self, margins=(8, 2, 8, 2))
        self.show_work((), None)

    @property
    def text(self) -> str:
        """The words on screen."""
        return self._text.text()

    def show_work(self, items: tuple[WorkItem, ...], indexing: Progress | None) -> None:
        """Shows work in progress.

        Args:
            items: of the engine process, the first in progress.
            indexing: progress of opening a file in the player; None when it is open.
        """
        first = items[0] if items else None
        progress = first.progress if first else indexing
        waiting = f" · {len(items) - 1} waiting" if len(items) > 1 else ""
        stopping = " · stopping" if first is not None and first.cancelling else ""
        title = first.title if first else "opening the file" if indexing else "Ready"
        self._text.setText(f"{title}{_how_far(progress)}{waiting}{stopping}")
        self._bar.setVisible(first is not None or indexing is not None)
        self._cancel.setVisible(first is not None)
        self._cancel.setEnabled(first is not None and not first.cancelling)
        if progress is None or not progress.total:
            self._bar.setRange(0, 0 if first else 1)
        else:
            self._bar.setRange(0, _BAR_STEPS)
            self._bar.setValue(round(_BAR_STEPS * min(1.0, progress.done / progress.total)))


def _how_far(progress: Progress | None) -> str:
    if progress is None:
        return ""
    unit, scale = ("MB", 1e6) if progress.unit == "bytes" else (progress.unit, 1.0)
    done = f"{progress.done / scale:,.0f}"
    total = f" of {progress.total / scale:,.0f}" if progress.total else ""
    rate = f" · {progress.rate / scale:,.0f}/s" if progress.rate else ""
    left = "" if progress.seconds_left is None else f" · {duration(progress.seconds_left)} left"
    return f"  {done}{total} {unit}{rate}{left}"


def duration(seconds: float) -> str:
    """Writes a length of time in words: `4 min 39 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
