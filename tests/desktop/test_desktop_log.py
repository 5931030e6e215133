"""The audit log in the window: found by any word, read whole, written out with its head."""

from __future__ import annotations

import json
from pathlib import Path

from desktop.dialogs.log import LogDialog
from engine.cases import Case
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


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
    assert [one["action"] for one in written["entries"]] == ["run.finish"]
    with Case.open(sample_case) as case:
        heads = {one.hash for one in case.audit.entries()}
    assert written["head"] in heads
