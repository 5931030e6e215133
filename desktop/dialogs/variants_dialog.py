"""The variants of the case: use one, compare it with what is on screen, throw it away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.dialogs.buttons import plain_button
from desktop.operations.variant_operations import VariantItem
from desktop.panels.row_list import Row, RowList

_ABOUT = (
    "Using a variant analyses the file on screen again from what is kept, without decoding; the "
    "earlier results stay."
)


class VariantsDialog(QDialog):
    """Lists the pack as it is and the variants; stays open beside the window."""

    used = Signal(object)
    """The `VariantItem` that shall count."""

    compared = Signal(object)
    """The `VariantItem` whose scores shall be shown too."""

    discarded = Signal(object)
    """The `VariantItem` to be thrown away."""

    outdated = Signal(object)
    """What is listed may have changed."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Variants of the pack")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._items: tuple[VariantItem, ...] = ()
        self.list = RowList("Variants")
        about = QLabel(_ABOUT)
        about.setWordWrap(True)
        about.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(8)
        self.use = plain_button("&Use", lambda: self._give(self.used))
        self.use.setProperty("primary", True)
        self.compare = plain_button("&Compare", lambda: self._give(self.compared))
        self.discard = plain_button("&Throw away", lambda: self._give(self.discarded))
        for button in (self.discard, self.compare, self.use):
            row.addWidget(button)
        row.insertStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(about)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.list.selectionModel().currentChanged.connect(lambda *_places: self._allow())
        self.resize(480, 320)
        self._allow()

    def show_items(self, items: tuple[VariantItem, ...]) -> None:
        """Lists what there is now."""
        self._items = items
        self.list.set_rows([_row(one) for one in items])
        self._allow()

    def _selected(self) -> VariantItem | None:
        return next((one for one in self._items if one.id == self.list.selected), None)

    def _allow(self) -> None:
        item = self._selected()
        self.use.setEnabled(item is not None and not item.counts)
        self.compare.setEnabled(item is not None and not item.counts)
        self.discard.setEnabled(item is not None and item.id > 0)

    def _give(self, signal: SignalInstance) -> None:
        item = self._selected()
        if item is not None:
            signal.emit(item)


def _row(item: VariantItem) -> Row:
    used = "on screen" if item.counts else "used here" if item.run_id is not None else ""
    return Row(
        id=item.id,
        title=item.title,
        detail=item.said,
        right=used,
        icon="circle-check" if item.counts else "layers",
        said="on screen" if item.counts else "",
    )
