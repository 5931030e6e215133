"""Finding: words lead to their moment, and a moment to all that is said of it."""

from __future__ import annotations

from pathlib import Path

from desktop.dialogs.search_dialog import RemarksDialog
from desktop.dialogs.text_dialog import TextDialog
from engine.case import Case, NewBookmark, NewNote
from engine.case.case_search import remarks_of
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


def _dialog(driver: Driver, command: str) -> RemarksDialog:
    driver.do(command)
    driver.until(lambda: driver.window.findChild(RemarksDialog), "the dialog")
    dialog = driver.window.findChild(RemarksDialog)
    assert isinstance(dialog, RemarksDialog)
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
        assert [one.title for one in rows.rows] == ["Blue JACKET"]
        dialog.list.chosen.emit(rows.rows[0].id)
        driver.until_exact()
        assert driver.shown.seconds == 2.0
        dialog.field.setText("")
        dialog.here.setChecked(True)
        assert [one.title for one in rows.rows] == ["Blue JACKET"]
        dialog.close()

    assert drive([str(sample_case)], script) == 0


def test_everything_said_is_there_in_order_of_time(sample_case: Path) -> None:
    with Case.open(sample_case, write=True) as case:
        with case.change() as change:
            change.notes.add(NewNote("case", "about the case"))
            change.notes.add(NewNote("event:1", "early", 1, 0, 0.1))
        said = remarks_of(case)
    assert [one.kind for one in said] == ["note", "event", "note"]
    assert said[1].has("usual SPEED scene")
    assert not said[1].has("usual elephant")
    assert said[1].at(1, said[1].start_s or 0.0)
    assert not said[2].at(1, 0.1)


def test_properties_of_the_evidence_tell_hash_times_and_what_the_container_says(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("evidence.properties")
        driver.until(lambda: driver.window.findChild(TextDialog), "the dialog")
        dialog = driver.window.findChild(TextDialog)
        assert isinstance(dialog, TextDialog)
        said = " ".join(dialog.text.toPlainText().split())
        assert driver.view.evidence.sha256 in said
        for words in ("Found changed never", "h264", "250 frames", "as recorded in the file"):
            assert words in said
        dialog.close()

    assert drive([str(sample_case)], script) == 0
