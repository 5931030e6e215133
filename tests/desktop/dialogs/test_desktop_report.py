"""The report dialog: who is responsible, what is included, its pages, and the file."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtWidgets import QLabel

from desktop.dialogs.report_dialog import ReportDialog
from engine.case import Case
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


def opened(driver: Driver) -> ReportDialog:
    driver.until_shown()
    driver.do("case.report")
    driver.until(lambda: driver.window.findChild(ReportDialog), "the dialog")
    dialog = driver.window.findChild(ReportDialog)
    assert isinstance(dialog, ReportDialog)
    return dialog


def pages(dialog: ReportDialog) -> list[QLabel]:
    labels = dialog.pages.findChildren(QLabel)
    return [label for label in labels if isinstance(label, QLabel) and label.accessibleName()]


def test_pages_are_shown_before_anything_is_written(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        dialog = opened(driver)
        dialog.examiner.setText("Ada  Example ")
        dialog.preview.emit(dialog.only_tagged, dialog.info)
        driver.until(lambda: len(pages(dialog)) > 3, "the pages")
        assert pages(dialog)[0].pixmap().width() > 400
        dialog.close()

    assert drive([str(sample_case)], script) == 0
    with Case.open(sample_case) as case:
        assert case.info.get().examiner == "Ada Example"
        assert not case.exports.all()


def test_a_report_of_what_has_a_tag_is_written_and_named_with_its_hash(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "report.json"
    target.parent.mkdir()

    def script(driver: Driver) -> None:
        dialog = opened(driver)
        dialog.form.setCurrentIndex(dialog.form.findData("json"))
        assert dialog.path.text().endswith("report.json")
        dialog.path.setText(str(target))
        dialog.included.setCurrentIndex(1)
        dialog.accept()
        driver.until(lambda: "SHA-256" in driver.window.notice.text, "the report")
        assert str(target) in driver.window.notice.text

    assert drive([str(sample_case)], script) == 0
    written = json.loads(target.read_text("utf-8"))
    assert written["selection"] == "tagged"
    assert written["events"] == []
    assert written["details"]["examiner"] is None
