"""The audit log in the window: found by any word, read whole, written out with its head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QDialog

from desktop.dialogs.log_dialog import LogDialog
from desktop.dialogs.text_dialog import TextDialog
from desktop.dialogs.verify_dialog import VerifyDialog
from engine.case import Case
from engine.media import hash_file
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver

T = TypeVar("T", bound=QDialog)


def test_entries_are_found_read_and_written_with_the_head(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    target = tmp_path / "log.json"

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("case.log")
        driver.until(lambda: driver.window.findChild(LogDialog), "the log")
        dialog = driver.window.findChild(LogDialog)
        assert isinstance(dialog, LogDialog)
        rows = dialog.table.model()
        every = rows.rowCount()
        dialog.field.setText("RUN.finish")
        assert 0 < rows.rowCount() < every
        dialog.table.selectRow(0)
        assert "action: run.finish" in dialog.whole.toPlainText()
        dialog.write(target)
        assert str(target) in driver.window.notice.text
        dialog.write(tmp_path / "no folder" / "log.txt")
        assert "cannot be written" in driver.window.notice.text
        dialog.close()

    assert drive([str(sample_case)], script) == 0
    written = json.loads(target.read_text("utf-8"))
    assert [entry["action"] for entry in written["entries"]] == ["run.finish"]
    with Case.open(sample_case) as case:
        heads = {entry.hash for entry in case.audit.entries()}
    assert written["head"] in heads


def test_a_noted_head_and_other_hashes_are_compared(drive: Drive, sample_case: Path) -> None:
    with Case.open(sample_case) as case:
        recorded = case.audit.head
        video = case.evidence_path(case.evidence.all()[0])
    md5 = hash_file(video, ("md5",))["md5"]

    def visible(driver: Driver, kind: type[T]) -> list[T]:
        every = driver.window.findChildren(kind)
        return [dialog for dialog in every if isinstance(dialog, kind) and dialog.isVisible()]

    def compare(driver: Driver, head: str, also: bool) -> str:
        driver.do("case.compare")
        driver.until(lambda: visible(driver, VerifyDialog), "the question")
        dialog = visible(driver, VerifyDialog)[0]
        dialog.head.setText("12ab")
        dialog.buttons.accepted.emit()
        assert dialog.error.isVisible()
        dialog.head.setText(head)
        dialog.md5.setChecked(also)
        dialog.buttons.accepted.emit()
        driver.until(lambda: visible(driver, TextDialog), "the result")
        result = visible(driver, TextDialog)[0]
        text = result.text.toPlainText()
        result.close()
        return text

    def script(driver: Driver) -> None:
        driver.until_shown()
        text = compare(driver, recorded, also=True)
        assert "as they were recorded" in text
        assert md5 in text
        assert "the head that was noted is in it" in text
        text = compare(driver, "0" * 64, also=False)
        assert "written anew" in text
        assert "NOT in it" in text
        assert driver.window.integrity.text() == "Verification failed"

    assert drive([str(sample_case)], script) == 0
