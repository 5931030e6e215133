"""The case search: by words, and all that is about the moment on screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QWidget

from desktop.dialogs.dialog_parts import dialog_column
from desktop.panels.row_list import Row, RowList
from desktop.panels.short_times import span_text
from desktop.state.delayed_call import delayed_call
from desktop.theme.controls import line_field, muted_label
from engine.case.case_search import CaseText

_ICONS = {"event": "flag", "bookmark": "bookmark", "note": "sticky-note", "turn": "message-square"}
_MAX_HITS = 500  # listed at once, so that the list fills without a pause; a choice
_TYPING_PAUSE_MS = 120  # after the last letter before the search, so that typing never waits


class CaseSearchDialog(QDialog):
    """Searches events, bookmarks, notes, questions and answers.

    Args:
        texts: everything in the case that can be found.
        names: of the evidence by id.
        moment: returns evidence id and stream time on screen; None when there is none.
        parent: the window.
    """

    chosen = Signal(object)
    """The `CaseText` to go to."""

    def __init__(
        self,
        texts: Sequence[CaseText],
        names: Mapping[int, str],
        moment: Callable[[], tuple[int, float] | None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find in the case")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._texts = tuple(texts)
        self._names = dict(names)
        self._moment = moment
        self.field = line_field("Find in the case", "Words of notes, questions, answers, reasons")
        self.field.setClearButtonEnabled(True)
        self.here = QCheckBox("Only at the current &moment")
        self.list = RowList("What was found")
        self.count = muted_label()
        self._pause = delayed_call(self, _TYPING_PAUSE_MS, self.fill)
        self.field.textChanged.connect(lambda _words: self._pause.start())
        self.here.toggled.connect(lambda _on: self.fill())
        self.list.chosen.connect(self._choose)
        self.finished.connect(lambda _result: self._pause.stop())
        dialog_column(self, self.field, self.here, self.list, self.count)
        self.resize(640, 520)
        self.fill()

    def fill(self) -> None:
        """Lists the hits that match the words and the moment."""
        moment = self._moment() if self.here.isChecked() else None
        hits = [
            (index, text)
            for index, text in enumerate(self._texts)
            if text.has_words(self.field.text()) and (moment is None or text.is_about(*moment))
        ]
        self.list.set_rows([self._row(index, hit) for index, hit in hits[:_MAX_HITS]])
        more = f", the first {_MAX_HITS} are listed" if len(hits) > _MAX_HITS else ""
        self.count.setText(f"{len(hits):,} of {len(self._texts):,}{more}")

    def _row(self, index: int, hit: CaseText) -> Row:
        name = "the case" if hit.evidence_id is None else self._names.get(hit.evidence_id, "")
        when = "" if hit.start_s is None else span_text(hit.start_s, hit.end_s or hit.start_s)
        return Row(
            id=index,
            title=" ".join(hit.text.split()) or "(no words)",
            detail=" · ".join(part for part in (hit.kind, name, hit.by) if part),
            right=when,
            icon=_ICONS[hit.kind],
            icon_label=hit.kind,
            tip=hit.text,
        )

    def _choose(self, index: int) -> None:
        self.chosen.emit(self._texts[index])
