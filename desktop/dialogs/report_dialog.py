"""What a report includes, who is responsible for it, how it will look, and where it lies."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.case import CaseDetails

_FORMS = (
    ("PDF, to be signed", "pdf"),
    ("One page for a browser", "html"),
    ("Everything the other side needs to repeat it", "zip"),
    ("Data, for programs", "json"),
    ("Table of the events", "csv"),
)
_INCLUDED = ("all events", "only what has a tag")
_NO_PREVIEW = (
    "The pages will be shown here.\n\nEvidence is hashed and pictures are drawn for it; nothing "
    "leaves the case."
)
_SETTING = "The pages are being set; the status bar of the window says how far it is."
_MOST_PAGES = 60
_LEAST_WIDTH = 480
_BESIDE = 48


class ReportDialog(QDialog):
    """Asks about a report and shows its pages before it is written.

    Args:
        details: what the case knows about who is responsible.
        folder: where reports lie unless another place is chosen.
        parent: the window.
    """

    write = Signal(object, bool, object)
    """Path of the report, whether only what has a tag is included, `CaseDetails`."""

    preview = Signal(bool, object)
    """Whether only what has a tag is included, `CaseDetails`."""

    def __init__(self, details: CaseDetails, folder: Path, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Report")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._folder = folder
        self.examiner = QLineEdit(details.examiner)
        self.examiner.setPlaceholderText("not given; the report will say so")
        self.organisation = QLineEdit(details.organisation)
        self.reference = QLineEdit(details.reference)
        self.included = QComboBox()
        self.included.addItems(list(_INCLUDED))
        self.form = QComboBox()
        for words, ending in _FORMS:
            self.form.addItem(words, ending)
        self.place = QLineEdit(str(folder / "report.pdf"))
        self.form.currentIndexChanged.connect(lambda _place: self._follow_form())
        self.pages = QScrollArea()
        self.pages.setWidgetResizable(True)
        self.pages.setAccessibleName("Pages of the report")
        self._say(_NO_PREVIEW)
        self._lay_out()
        self.resize(1040, 720)

    @property
    def details(self) -> CaseDetails:
        """Who is responsible, as typed."""
        fields = (self.examiner, self.organisation, self.reference)
        return CaseDetails(*(" ".join(one.text().split()) for one in fields))

    @property
    def tagged(self) -> bool:
        """Whether only what has a tag is included."""
        return self.included.currentIndex() == 1

    def show_pages(self, files: list[Path]) -> None:
        """Shows the pages that were set."""
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(8)
        width = max(_LEAST_WIDTH, self.pages.viewport().width() - _BESIDE)
        for number, file in enumerate(files[:_MOST_PAGES], 1):
            page = QLabel()
            page.setAccessibleName(f"Page {number}")
            picture = QPixmap(str(file))
            page.setPixmap(picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))
            column.addWidget(page, 0, Qt.AlignmentFlag.AlignHCenter)
        left = len(files) - _MOST_PAGES
        if left > 0:
            column.addWidget(QLabel(f"{left:,} more pages stand in the report itself."))
        column.addStretch(1)
        self.pages.setWidget(content)

    def accept(self) -> None:
        """Has the report written."""
        place = self.place.text().strip()
        if place:
            super().accept()
            self.write.emit(Path(place), self.tagged, self.details)

    def _lay_out(self) -> None:
        browse = QPushButton("Choose…")
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.setSpacing(8)
        where.addWidget(self.place, 1)
        where.addWidget(browse)
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
            label.setBuddy(self.place)
        preview = QPushButton("&Preview")
        preview.clicked.connect(self._preview)
        write = QPushButton("&Write report")
        write.setProperty("primary", True)
        write.setDefault(True)
        write.clicked.connect(self.accept)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(preview)
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(write)
        left = QVBoxLayout()
        left.setSpacing(16)
        left.addLayout(form)
        left.addStretch(1)
        left.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(16)
        row.addLayout(left, 2)
        row.addWidget(self.pages, 3)

    def _say(self, words: str) -> None:
        said = QLabel(words)
        said.setWordWrap(True)
        said.setProperty("role", "muted")
        said.setAlignment(Qt.AlignmentFlag.AlignTop)
        said.setContentsMargins(16, 16, 16, 16)
        self.pages.setWidget(said)

    def _preview(self) -> None:
        self._say(_SETTING)
        self.preview.emit(self.tagged, self.details)

    def _follow_form(self) -> None:
        ending = str(self.form.currentData())
        self.place.setText(str(Path(self.place.text()).with_suffix(f".{ending}")))

    def _browse(self) -> None:
        ending = str(self.form.currentData())
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Write the report", self.place.text(), f"{ending.upper()} (*.{ending})"
        )
        if chosen:
            self.place.setText(chosen)
