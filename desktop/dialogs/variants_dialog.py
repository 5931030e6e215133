"""The variants of the case: use one, compare it with what is on screen, delete it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QDialog, QWidget

from desktop.dialogs.dialog_parts import dialog_column, plain_button
from desktop.operations.variant_operations import VariantItem
from desktop.panels.row_list import Row, RowList
from desktop.theme.controls import muted_label
from desktop.theme.layouts import row_of

_ABOUT = (
    "Using a variant analyses the file on screen again from what is kept, without decoding; the "
    "earlier results stay."
)


class VariantsDialog(QDialog):
    """Lists the original pack and the variants; stays open beside the window."""

    use_requested = Signal(object)
    """The `VariantItem` that is to be used."""

    comparison_requested = Signal(object)
    """The `VariantItem` whose scores are to be shown too."""

    deletion_requested = Signal(object)
    """The `VariantItem` to be deleted."""

    outdated = Signal(object)
    """The list may have changed."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Variants of the pack")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._items: tuple[VariantItem, ...] = ()
        self.list = RowList("Variants")
        self.use = plain_button("&Use", lambda: self._emit(self.use_requested), primary=True)
        self.compare = plain_button("&Compare", lambda: self._emit(self.comparison_requested))
        self.delete = plain_button("&Delete variant", lambda: self._emit(self.deletion_requested))
        row = row_of(self.delete, None, self.compare, self.use)
        dialog_column(self, muted_label(_ABOUT, wraps=True), (self.list, 1), row)
        self.list.selectionModel().currentChanged.connect(lambda *_indexes: self._enable_buttons())
        self.resize(480, 320)
        self._enable_buttons()

    def show_items(self, items: tuple[VariantItem, ...]) -> None:
        """Lists the variants."""
        self._items = items
        self.list.set_rows([_row(item) for item in items])
        self._enable_buttons()

    def _selected_item(self) -> VariantItem | None:
        return next((item for item in self._items if item.id == self.list.selected_id), None)

    def _enable_buttons(self) -> None:
        item = self._selected_item()
        self.use.setEnabled(item is not None and not item.is_current)
        self.compare.setEnabled(item is not None and not item.is_current)
        self.delete.setEnabled(item is not None and item.id > 0)

    def _emit(self, signal: SignalInstance) -> None:
        item = self._selected_item()
        if item is not None:
            signal.emit(item)


def _row(item: VariantItem) -> Row:
    state = "on screen" if item.is_current else "used here" if item.run_id is not None else ""
    return Row(
        id=item.id,
        title=item.title,
        detail=item.description,
        right=state,
        icon="circle-check" if item.is_current else "layers",
        icon_label="on screen" if item.is_current else "",
    )
