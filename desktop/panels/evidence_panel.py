"""The evidence of the case."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QScrollArea

from desktop.panels.panel import Panel
from desktop.panels.row_list import Row
from desktop.state.evidence_item import EvidenceItem
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.times import format_time

_EMPTY = (
    "The videos of the case will be listed here, each with its hash, its state and its events.\n\n"
    "Drop videos or folders on the window, or add some:"
)
_WARNINGS = 84
_INTEGRITY = {
    "hashing": ("film", "", "hash and index in progress"),
    "recorded": ("shield-question", "", "hash recorded"),
    "verified": ("shield-check", "good", "verified"),
    "changed": ("shield-alert", "danger", "changed since it was added"),
    "missing": ("file-question-mark", "danger", "not found"),
}


class EvidencePanel(Panel):
    """Lists the evidence; a click opens it."""

    asked = Signal(str, int)
    """`analyse`, `relink`, `clock`, `up` or `down`, and the evidence's id."""

    def __init__(self, add: QAction) -> None:
        super().__init__("Evidence", _EMPTY, add)
        self._tokens = DARK
        self._items: tuple[EvidenceItem, ...] = ()
        self._shown_id = 0
        self._warnings = QLabel()
        self._warnings.setWordWrap(True)
        self._warnings.setTextFormat(Qt.TextFormat.PlainText)
        self._warnings.setProperty("role", "muted")
        self._warnings.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._room = QScrollArea()
        self._room.setWidgetResizable(True)
        self._room.setFrameShape(QFrame.Shape.NoFrame)
        self._room.setProperty("role", "empty")
        self._room.setWidget(self._warnings)
        self.add_below(self._room)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens = tokens
        self.set_items(self._items)

    def set_items(self, items: tuple[EvidenceItem, ...]) -> None:
        """Shows the evidence."""
        self._items = items
        self.list.set_rows([self._row(one) for one in items])
        self.list.select(self._shown_id, reveal=False)
        self._say_warnings()

    def mark_shown(self, evidence_id: int) -> None:
        """Selects the evidence that is shown; 0 for none."""
        self._shown_id = evidence_id
        self.list.select(evidence_id)
        self._say_warnings()

    @property
    def warnings(self) -> str:
        """What is said about the conditions of the evidence that is shown."""
        return self._warnings.text()

    def _say_warnings(self) -> None:
        said = next((one.warnings for one in self._items if one.id == self._shown_id), ())
        self._warnings.setText("\n".join(f"⚠ {one}" for one in said))
        self._room.setVisible(bool(said))
        self._fit_warnings()

    def _fit_warnings(self) -> None:
        """Gives the warnings the height they need, up to a limit; beyond it they scroll."""
        width = self._room.viewport().width()
        self._room.setFixedHeight(min(_WARNINGS, self._warnings.heightForWidth(width) + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits the warnings to the new width."""
        super().resizeEvent(event)
        self._fit_warnings()

    def _row(self, item: EvidenceItem) -> Row:
        name, role, said = _INTEGRITY[item.integrity]
        done = item.events - item.unseen
        percent = f" {item.progress:.0%}" if item.progress is not None else ""
        words = [f"{item.run_state}{percent}"]
        if item.run_state == "analysed":
            words = [f"{done} of {item.events} reviewed" if item.events else "analysed, no event"]
        if item.integrity in ("changed", "missing"):
            words.insert(0, said)
        elif item.integrity == "verified":
            words.append(said)
        count = len(item.warnings)
        warnings = f"{count} warning{'s' if count > 1 else ''}" if count else ""
        tip = "\n".join([item.path, f"{item.run_state}{percent}", said, *item.warnings])
        return Row(
            id=item.id,
            title=item.name,
            detail=" · ".join(word for word in (*words, warnings) if word),
            right="" if item.duration_s is None else format_time(item.duration_s)[:8],
            icon=name,
            colour=getattr(self._tokens, role) if role else "",
            said=said,
            tip=tip,
            share=item.progress,
        )

    def _menu(self, place: QPoint) -> None:
        row = self.list.indexAt(place).data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, Row) or row.id < 0:
            return
        menu = QMenu(self)
        for name, text in (
            ("analyse", "Analyse, or go on"),
            ("clock", "Set the burned-in clock…"),
            ("relink", "Say where the file lies now…"),
            ("up", "Move up"),
            ("down", "Move down"),
        ):
            action = menu.addAction(text)
            action.triggered.connect(lambda _on=False, name=name: self.asked.emit(name, row.id))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(place))
