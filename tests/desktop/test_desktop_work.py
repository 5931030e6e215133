"""Working through a case: several files, own events, regions, copies, and ending at any moment."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.dialogs.marking_dialog import MarkingDialog
from desktop.operations.dropped_files import in_time_order, resolve_dropped
from desktop.state.view_state import PictureSettings, Selection
from engine.case import Case, CaseInfo, verify
from engine.media import hash_evidence, hash_file
from tests.clips import pattern, write_video
from tests.desktop.conftest import SAMPLE, Drive
from tests.desktop.driving import Driver


def test_a_folder_of_a_recorder_comes_in_time_order_with_next_file(
    drive: Drive, tmp_path: Path
) -> None:
    folder = tmp_path / "recorder"
    folder.mkdir()
    for name in ("cam_10.mp4", "cam_9.mp4", "cam_2.MP4"):
        write_video(folder / name, pattern(20), options={"g": "10"}, container="mp4")
    (folder / "index.txt").write_text("of the recorder")

    def script(driver: Driver) -> None:
        names = ["cam_2.MP4", "cam_9.mp4", "cam_10.mp4"]
        driver.until(
            lambda: (
                [item.name for item in driver.session.items] == names
                and driver.session.work
                and not driver.session.work.items
            ),
            "all files",
        )
        driver.until_shown()
        assert driver.view.evidence.name == names[0]
        driver.do("evidence.next")
        driver.until(lambda: driver.view.evidence.name == names[1], "the next file")
        driver.until_exact()
        assert driver.window.evidence.list.selected_id == driver.view.evidence.id
        with driver.edit():
            driver.do("evidence.down")
        driver.until(
            lambda: [item.name for item in driver.session.items] == [names[0], names[2], names[1]],
            "another order",
        )

    assert drive([str(folder)], script) == 0


def test_a_folder_of_images_stays_one_piece_of_evidence(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "0001.png").touch()
    (images / "preview.mp4").touch()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert resolve_dropped([images, empty, tmp_path / "a.mp4"]) == [
        images,
        empty,
        tmp_path / "a.mp4",
    ]
    names = [Path("b 2.mp4"), Path("b 10.mp4"), Path("A 3.mp4")]
    assert in_time_order(names) == [names[2], names[0], names[1]]


def test_an_event_of_ones_own_is_made_removed_and_brought_back(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        count = len(driver.view.events)
        driver.workspace.review.go_to("1")
        driver.key(Qt.Key.Key_I)
        driver.workspace.review.go_to("2")
        driver.key(Qt.Key.Key_O)
        with driver.edit():
            driver.key(Qt.Key.Key_E)
        own = next(row for row in driver.view.events if row.event.channel == "examiner")
        assert (own.event.start_s, own.event.end_s) == (1.0, 2.0)
        driver.state.selection.set(Selection("event", own.id))
        assert "marked by the examiner" in driver.window.events.detail.text
        with driver.edit():
            driver.key(Qt.Key.Key_Delete)
        assert len(driver.view.events) == count
        with driver.edit():
            driver.do("edit.undo")
        assert len(driver.view.events) == count + 1
        driver.key(Qt.Key.Key_N)
        driver.until(lambda: driver.view.events[-1].state == "seen", "the found event")
        driver.key(Qt.Key.Key_Delete)
        assert "dismissed" in driver.window.notice.text
        assert len(driver.view.events) == count + 1

    assert drive([str(sample_case)], script) == 0


def test_an_event_is_triaged_by_hand_and_says_all_its_reasons(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        driver.until(lambda: driver.view.events[0].state == "seen", "the event")
        detail = driver.window.events.detail
        event = driver.view.events[0].event
        assert all(reason.text in detail.text for reason in event.reasons)
        with driver.edit():
            detail._buttons["relevant"].click()
        assert driver.view.events[0].state == "relevant"
        with driver.edit():
            driver.key(Qt.Key.Key_M)
        assert driver.state.selection.value == Selection("event", driver.view.events[0].id)
        with driver.edit():
            driver.key(Qt.Key.Key_2)
        assert {row.state for row in driver.view.events} == {"seen"}
        driver.key(Qt.Key.Key_N)
        assert "no further event" in driver.window.notice.text
        driver.key(Qt.Key.Key_Home)
        driver.key(Qt.Key.Key_N)
        assert driver.state.position.value == event.peak_frame

    assert drive([str(sample_case)], script) == 0


def test_a_region_is_drawn_counts_at_once_and_is_forgotten_again(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        canvas, before = driver.window.player.canvas, driver.view.derivation_id
        assert driver.view.events
        driver.do("evidence.ignore")
        wide, high = canvas.width(), canvas.height()
        for x, y in ((1, 1), (wide - 2, 1), (wide - 2, high - 2), (1, high - 2)):
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        driver.until(lambda: driver.view.derivation_id > before, "scores without the region")
        assert (len(driver.view.ignore), len(driver.view.events)) == (1, 0)
        ignored = driver.view.derivation_id
        driver.until(lambda: driver.session.work and not driver.session.work.items, "the end")
        driver.do("evidence.regions")
        driver.until(lambda: driver.view.derivation_id > ignored, "scores of everything")
        assert (len(driver.view.ignore), len(driver.view.events)) == (0, 1)
        driver.until(lambda: driver.session.work and not driver.session.work.items, "the end")

    assert drive([str(sample_case)], script) == 0


def test_a_copied_frame_says_which_one_it_is_and_how_it_was_shown(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        assert driver.workspace.review.go_to("#12") is None
        driver.until_exact()
        driver.state.picture.set(PictureSettings(gamma=1.5))
        driver.until_exact()
        driver.do("edit.copy")
        clipboard = QGuiApplication.clipboard()
        assert clipboard.image().width() == driver.view.width
        description = clipboard.image().text("Description")
        assert description in driver.window.notice.text
        assert "frame 12" in description
        assert f"PTS {driver.shown.pts}" in description
        assert "gamma 1.50" in description
        assert "gamma 1.50" in driver.window.player.canvas.words

    assert drive([str(sample_case)], script) == 0


def test_a_case_is_copied_and_opened_and_a_report_is_written(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    copy, report = tmp_path / "copy.case", tmp_path / "report.json"

    def script(driver: Driver) -> None:
        driver.until_shown()
        with driver.edit():
            driver.key(Qt.Key.Key_M)
        driver.workspace.cases.copy(copy)
        driver.until(lambda: "copy lies in" in driver.window.notice.text, "the copy")
        driver.workspace.evidence.write_report(report, False, CaseInfo())
        driver.until(lambda: "report lies in" in driver.window.notice.text, "the report")
        driver.workspace.cases.open(copy)
        driver.until(
            lambda: driver.session.case is not None and driver.session.case.path == copy,
            "the copy",
        )
        driver.until_shown()
        assert len(driver.view.bookmarks) == 1

    assert drive([str(sample_case)], script) == 0
    assert json.loads(report.read_text(encoding="utf-8"))
    with Case.open(copy) as case:
        result = verify(
            case, hash_evidence=lambda row: hash_evidence(case.evidence_path(row))["sha256"]
        )
    assert result.ok


def test_closing_while_a_video_plays_and_while_one_is_opened_leaves_nothing(
    drive: Drive, sample_case: Path
) -> None:
    def playing(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_L)
        driver.until(lambda: driver.shown.index > 3, "some frames")

    assert drive([str(sample_case)], playing) == 0

    def opening(driver: Driver) -> None:
        driver.until(lambda: driver.session.case is not None, "the case")

    assert drive([str(sample_case)], opening) == 0


def test_closing_while_a_file_is_added_leaves_nothing(drive: Drive, tmp_path: Path) -> None:
    video = tmp_path / "evidence" / "gate.mp4"
    video.parent.mkdir()
    video.write_bytes(SAMPLE.read_bytes())

    def script(driver: Driver) -> None:
        driver.until(lambda: driver.session.work and driver.session.work.items, "the request")

    assert drive([str(video)], script) == 0


def test_a_frame_and_an_event_are_exported_and_listed_in_the_case(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    still, clip = tmp_path / "still.png", tmp_path / "clip.mp4"

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        span = driver.workspace.review.current_span()
        assert span is not None
        driver.workspace.evidence.export(still, span[0])
        driver.until(lambda: "still-overlay.png" in driver.window.notice.text, "the still")
        driver.workspace.evidence.export(clip, span[0], span[0] + 0.4)
        driver.until(lambda: "clip.mp4" in driver.window.notice.text, "the clip")

    assert drive([str(sample_case)], script) == 0
    with Case.open(sample_case) as case:
        listed = {Path(row.path).name: row.sha256 for row in case.exports.all()}
    assert set(listed) == {"still.png", "still-overlay.png", "clip.mp4"}
    assert listed["clip.mp4"] == hash_file(clip)["sha256"]


def test_a_file_that_was_chosen_is_shown_although_the_one_before_is_read_again(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    (tmp_path / "camera").mkdir()
    other = write_video(tmp_path / "camera" / "other.mp4", pattern(20))

    def script(driver: Driver) -> None:
        driver.until_shown()
        first = driver.view.evidence.id
        driver.workspace.evidence.add([other])
        driver.until(lambda: driver.view.evidence.id != first, "the other file")
        busy = threading.Event()
        driver.session.read(lambda _case: busy.wait(), lambda _waited: None)
        driver.session.show(first)
        driver.session.reload()
        busy.set()
        driver.until(lambda: driver.view.evidence.id == first, "the first file")

    assert drive([str(sample_case)], script) == 0


def test_the_same_moment_is_shown_in_the_next_file_by_both_clocks(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    (tmp_path / "camera").mkdir()
    other = write_video(tmp_path / "camera" / "other.mp4", pattern(60))

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.workspace.settings.set(
            replace(driver.workspace.settings.value, analyse_on_adding=False)
        )
        first = driver.view.evidence.id
        driver.workspace.search.same_moment()
        assert "not known" in driver.window.notice.text
        with driver.edit():
            driver.workspace.review.set_clock(first, 100.0)
        driver.workspace.evidence.add([other])
        driver.until(lambda: driver.view.evidence.id != first, "the other file")
        with driver.edit():
            driver.workspace.review.set_clock(driver.view.evidence.id, 104.0)
        driver.workspace.session.show(first)
        driver.until(lambda: driver.view.evidence.id == first, "the first file")
        driver.state.position.set(driver.view.index.nearest(5.0))
        driver.do("go.same")
        driver.until(lambda: driver.view.evidence.id != first, "the other file again")
        driver.until_exact()
        assert driver.shown.seconds == pytest.approx(1.0, abs=0.05)
        driver.state.position.set(0)
        driver.do("go.same")
        driver.until(lambda: driver.view.evidence.id == first, "the first file again")
        driver.until_exact()
        assert driver.shown.seconds == pytest.approx(4.0, abs=0.05)

    assert drive([str(sample_case)], script) == 0


def test_a_frame_is_marked_by_hand_and_exported_with_its_marks(
    drive: Drive, sample_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "frame.png"
    monkeypatch.setattr(
        "PySide6.QtWidgets.QFileDialog.getSaveFileName", lambda *_: (str(target), "")
    )

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("evidence.mark")
        driver.until(lambda: driver.window.findChild(MarkingDialog), "the dialog")
        dialog = driver.window.findChild(MarkingDialog)
        assert isinstance(dialog, MarkingDialog)
        picture = dialog.picture
        middle = picture.rect().center()
        QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=middle)
        QTest.mouseMove(picture, middle + QPoint(60, 40))
        QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=middle + QPoint(60, 40))
        dialog.write(QPointF(20, 20), "who is this?")
        dialog.write(QPointF(1, 1), "  ")
        assert [mark["kind"] for mark in picture.marks] == ["box", "text"]
        assert 0 < picture.marks[0]["x"] < driver.view.width
        dialog._finish()
        driver.until(lambda: "frame-marked.png" in driver.window.notice.text, "the still")

    assert drive([str(sample_case)], script) == 0
    with Case.open(sample_case) as case:
        assert any(entry.action == "still.mark" for entry in case.audit.entries())


def test_the_database_of_a_case_stands_for_the_case(sample_case: Path, tmp_path: Path) -> None:
    assert resolve_dropped([sample_case / "case.sqlite"]) == [sample_case]
    (tmp_path / "case.sqlite").touch()
    assert resolve_dropped([tmp_path / "case.sqlite"]) == [tmp_path / "case.sqlite"]
