"""A list of two-line rows, shared by all panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from desktop.theme.icons import pixmap
from desktop.theme.stylesheet import figures

Index = QModelIndex | QPersistentModelIndex
_ROW_HEIGHT = 44  # pixels: two lines of text with some space around them
_PADDING = 8  # pixels at both sides of a row
_ICON_SIZE = 16  # pixels; the size of the window's other icons
_PICTURE = QSize(64, 36)


@dataclass(frozen=True)
class Row:
    """One row of a list.

    Attributes:
        id: by which the list selects and reports it.
        title: first line.
        detail: second line, in lighter text.
        right: short text at the right of the first line.
        icon: Lucide name.
        colour: of the icon as `#rrggbb`; empty for the theme's.
        icon_label: what a screen reader says for the icon.
        tip: tooltip; empty for the two lines.
        share: 0..1 for a bar under the row; None for none.
        picture: shown instead of the icon; None for none.
    """

    id: int
    title: str
    detail: str = ""
    right: str = ""
    icon: str = ""
    colour: str = ""
    icon_label: str = ""
    tip: str = ""
    share: float | None = None
    picture: QImage | None = None


class RowModel(QAbstractListModel):
    """The rows of a list; while their ids stay the same, selection and scroll position stay."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, top first."""
        return self._rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Shows other rows."""
        before, after = self._rows, tuple(rows)
        if [row.id for row in before] != [row.id for row in after]:
            self.beginResetModel()
            self._rows = after
            self.endResetModel()
            return
        self._rows = after
        changed = [index for index, row in enumerate(after) if row != before[index]]
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Returns how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Returns the text of a row for a role, or the `Row` itself as user data."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        words = [text for text in (row.title, row.icon_label, row.right, row.detail) if text]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join(words)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or "\n".join(text for text in (row.title, row.detail) if text)
        return None


class RowDelegate(QStyledItemDelegate):
    """Paints a row: icon, two lines, a short text at the right, a bar."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Returns the same height for all rows."""
        return QSize(120, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paints a row."""
        row = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, Row):
            return
        painter.save()
        area: QRect = option.rect
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        font: QFont = option.font
        if state & QStyle.StateFlag.State_Selected:
            # The list's own palette is paler while it has no focus; what is selected is not.
            chosen = QColor(QApplication.palette().color(QPalette.ColorRole.Highlight))
            painter.fillRect(area.left(), area.top(), 3, area.height(), chosen)
            chosen.setAlpha(60)
            painter.fillRect(area, chosen)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, palette.color(QPalette.ColorRole.Button))
        left = area.left() + _PADDING
        if row.picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRect(QPoint(left, area.top() + 4), _PICTURE), row.picture)
            left += _PICTURE.width() + _PADDING
        elif row.icon:
            ratio = painter.device().devicePixelRatioF()
            icon = pixmap(row.icon, _ICON_SIZE, row.colour, ratio)
            painter.drawPixmap(left, area.top() + 6, icon)
            left += _ICON_SIZE + _PADDING
        self._draw_lines(
            painter, row, area.adjusted(left - area.left(), 4, -_PADDING, -4), palette, font
        )
        if row.share is not None:
            bar = QRect(left, area.bottom() - 3, area.right() - _PADDING - left, 2)
            painter.fillRect(bar, palette.color(QPalette.ColorRole.Mid))
            bar.setWidth(round(bar.width() * min(1.0, max(0.0, row.share))))
            painter.fillRect(bar, palette.color(QPalette.ColorRole.Highlight))
        painter.restore()

    def _draw_lines(
        self, painter: QPainter, row: Row, area: QRect, palette: QPalette, font: QFont
    ) -> None:
        painter.setFont(figures(font))
        metrics = painter.fontMetrics()
        height = area.height() // 2
        first = QRect(area.left(), area.top(), area.width(), height)
        second = QRect(area.left(), area.top() + height, area.width(), height)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        right_width = metrics.horizontalAdvance(row.right) + _PADDING if row.right else 0
        painter.drawText(first, middle | Qt.AlignmentFlag.AlignRight, row.right)
        title_width = max(0, first.width() - right_width)
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(first, middle, metrics.elidedText(row.title, elide, title_width))
        # A widget's own palette has this role half transparent once it has a stylesheet.
        painter.setPen(QApplication.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(second, middle, metrics.elidedText(row.detail, elide, second.width()))


class RowList(QListView):
    """Shows rows; a click or Enter chooses one."""

    chosen = Signal(int)
    """Id of the row the examiner chose."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rows = RowModel()
        self.setModel(self.rows)
        self.setItemDelegate(RowDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setAccessibleName(name)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    @property
    def selected_id(self) -> int | None:
        """Id of the selected row; None when no row is selected."""
        row = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        return row.id if isinstance(row, Row) else None

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Shows other rows; the selected row and the scroll position stay."""
        selected_id, scroll_value = self.selected_id, self.verticalScrollBar().value()
        self.rows.set_rows(rows)
        if selected_id is not None:
            self.select(selected_id, reveal=False)
        self.verticalScrollBar().setValue(scroll_value)

    def select(self, row_id: int | None, reveal: bool = True) -> None:
        """Selects a row by id without choosing it; None selects none."""
        matches = [index for index, row in enumerate(self.rows.rows) if row.id == row_id]
        if not matches:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            return
        index = self.rows.index(matches[0])
        if index != self.currentIndex():
            self.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
        if reveal:
            self.scrollTo(index)

    def _choose(self, index: QModelIndex) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(row, Row):
            self.chosen.emit(row.id)
