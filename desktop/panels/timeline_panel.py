"""The panel of the timeline: words and one action while the case holds no evidence."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget

from desktop.panels.panel import EmptyState
from desktop.timeline.timeline import Timeline

_EMPTY = (
    "The time of the evidence will be here: pictures, the score of every frame, events, paths, "
    "bookmarks and what was watched. A click goes there, dragging scrubs, the wheel zooms."
)


class TimelinePanel(QStackedWidget):
    """Shows the timeline, or an empty state without evidence."""

    def __init__(self, timeline: Timeline, add: QAction) -> None:
        super().__init__()
        self.empty = EmptyState(_EMPTY, add)
        self._timeline = timeline
        self.addWidget(timeline)
        self.addWidget(self.empty)

    def set_empty(self, empty: bool) -> None:
        """Shows the empty state when there is no evidence."""
        self.setCurrentWidget(self.empty if empty else self._timeline)
        self._timeline.controls.setEnabled(not empty)
