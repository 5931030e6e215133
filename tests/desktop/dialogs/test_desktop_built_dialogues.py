"""Built dialogues in the window: gone through by keys, every verdict kept at once, taken back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from desktop.commands.lab_windows import LAB_WINDOWS
from desktop.lab.review_items import load_material
from desktop.lab.review_window import ReviewWindow
from desktop.theme.theme_tokens import DARK
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, silent
from engine.lab.datasets.registry import open_dataset
from engine.lab.dialogue_corpus.building.dialogue_stage import build_dialogues
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest
from engine.lab.dialogue_corpus.files.reviews import REVIEWS, CorpusReviews, ReviewSubject
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver
from tests.lab.dialogue_corpus.building_material import run_to_checks, write_ubnormal

_PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set below `data`, and what was built of it below `built`."""
    place = tmp_path_factory.mktemp("reviewing")
    dataset = open_dataset("ubnormal", write_ubnormal(place / "data"))
    run_to_checks(BuildRequest(dataset, dataset.splits, place / "built"))
    build_dialogues(place / "built", 1)
    return place


@pytest.fixture
def folder(footage: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(footage / "built", tmp_path / "built"))


@pytest.fixture
def window(qtbot: QtBot, folder: Path, footage: Path) -> Iterator[ReviewWindow]:
    material = load_material(folder, footage / "data", CancelToken(), silent)
    made = ReviewWindow(material, DARK, None)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.footage.frame_shown, timeout=_PATIENCE_MS):
        made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    made.list.setFocus()
    yield made
    made.close()


def _subject(window: ReviewWindow) -> ReviewSubject:
    assert window.item is not None
    return window.item.subject


def _listed(window: ReviewWindow) -> int:
    return len(window.list.rows.rows)


def test_keys_accept_reject_and_take_back(window: ReviewWindow, folder: Path) -> None:
    first = _subject(window)
    assert first.kind == "target"
    QTest.keyClick(window, Qt.Key.Key_A)
    second = _subject(window)
    assert second.kind == "sentence"
    QTest.keyClick(window, Qt.Key.Key_R)
    standing = CorpusReviews(folder).standing
    assert {one: said.verdict for one, said in standing.items()} == {
        first: "accepted", second: "rejected",
    }  # fmt: skip
    assert all("@" in one.who and one.when for one in standing.values())
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert _subject(window) == second
    assert set(CorpusReviews(folder).standing) == {first}
    assert "Taken back" in window.summary.text()
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert _subject(window) == first
    assert "Accepted by" in window.summary.text()


def test_a_correction_is_typed_kept_and_given_up(window: ReviewWindow, folder: Path) -> None:
    target = _subject(window)
    QTest.keyClick(window, Qt.Key.Key_C)
    colour = window.correction.fields["upper"]
    assert isinstance(colour, QComboBox)
    assert colour.currentData() == "red"
    colour.setCurrentIndex(colour.findData("pink"))
    action = window.correction.fields["action"]
    assert isinstance(action, QLineEdit)
    action.setFocus()
    QTest.keyClicks(action, "rarely walking")
    QTest.keyClick(action, Qt.Key.Key_Return)
    review = CorpusReviews(folder).of(target)
    assert review is not None
    assert (review.verdict, review.changes) == (
        "corrected", {"upper": "pink", "action": "rarely walking"},
    )  # fmt: skip
    sentence = _subject(window)
    assert sentence.kind == "sentence"
    window.correction.begin()
    answer = window.correction.fields["answer"]
    assert isinstance(answer, QLineEdit)
    before = answer.text()
    QTest.keyClicks(answer, "No")
    QTest.keyClick(answer, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert CorpusReviews(folder).of(sentence) is None
    shown = window.correction.fields["answer"]
    assert isinstance(shown, QLineEdit)
    assert shown.text() == before


def test_the_frame_on_screen_is_left_out_and_stays_in_the_list(
    window: ReviewWindow, folder: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(window.footage.frame_shown, timeout=_PATIENCE_MS):
        window.footage.go(21)
    QTest.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    (subject,) = CorpusReviews(folder).standing
    assert (subject.kind, subject.first, subject.last) == ("frame", 20, 20)
    assert any("Frame 20" in row.title for row in window.list.rows.rows)


def test_the_picture_shows_the_target_and_the_timeline_leads_there(
    window: ReviewWindow, qtbot: QtBot
) -> None:
    record = window.footage.record_here()
    assert record is not None
    assert record.frame == 0
    with qtbot.waitSignal(window.footage.frame_shown, timeout=_PATIENCE_MS) as shown:
        window.footage.lanes.sought.emit(2.0)
    assert shown.args == [50]
    still = window.footage.canvas.still(overlay=True)
    plain = window.footage.canvas.still(overlay=False)
    assert still is not None
    assert plain is not None
    assert still != plain
    with qtbot.waitSignal(window.footage.frame_shown, timeout=_PATIENCE_MS) as shown:
        QTest.keyClick(window, Qt.Key.Key_Right)
    assert shown.args == [51]


def test_only_what_is_left_to_do_is_listed(window: ReviewWindow) -> None:
    every = _listed(window)
    window.filter.setCurrentIndex(1)
    QTest.keyClick(window.list, Qt.Key.Key_A)
    QTest.keyClick(window.list, Qt.Key.Key_R)
    assert _listed(window) == every - 2
    window.filter.setCurrentIndex(3)
    assert _listed(window) == 1
    window.filter.setCurrentIndex(2)
    assert _listed(window) == 0
    assert "Nothing of that kind" in window.summary.text()


def test_a_disk_that_is_full_is_said_and_nothing_moves_on(
    window: ReviewWindow, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = _subject(window)
    with qtbot.waitSignal(window.failed):
        QTest.keyClick(window, Qt.Key.Key_A)
    assert _subject(window) == before
    assert "No space left" in window.summary.text()
    assert not (folder / REVIEWS).read_bytes()


def test_footage_that_lies_elsewhere_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="given with --root"):
        load_material(folder, tmp_path, CancelToken(), silent)


def test_the_review_opens_from_the_window_and_ends_with_it(
    drive: Drive, sample_case: Path, folder: Path, footage: Path, tmp_path: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        open_review = LAB_WINDOWS["review of built dialogues"]
        open_review(tmp_path, footage / "data", driver.workspace, driver.window)
        driver.until(lambda: "videos.jsonl" in driver.window.notice.text, "the refusal")
        open_review(folder, footage / "data", driver.workspace, driver.window)
        driver.until(lambda: driver.window.findChild(ReviewWindow), "the review")
        dialog = driver.window.findChild(ReviewWindow)
        assert isinstance(dialog, ReviewWindow)
        driver.until(lambda: dialog.footage.canvas.still(overlay=False) is not None, "a frame")

    assert drive([str(sample_case)], script) == 0
