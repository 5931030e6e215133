"""The audit log of the case: a table to search, the whole of one entry, and export to a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHeaderView,
    QPlainTextEdit,
    QSplitter,
    QTableView,
    QWidget,
)

from desktop.dialogs.dialog_parts import dialog_column
from desktop.theme.controls import figures_label, line_field, push_button
from desktop.theme.layouts import row_of
from desktop.theme.stylesheet import figures, mono
from engine.case import AuditEntry
from engine.case.audit_text import details
from engine.core.errors import ResourceError

_COLUMNS = ("No.", "Time (UTC)", "Who", "What", "About", "Details")
_WIDTHS = (56, 150, 110, 150, 110)  # pixels of the columns but the last, which stretches
_FORMS = "JSON (*.json);;Text (*.txt)"


class LogDialog(QDialog):
    """Lists the entries of the audit log, newest last.

    Args:
        entries: of the log.
        head: of its chain.
        parent: the window.
    """

    wrote = Signal(object)
    """Path of the file that the log was written to."""

    failed = Signal(object)
    """A SightlineError: the file could not be written."""

    def __init__(self, entries: Sequence[AuditEntry], head: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Audit log")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._entries = tuple(entries)
        self._head = head
        self._rows = QSortFilterProxyModel(self)
        self._rows.setSourceModel(_LogModel(self._entries, self))
        self._rows.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._rows.setFilterKeyColumn(-1)
        hint = "Find: a name, an action such as run.finish, event:3"
        self.field = line_field("Find in the log", hint)
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._find)
        self.table = self._make_table()
        self.whole = QPlainTextEdit()
        self.whole.setReadOnly(True)
        self.whole.setFont(mono())
        self.whole.setAccessibleName("The chosen entry")
        self.count = figures_label()
        self._lay_out()
        self._find("")
        self.resize(960, 600)

    def write(self, path: Path) -> None:
        """Writes the entries that are listed, with the head of the chain."""
        listed = [self._entries[row] for row in self._listed_rows()]
        if path.suffix == ".txt":
            lines = [f"{entry.seq}  {entry.utc}  {entry.actor}  {entry.action} {entry.object}  "
                     f"{details(entry)}  {entry.hash}" for entry in listed]  # fmt: skip
            text = "\n".join([*lines, f"head {self._head}", ""])
        else:
            log = {"entries": [entry.__dict__ for entry in listed], "head": self._head}
            text = json.dumps({**log, "count": len(self._entries)}, indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            what = f"the log cannot be written ({error.strerror})"
            self.failed.emit(ResourceError(what, path, "choose another place"))
        else:
            self.wrote.emit(path)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setAccessibleName("Entries of the audit log")
        table.setModel(self._rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setAlternatingRowColors(True)
        table.setFont(figures(table.font()))
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        for column, width in enumerate(_WIDTHS):
            table.setColumnWidth(column, width)
        header.setSectionResizeMode(len(_WIDTHS), QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentChanged.connect(self._show)
        return table

    def _lay_out(self) -> None:
        write = push_button("Write to a file…", self._ask_where)
        close = push_button("Close", self.reject)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.whole)
        split.setSizes([420, 140])
        dialog_column(self, self.field, (split, 1), row_of((self.count, 1), write, close))

    def _listed_rows(self) -> list[int]:
        model = self._rows
        return [model.mapToSource(model.index(n, 0)).row() for n in range(model.rowCount())]

    def _find(self, words: str) -> None:
        self._rows.setFilterFixedString(words.strip())
        self.count.setText(
            f"{self._rows.rowCount():,} of {len(self._entries):,} entries · head {self._head}"
        )
        self.table.scrollToBottom()

    def _show(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            entry = self._entries[self._rows.mapToSource(index).row()]
            self.whole.setPlainText(
                "\n".join(f"{name}: {value}" for name, value in entry.__dict__.items())
            )

    def _ask_where(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Write the log", "audit-log.json", _FORMS)
        if chosen:
            self.write(Path(chosen))


class _LogModel(QAbstractTableModel):
    def __init__(self, entries: Sequence[AuditEntry], parent: QWidget) -> None:
        super().__init__(parent)
        self._cells = [
            (str(entry.seq), entry.utc[:19].replace("T", " "), entry.actor, entry.action,
             entry.object, details(entry))
            for entry in entries
        ]  # fmt: skip

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Returns how many entries there are."""
        return 0 if parent.isValid() else len(self._cells)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Returns how many columns there are."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401
        """Returns the text of a cell; its tip is the same, for what does not fit."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._cells[index.row()][index.column()]
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401
        """Returns the names of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None
