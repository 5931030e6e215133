"""A problem report: everything that it would contain is shown before it is written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QTabWidget,
    QWidget,
)

from desktop.dialogs.dialog_parts import dialog_column
from desktop.theme.stylesheet import mono
from engine.core.errors import SightlineError
from engine.core.problem_report import problem_files, with_note, write_problem

_ABOUT = (
    "Sightline sends nothing. It writes a file that you may pass on, and shows here all that will "
    "be in it. There is no evidence in it, no path, and no name of a file, a case or a person, "
    "unless you tick it or write it."
)
_NOTE_HEIGHT = 88  # pixels of the note, about four lines


class ProblemDialog(QDialog):
    """Asks what happened, shows every file that would be written, and writes them as a zip.

    Args:
        parent: window it belongs to.

    Attributes:
        note: what happened, in the user's words.
        whole: whether the logs are included without removing paths and names.
        pages: one page for each file.
    """

    wrote = Signal(object)
    """Path of the file."""

    failed = Signal(object)
    """A SightlineError."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Report a problem")
        self.setModal(False)
        about = QLabel(_ABOUT)
        about.setWordWrap(True)
        label = QLabel("&What happened? What did you expect?")
        self.note = QPlainTextEdit()
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(_NOTE_HEIGHT)
        label.setBuddy(self.note)
        self.whole = QCheckBox("Include &full logs (with paths and names)")
        self.pages = QTabWidget()
        self.pages.setAccessibleName("What will be written")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        write = self.buttons.addButton("Write…", QDialogButtonBox.ButtonRole.AcceptRole)
        write.setProperty("primary", True)
        write.setDefault(True)
        self.buttons.accepted.connect(self._ask)
        self.buttons.rejected.connect(self.reject)
        self.note.textChanged.connect(self._show_files)
        self.whole.toggled.connect(self._read_logs)
        dialog_column(self, about, label, self.note, self.whole, (self.pages, 1), self.buttons)
        self.resize(760, 600)
        self._files: dict[str, str] = {}
        self._read_logs()

    def write(self, path: Path) -> None:
        """Writes the files on screen."""
        try:
            write_problem(path, self._files)
        except SightlineError as error:
            self.failed.emit(error)
            return
        self.wrote.emit(path)
        self.accept()

    def _read_logs(self) -> None:
        self._logs = problem_files(self.whole.isChecked())
        self._show_files()

    def _show_files(self) -> None:
        self._files = with_note(self._logs, self.note.toPlainText())
        current = self.pages.tabText(self.pages.currentIndex())
        # A page of which only the text changed stays, so that typing never scrolls what is read.
        names = list(self._files)
        if [self.pages.tabText(index) for index in range(self.pages.count())] != names:
            while self.pages.count():
                page = self.pages.widget(0)
                self.pages.removeTab(0)
                if page is not None:
                    page.deleteLater()
            for name in names:
                self.pages.addTab(_page(name), name)
            self.pages.setCurrentIndex(names.index(current) if current in names else 0)
        for index, text in enumerate(self._files.values()):
            page = self.pages.widget(index)
            if isinstance(page, QPlainTextEdit) and page.toPlainText() != text:
                page.setPlainText(text)

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Report a problem", "sightline-problem.zip", "Zip (*.zip)"
        )
        if chosen:
            self.write(Path(chosen))


def _page(name: str) -> QPlainTextEdit:
    page = QPlainTextEdit()
    page.setReadOnly(True)
    page.setFont(mono())
    page.setAccessibleName(name)
    return page
