"""Everything said in the case: found by words, or all that is about the moment on screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.panels.row_list import Row, RowList
from desktop.panels.short_times import span_text
from engine.case.case_search import Remark

_ICONS = {"event": "flag", "bookmark": "bookmark", "note": "sticky-note", "turn": "message-square"}
_MOST = 500
_SETTLE_MS = 120


class RemarksDialog(QDialog):
    """Searches events, bookmarks, notes, questions and answers.

    Args:
        remarks: everything that is said.
        names: of the evidence by id.
        moment: gives the evidence and stream time on screen; None when there is none.
        parent: the window.
    """

    chosen = Signal(object)
    """The `Remark` to go to."""

    def __init__(
        self,
        remarks: Sequence[Remark],
        names: Mapping[int, str],
        moment: Callable[[], tuple[int, float] | None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find in the case")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._remarks = tuple(remarks)
        self._names = dict(names)
        self._moment = moment
        self.field = QLineEdit()
        self.field.setPlaceholderText("Words of notes, questions, answers, reasons")
        self.field.setAccessibleName("Find in the case")
        self.field.setClearButtonEnabled(True)
        self.here = QCheckBox("Only what is said about the &moment on screen")
        self.list = RowList("What was found")
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLE_MS)
        self._settled.timeout.connect(self.fill)
        self.field.textChanged.connect(lambda _words: self._settled.start())
        self.here.toggled.connect(lambda _on: self.fill())
        self.list.chosen.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        for widget in (self.field, self.here, self.list, self.count):
            column.addWidget(widget)
        self.resize(640, 520)
        self.fill()

    def fill(self) -> None:
        """Lists what fits the words and the moment."""
        moment = self._moment() if self.here.isChecked() else None
        found = [
            (place, one)
            for place, one in enumerate(self._remarks)
            if one.has(self.field.text()) and (moment is None or one.at(*moment))
        ]
        self.list.set_rows([self._row(place, one) for place, one in found[:_MOST]])
        more = f", the first {_MOST} are listed" if len(found) > _MOST else ""
        self.count.setText(f"{len(found):,} of {len(self._remarks):,}{more}")

    def done(self, result: int) -> None:
        """Closes; nothing is left to happen."""
        self._settled.stop()
        super().done(result)

    def _row(self, place: int, one: Remark) -> Row:
        name = "the case" if one.evidence_id is None else self._names.get(one.evidence_id, "")
        when = "" if one.start_s is None else span_text(one.start_s, one.end_s or one.start_s)
        return Row(
            id=place,
            title=" ".join(one.text.split()) or "(no words)",
            detail=" · ".join(part for part in (one.kind, name, one.by) if part),
            right=when,
            icon=_ICONS[one.kind],
            said=one.kind,
            tip=one.text,
        )

    def _choose(self, place: int) -> None:
        self.chosen.emit(self._remarks[place])
