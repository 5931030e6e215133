"""A problem is shown whole before it is written, and nothing of the case is in it unasked."""

from __future__ import annotations

import logging
import sys
import zipfile
from pathlib import Path

from PySide6.QtWidgets import QPlainTextEdit

from desktop.app import _log_unexpected_errors
from desktop.dialogs.problem_dialog import ProblemDialog
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


def text_of(dialog: ProblemDialog, name: str) -> str:
    for index in range(dialog.pages.count()):
        page = dialog.pages.widget(index)
        if dialog.pages.tabText(index) == name and isinstance(page, QPlainTextEdit):
            return page.toPlainText()
    return ""


def test_what_is_shown_is_what_is_written(drive: Drive, sample_case: Path, tmp_path: Path) -> None:
    target = tmp_path / "problem.zip"

    def script(driver: Driver) -> None:
        driver.until_shown()
        logging.getLogger("desktop.test").error("frames of %s", sample_case)
        driver.do("help.problem")
        driver.until(lambda: driver.window.findChild(ProblemDialog), "the dialog")
        dialog = driver.window.findChild(ProblemDialog)
        assert isinstance(dialog, ProblemDialog)
        assert "ERROR desktop.test" in text_of(dialog, "window.log")
        assert str(sample_case) not in text_of(dialog, "window.log")
        dialog.whole.setChecked(True)
        assert str(sample_case) in text_of(dialog, "window.log")
        dialog.whole.setChecked(False)
        dialog.note.setPlainText("The picture stays black")
        assert text_of(dialog, "note.txt") == "The picture stays black\n"
        dialog.write(tmp_path / "no folder" / "problem.zip")
        assert "Cannot be written" in driver.window.notice.text
        assert dialog.isVisible()
        driver.window.notice.hide()
        dialog.write(target)
        assert "Nothing was sent" in driver.window.notice.text
        assert not dialog.isVisible()

    assert drive([str(sample_case)], script) == 0
    with zipfile.ZipFile(target) as archive:
        whole = b"".join(archive.read(name) for name in archive.namelist())
        assert archive.namelist()[0] == "note.txt"
    assert str(sample_case).encode() not in whole
    assert b"sample.mp4" not in whole


def test_what_nobody_foresaw_is_in_the_log(drive: Drive, sample_case: Path, home: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()

    assert drive([str(sample_case)], script) == 0
    before = sys.excepthook
    errors: list[BaseException] = []
    sys.excepthook = lambda _kind, error, _trace: errors.append(error)
    try:
        with _log_unexpected_errors():
            sys.excepthook(RuntimeError, RuntimeError("a surprise"), None)
    finally:
        sys.excepthook = before
    assert [str(error) for error in errors] == ["a surprise"]
    (log,) = home.rglob("window.log")
    assert "RuntimeError: a surprise" in log.read_text("utf-8")
