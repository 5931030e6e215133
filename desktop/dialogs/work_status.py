"""Long work in the status bar: what, how far, how fast, how long still, and Cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from desktop.session.engine_work import WorkItem
from desktop.theme.stylesheet import figures
from engine.core.progress import Progress

_THOUSAND = 1000


class WorkStatus(QWidget):
    """Shows the first piece of work, and how many wait behind it."""

    cancelled = Signal()
    """The examiner wants the work in progress to stop."""

    def __init__(self) -> None:
        super().__init__()
        self._text = QLabel()
        self._text.setFont(figures(self._text.font()))
        self._bar = QProgressBar()
        self._bar.setFixedWidth(160)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._cancel = QPushButton("Cancel")
        self._cancel.setToolTip("Stop the work in progress; what was committed is kept (Ctrl+.)")
        self._cancel.clicked.connect(self.cancelled)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(8)
        row.addWidget(self._text)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)
        row.addStretch(1)
        self.show_work((), None)

    @property
    def text(self) -> str:
        """What it says."""
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
            self._bar.setRange(0, _THOUSAND)
            self._bar.setValue(round(_THOUSAND * min(1.0, progress.done / progress.total)))


def _how_far(progress: Progress | None) -> str:
    if progress is None:
        return ""
    unit, scale, form = progress.unit, 1.0, "{:,.0f}"
    if unit == "bytes":
        unit, scale, form = "MB", 1e6, "{:,.0f}"
    done = form.format(progress.done / scale)
    total = f" of {form.format(progress.total / scale)}" if progress.total else ""
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
