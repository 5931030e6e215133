"""Case search: words lead to their moment, and a moment to all texts about it."""

from __future__ import annotations

from pathlib import Path

from desktop.dialogs.search_dialog import CaseSearchDialog
from desktop.dialogs.text_dialog import TextDialog
from engine.case import Case, NewBookmark, NewNote
from engine.case.case_search import texts_of
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


def _dialog(driver: Driver, command: str) -> CaseSearchDialog:
    driver.do(command)
    driver.until(lambda: driver.window.findChild(CaseSearchDialog), "the dialog")
    dialog = driver.window.findChild(CaseSearchDialog)
    assert isinstance(dialog, CaseSearchDialog)
    return dialog


def test_words_lead_to_their_moment_and_a_moment_to_its_words(
    drive: Drive, sample_case: Path
) -> None:
    with Case.open(sample_case, write=True) as case, case.change() as change:
        change.bookmarks.add(NewBookmark(1, 1, 50, 60, 25600, 30720, 2.0, 2.4, "Blue JACKET"))
        change.notes.add(NewNote("evidence:1", "a blue bin", 1, 51200, 4.0))
        change.notes.add(NewNote("case", "nothing to do with it"))

    def script(driver: Driver) -> None:
        driver.until_shown()
        dialog = _dialog(driver, "go.find")
        rows = dialog.list.rows
        dialog.field.setText("jacket blue")
        dialog.fill()
        assert [row.title for row in rows.rows] == ["Blue JACKET"]
        dialog.list.chosen.emit(rows.rows[0].id)
        driver.until_exact()
        assert driver.shown.seconds == 2.0
        dialog.field.setText("")
        dialog.here.setChecked(True)
        assert [row.title for row in rows.rows] == ["Blue JACKET"]
        dialog.close()

    assert drive([str(sample_case)], script) == 0


def test_everything_said_is_there_in_order_of_time(sample_case: Path) -> None:
    with Case.open(sample_case, write=True) as case:
        with case.change() as change:
            change.notes.add(NewNote("case", "about the case"))
            change.notes.add(NewNote("event:1", "early", 1, 0, 0.1))
        texts = texts_of(case)
    assert [text.kind for text in texts] == ["note", "event", "note"]
    assert texts[1].has_words("usual SPEED scene")
    assert not texts[1].has_words("usual elephant")
    assert texts[1].is_about(1, texts[1].start_s or 0.0)
    assert not texts[2].is_about(1, 0.1)


def test_properties_of_the_evidence_tell_hash_times_and_what_the_container_says(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("evidence.properties")
        driver.until(lambda: driver.window.findChild(TextDialog), "the dialog")
        dialog = driver.window.findChild(TextDialog)
        assert isinstance(dialog, TextDialog)
        properties = " ".join(dialog.text.toPlainText().split())
        assert driver.view.evidence.sha256 in properties
        for words in ("Found changed never", "h264", "250 frames", "as recorded in the file"):
            assert words in properties
        dialog.close()

    assert drive([str(sample_case)], script) == 0
