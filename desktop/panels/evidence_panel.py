"""The evidence of the case, with integrity, progress and warnings."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.state.evidence_item import EvidenceItem
from desktop.theme.controls import muted_label
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.times import format_time

_EMPTY = (
    "The videos of the case will be listed here, each with its hash, its state and its events.\n\n"
    "Drop videos or folders on the window, or add some:"
)
_MAX_WARNINGS_HEIGHT = 84  # pixels, four lines; more warnings scroll
_MENU = {
    "Analyse or resume": "analyse",
    "Set the burned-in clock…": "clock",
    "Locate file…": "relink",
    "Move up": "up",
    "Move down": "down",
}
_INTEGRITY = {
    "hashing": ("film", "", "hash and index in progress"),
    "recorded": ("shield-question", "", "hash recorded"),
    "verified": ("shield-check", "good", "verified"),
    "changed": ("shield-alert", "danger", "changed since it was added"),
    "missing": ("file-question-mark", "danger", "not found"),
}


class EvidencePanel(Panel):
    """Lists the evidence; a click opens it."""

    action_requested = Signal(str, int)
    """`analyse`, `clock`, `relink`, `up` or `down`, and the id of the evidence."""

    def __init__(self, add: QAction) -> None:
        super().__init__("Evidence", _EMPTY, add)
        self._tokens = DARK
        self._items: tuple[EvidenceItem, ...] = ()
        self._shown_id = 0
        self._warnings = muted_label(wraps=True)
        self._warnings.setTextFormat(Qt.TextFormat.PlainText)
        self._warnings.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._warnings_area = QScrollArea()
        self._warnings_area.setWidgetResizable(True)
        self._warnings_area.setFrameShape(QFrame.Shape.NoFrame)
        self._warnings_area.setProperty("role", "empty")
        self._warnings_area.setWidget(self._warnings)
        self.add_below(self._warnings_area)
        self.set_row_menu(
            {text: partial(self.action_requested.emit, name) for text, name in _MENU.items()}
        )

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens = tokens
        self.set_items(self._items)

    def set_items(self, items: tuple[EvidenceItem, ...]) -> None:
        """Shows the evidence."""
        self._items = items
        self.list.set_rows([self._row(item) for item in items])
        self.list.select(self._shown_id, reveal=False)
        self._show_warnings()

    def select_shown(self, evidence_id: int) -> None:
        """Selects the evidence that is shown; 0 for none."""
        self._shown_id = evidence_id
        self.list.select(evidence_id)
        self._show_warnings()

    @property
    def warnings(self) -> str:
        """The warnings about the evidence that is shown."""
        return self._warnings.text()

    def _show_warnings(self) -> None:
        warnings = next((item.warnings for item in self._items if item.id == self._shown_id), ())
        self._warnings.setText("\n".join(f"⚠ {warning}" for warning in warnings))
        self._warnings_area.setVisible(bool(warnings))
        self._fit_warnings()

    def _fit_warnings(self) -> None:
        """Gives the warnings the height they need, up to a limit; beyond it they scroll."""
        width = self._warnings_area.viewport().width()
        self._warnings_area.setFixedHeight(
            min(_MAX_WARNINGS_HEIGHT, self._warnings.heightForWidth(width) + 2)
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits the warnings to the new width."""
        super().resizeEvent(event)
        self._fit_warnings()

    def _row(self, item: EvidenceItem) -> Row:
        icon, role, integrity = _INTEGRITY[item.integrity]
        reviewed = item.events - item.unseen
        percent = f" {item.progress:.0%}" if item.progress is not None else ""
        words = [f"{item.run_state}{percent}"]
        if item.run_state == "analysed":
            words = [
                f"{reviewed} of {item.events} reviewed" if item.events else "analysed, no event"
            ]
        if item.integrity in ("changed", "missing"):
            words.insert(0, integrity)
        elif item.integrity == "verified":
            words.append(integrity)
        count = len(item.warnings)
        warnings = f"{count} warning{'s' if count > 1 else ''}" if count else ""
        tip = "\n".join([item.path, f"{item.run_state}{percent}", integrity, *item.warnings])
        return Row(
            id=item.id,
            title=item.name,
            detail=" · ".join(word for word in (*words, warnings) if word),
            right="" if item.duration_s is None else format_time(item.duration_s)[:8],
            icon=icon,
            colour=getattr(self._tokens, role) if role else "",
            icon_label=integrity,
            tip=tip,
            share=item.progress,
        )
