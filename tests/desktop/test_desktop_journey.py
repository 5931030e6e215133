"""One sitting, start to end, in the real program on real small videos."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psutil
from PySide6.QtCore import Qt

from engine.case import Case, verify
from engine.media import hash_evidence, open_source
from tests.desktop.conftest import SAMPLE, Drive
from tests.desktop.driving import Driver, pixels

CALM = (0.0, 5.0)
"""A span of the sample in which nothing stands out."""


def frame_hash(path: Path, pts: int) -> str:
    """Hash of the frame of a PTS, decoded beside the window."""
    with open_source(path) as source:
        image = source.frame_at(pts).image
    assert image is not None
    return hashlib.sha256(image.tobytes()).hexdigest()


def shown_hash(driver: Driver) -> str:
    return hashlib.sha256(pixels(driver.window.player.still(overlay=False))).hexdigest()


def mark_calm_as_normal(driver: Driver) -> None:
    """Marks a span as normal footage while the engine process is killed; it is done anyway."""
    before = driver.view.derivation_id
    for moment, key in zip(CALM, (Qt.Key.Key_I, Qt.Key.Key_O), strict=True):
        assert driver.workspace.review.go_to(f"{moment}") is None
        driver.key(key)
    driver.do("review.normal")
    psutil.Process(driver.engine.process_id).kill()
    driver.until(lambda: driver.view.derivation_id != before, "a new derivation")
    driver.until(lambda: driver.session.work and not driver.session.work.items, "the end")
    driver.key(Qt.Key.Key_N)
    driver.until_exact()


def test_a_sitting_from_a_video_to_a_reviewed_case(drive: Drive, tmp_path: Path) -> None:
    video = tmp_path / "evidence" / "gate.mp4"
    video.parent.mkdir()
    video.write_bytes(SAMPLE.read_bytes())
    folder: list[Path] = []

    def first(driver: Driver) -> None:
        driver.until_analysed()
        driver.until_shown()
        case = driver.session.case
        assert case is not None
        folder.append(case.path)
        driver.key(Qt.Key.Key_N)
        driver.until(lambda: driver.view.events[0].state == "seen", "triage by looking")
        driver.until_exact()
        top = driver.view.events[0].event
        assert driver.shown.pts == top.peak_pts
        assert shown_hash(driver) == frame_hash(video, top.peak_pts)
        with driver.edit():
            driver.key(Qt.Key.Key_3)
        assert driver.view.events[0].state == "relevant"
        with driver.edit():
            driver.key(Qt.Key.Key_M)
        assert [bookmark.start_pts for bookmark in driver.view.bookmarks] == [top.peak_pts]
        with driver.edit():
            driver.window.notes._field.setPlainText("a cyclist, much too fast")
            driver.window.notes.flush()
        assert driver.view.notes[0].text == "a cyclist, much too fast"
        with driver.edit():
            driver.do("edit.undo")
        assert not driver.view.notes
        with driver.edit():
            driver.do("edit.redo")
        assert len(driver.view.notes) == 1
        mark_calm_as_normal(driver)

    assert drive([str(video)], first) == 0

    def second(driver: Driver) -> None:
        driver.until_shown()
        assert driver.session.case is not None
        assert driver.session.case.path == folder[0]
        assert driver.shown.pts == driver.view.events[0].event.peak_pts
        assert driver.view.events[0].state == "relevant"
        assert len(driver.view.bookmarks) == len(driver.view.notes) == 1
        assert driver.view.normal_spans == (CALM,)
        assert driver.view.watched
        assert driver.window.events.reviewed.text() == "1 of 1 reviewed"
        assert driver.window.commands.action("edit.undo").text() == "&Undo"

    assert drive([], second) == 0
    with Case.open(folder[0]) as case:
        result = verify(case, hash_evidence=lambda row: hash_evidence(Path(row.path))["sha256"])
    assert result.ok


def test_marking_normal_footage_recalibrates_without_decoding(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        before = driver.view.derivation_id
        assert driver.view.events
        start, end = driver.view.events[0].event.start_s, driver.view.events[0].event.end_s
        assert driver.workspace.review.go_to(f"{start}") is None
        driver.key(Qt.Key.Key_I)
        assert driver.workspace.review.go_to(f"{end}") is None
        driver.key(Qt.Key.Key_O)
        driver.do("review.normal")
        driver.until(lambda: driver.view.derivation_id != before, "a new derivation")
        assert driver.view.normal_spans == ((start, end),)
        assert all(row.event.channel != "scene" for row in driver.view.events)
        driver.until(lambda: driver.session.work and not driver.session.work.items, "the end")

    assert drive([str(sample_case)], script) == 0


def test_an_engine_process_that_is_killed_is_started_again_and_goes_on(
    drive: Drive, tmp_path: Path
) -> None:
    video = tmp_path / "evidence" / "gate.mp4"
    video.parent.mkdir()
    video.write_bytes(SAMPLE.read_bytes())

    def script(driver: Driver) -> None:
        driver.until(
            lambda: (
                driver.session.work is not None
                and any("analysing" in item.title for item in driver.session.work.items)
                and driver.engine.process_id
            ),
            "the analysis",
        )
        killed = driver.engine.process_id
        psutil.Process(killed).kill()
        driver.until(lambda: driver.engine.process_id not in (0, killed), "another process")
        assert "started again" in driver.window.notice.text
        driver.until_analysed()
        assert driver.view.events
        assert len(driver.view.curves["scene"].frames) == len(driver.view.index)

    assert drive([str(video)], script) == 0


def test_closing_in_the_middle_of_a_run_leaves_nothing_and_loses_nothing(
    drive: Drive, tmp_path: Path
) -> None:
    video = tmp_path / "evidence" / "gate.mp4"
    video.parent.mkdir()
    video.write_bytes(SAMPLE.read_bytes())
    folder: list[Path] = []

    def first(driver: Driver) -> None:
        driver.until(
            lambda: (
                driver.session.work is not None
                and any("analysing" in item.title for item in driver.session.work.items)
            ),
            "the analysis",
        )
        assert driver.session.case is not None
        folder.append(driver.session.case.path)

    assert drive([str(video)], first) == 0

    def second(driver: Driver) -> None:
        driver.until_shown()
        driver.do("evidence.analyse")
        driver.until_analysed()
        assert driver.view.events

    assert drive([str(folder[0])], second) == 0


def test_the_sample_case_is_made_on_first_start(drive: Drive, home: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_analysed()
        assert driver.session.case is not None
        assert driver.session.case.path.is_relative_to(home)
        assert driver.view.path.is_relative_to(driver.session.case.path)
        assert driver.window.events.list.rows.rows

    assert drive([], script) == 0


def test_a_second_window_reads_only_and_says_who_has_the_case(
    drive: Drive, sample_case: Path
) -> None:
    with Case.open(sample_case, write=True):

        def script(driver: Driver) -> None:
            driver.until_shown()
            assert driver.session.case is not None
            assert driver.session.case.reading_only
            assert "reading only" in driver.window.notice.text
            assert not driver.window.commands.action("review.bookmark").isEnabled()
            driver.key(Qt.Key.Key_N)
            driver.until_exact()
            assert driver.shown.pts == driver.view.events[0].event.peak_pts
            assert driver.view.events[0].state == "unseen"

        assert drive([str(sample_case)], script) == 0
