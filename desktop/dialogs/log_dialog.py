"""The audit log of the case: everything that was done, searched, read whole, and written out."""

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
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.theme.stylesheet import figures, mono
from engine.case import AuditEntry
from engine.case.audit_text import details
from engine.core.errors import ResourceError

_HEADS = ("No.", "Time (UTC)", "Who", "What", "About", "Details")
_WIDTHS = (56, 150, 110, 150, 110)
_KINDS = "JSON (*.json);;Text (*.txt)"


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
        self._rows.setSourceModel(_Entries(self._entries, self))
        self._rows.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._rows.setFilterKeyColumn(-1)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find: a name, an action such as run.finish, event:3")
        self.field.setAccessibleName("Find in the log")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._find)
        self.table = self._made_table()
        self.whole = QPlainTextEdit()
        self.whole.setReadOnly(True)
        self.whole.setFont(mono())
        self.whole.setAccessibleName("The chosen entry")
        self.count = QLabel()
        self.count.setFont(figures(self.count.font()))
        self._lay_out()
        self._find("")
        self.resize(960, 600)

    def write(self, path: Path) -> None:
        """Writes the entries that are listed, with the head of the chain."""
        listed = [self._entries[row] for row in self._listed()]
        if path.suffix == ".txt":
            lines = [f"{one.seq}  {one.utc}  {one.actor}  {one.action} {one.object}  "
                     f"{details(one)}  {one.hash}" for one in listed]  # fmt: skip
            text = "\n".join([*lines, f"head {self._head}", ""])
        else:
            said = {"entries": [one.__dict__ for one in listed], "head": self._head}
            text = json.dumps({**said, "count": len(self._entries)}, indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            why = f"the log cannot be written ({error.strerror})"
            self.failed.emit(ResourceError(why, path, "choose another place"))
        else:
            self.wrote.emit(path)

    def _made_table(self) -> QTableView:
        table = QTableView()
        table.setAccessibleName("Entries of the audit log")
        table.setModel(self._rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setAlternatingRowColors(True)
        table.setFont(figures(table.font()))
        table.verticalHeader().hide()
        heads = table.horizontalHeader()
        for column, width in enumerate(_WIDTHS):
            table.setColumnWidth(column, width)
        heads.setSectionResizeMode(len(_WIDTHS), QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentChanged.connect(self._show)
        return table

    def _lay_out(self) -> None:
        write = QPushButton("Write to a file…")
        write.clicked.connect(self._ask_where)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.whole)
        split.setSizes([420, 140])
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.count, 1)
        row.addWidget(write)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(split, 1)
        column.addLayout(row)

    def _listed(self) -> list[int]:
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
        chosen, _ = QFileDialog.getSaveFileName(self, "Write the log", "audit-log.json", _KINDS)
        if chosen:
            self.write(Path(chosen))


class _Entries(QAbstractTableModel):
    def __init__(self, entries: Sequence[AuditEntry], parent: QWidget) -> None:
        super().__init__(parent)
        self._cells = [
            (str(one.seq), one.utc[:19].replace("T", " "), one.actor, one.action, one.object,
             details(one))
            for one in entries
        ]  # fmt: skip

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Returns how many entries there are."""
        return 0 if parent.isValid() else len(self._cells)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Returns how many columns there are."""
        return 0 if parent.isValid() else len(_HEADS)

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
            return _HEADS[section]
        return None
