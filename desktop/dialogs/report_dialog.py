"""Asks what a report includes and who is responsible for it, and previews its pages."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.theme.controls import muted_label, push_button
from desktop.theme.layouts import column_of, row_of
from engine.case import CaseInfo

_FORMS = (
    ("PDF, to be signed", "pdf"),
    ("Web page (HTML)", "html"),
    ("Verification package (zip)", "zip"),
    ("Data (JSON)", "json"),
    ("Table of the events", "csv"),
)
_INCLUDED = ("all events", "only what has a tag")
_NO_PREVIEW = (
    "The pages will be shown here.\n\nEvidence is hashed and pictures are drawn for it; nothing "
    "leaves the case."
)
_RENDERING = "The pages are being set; the status bar of the window says how far it is."
_MAX_PAGES = 60  # in the preview, so that a long report does not fill the memory with images
_MIN_PAGE_WIDTH = 480  # pixels in which the text of a page can still be read
_SCROLL_BAR_WIDTH = 48  # pixels kept free beside a page for the scroll bar and margins


class ReportDialog(QDialog):
    """Asks about a report and shows its pages before it is written.

    Args:
        info: the case information so far.
        folder: in which the report is written unless another one is chosen.
        parent: the window.
    """

    write = Signal(object, bool, object)
    """Path of the report, whether only what has a tag is included, `CaseInfo`."""

    preview = Signal(bool, object)
    """Whether only what has a tag is included, `CaseInfo`."""

    def __init__(self, info: CaseInfo, folder: Path, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Report")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._folder = folder
        self.examiner = QLineEdit(info.examiner)
        self.examiner.setPlaceholderText("not given; the report will say so")
        self.organisation = QLineEdit(info.organisation)
        self.reference = QLineEdit(info.reference)
        self.included = QComboBox()
        self.included.addItems(list(_INCLUDED))
        self.form = QComboBox()
        for words, ending in _FORMS:
            self.form.addItem(words, ending)
        self.path = QLineEdit(str(folder / "report.pdf"))
        self.form.currentIndexChanged.connect(lambda _index: self._follow_form())
        self.pages = QScrollArea()
        self.pages.setWidgetResizable(True)
        self.pages.setAccessibleName("Pages of the report")
        self._show_text(_NO_PREVIEW)
        self._lay_out()
        self.resize(1040, 720)

    @property
    def info(self) -> CaseInfo:
        """Who is responsible, as typed."""
        fields = (self.examiner, self.organisation, self.reference)
        return CaseInfo(*(" ".join(field.text().split()) for field in fields))

    @property
    def only_tagged(self) -> bool:
        """Whether only what has a tag is included."""
        return self.included.currentIndex() == 1

    def show_pages(self, files: list[Path]) -> None:
        """Shows the pages that were rendered."""
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(8)
        width = max(_MIN_PAGE_WIDTH, self.pages.viewport().width() - _SCROLL_BAR_WIDTH)
        for number, file in enumerate(files[:_MAX_PAGES], 1):
            page = QLabel()
            page.setAccessibleName(f"Page {number}")
            picture = QPixmap(str(file))
            page.setPixmap(picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))
            column.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        remaining = len(files) - _MAX_PAGES
        if remaining > 0:
            column.addWidget(QLabel(f"{remaining:,} more pages stand in the report itself."))
        column.addStretch(1)
        self.pages.setWidget(content)

    def accept(self) -> None:
        """Closes and asks for the report to be written."""
        path = self.path.text().strip()
        if path:
            super().accept()
            self.write.emit(Path(path), self.only_tagged, self.info)

    def _lay_out(self) -> None:
        where = row_of((self.path, 1), push_button("Choose…", self._browse))
        form = QFormLayout()
        form.setSpacing(8)
        for words, field in (
            ("&Examiner", self.examiner),
            ("&Organisation", self.organisation),
            ("&Reference", self.reference),
            ("&Included", self.included),
            ("&Form", self.form),
        ):
            form.addRow(words, field)
        form.addRow("&File", where)
        label = form.labelForField(where)
        if isinstance(label, QLabel):
            label.setBuddy(self.path)
        write = push_button("&Write report", self.accept, primary=True)
        write.setDefault(True)
        close = push_button("Close", self.reject)
        buttons = row_of(push_button("&Preview", self._preview), None, close, write)
        left = column_of(form, None, buttons, spacing=16)
        margins = (16, 16, 16, 16)
        row_of((left, 2), (self.pages, 3), parent=self, margins=margins, spacing=16)

    def _show_text(self, text: str) -> None:
        label = muted_label(text, wraps=True)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setContentsMargins(16, 16, 16, 16)
        self.pages.setWidget(label)

    def _preview(self) -> None:
        self._show_text(_RENDERING)
        self.preview.emit(self.only_tagged, self.info)

    def _follow_form(self) -> None:
        ending = str(self.form.currentData())
        self.path.setText(str(Path(self.path.text()).with_suffix(f".{ending}")))

    def _browse(self) -> None:
        ending = str(self.form.currentData())
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Write the report", self.path.text(), f"{ending.upper()} (*.{ending})"
        )
        if chosen:
            self.path.setText(chosen)
