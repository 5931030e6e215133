"""What is damaged, missing, foreign or not to be written: said once, in place, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from desktop.dialogs.about_dialog import DetailsDialog
from engine.case import Case
from engine.media import open_source
from tests.clips import pattern, write_video
from tests.desktop.conftest import SAMPLE, Drive
from tests.desktop.driving import Driver


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A folder of footage."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


def test_a_medium_that_cannot_be_written_is_read(drive: Drive, sample_case: Path) -> None:
    # A folder where SQLite wants its shared memory makes it fail as on a read-only medium.
    (sample_case / "case.sqlite-shm").mkdir()

    def script(driver: Driver) -> None:
        driver.until_shown()
        assert "reading only" in driver.window.notice.text
        assert driver.window.integrity.text() == "Open for reading only"
        driver.key(Qt.Key.Key_N)
        driver.until_exact()
        assert driver.shown.pts == driver.view.events[0].event.peak_pts
        assert not driver.window.commands.action("review.relevant").isEnabled()
        driver.workspace.cases.open_any([SAMPLE])
        assert "reading only" in driver.window.notice.text

    assert drive([str(sample_case)], script) == 0


def test_a_video_cut_short_plays_up_to_there_and_says_where_it_stops(
    drive: Drive, evidence: Path
) -> None:
    whole = write_video(
        evidence / "whole.mp4", pattern(90, (320, 240)),
        options={"g": "10", "bf": "0"}, container_options={"movflags": "faststart"},
    )  # fmt: skip
    cut = evidence / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with open_source(cut) as source:
        last = len(source.index) - 1
    assert 10 < last < 89

    def script(driver: Driver) -> None:
        driver.until_analysed()
        driver.until_shown()
        assert driver.view.lost_frames == 89 - last
        driver.state.rate.set(16.0)
        driver.key(Qt.Key.Key_Space)
        driver.until(lambda: driver.state.playing.value, "playing")
        driver.until(lambda: not driver.state.playing.value, "the end")
        driver.until_exact()
        assert driver.shown.index == last
        assert "the video stops here" in driver.window.player.canvas.words
        assert "not there" in driver.window.evidence.warnings

    assert drive([str(cut)], script) == 0


def test_what_is_no_video_is_named_once_and_the_rest_goes_on(
    drive: Drive, evidence: Path, sample_case: Path
) -> None:
    (evidence / "a.mp4").write_bytes(b"nothing like a video " * 100)
    write_video(evidence / "b.mp4", pattern(40), options={"g": "10"})

    def script(driver: Driver) -> None:
        driver.until_shown()
        failed: list[str] = []
        work = driver.session.work
        assert work is not None
        work.failed.connect(lambda title, _error: failed.append(title))
        driver.window.dropped.emit([evidence])
        driver.until(
            lambda: (
                [item.name for item in driver.session.items][1:] == ["b.mp4"] and not work.items
            ),
            "the sound video",
        )
        assert failed == ["adding a.mp4"]
        assert "a.mp4" in driver.window.notice.text
        details = [
            button for button in driver.window.notice.findChildren(QPushButton)
            if button.text() == "Details"
        ]  # fmt: skip
        details[0].click()
        dialog = driver.window.findChild(DetailsDialog)
        assert dialog is not None
        assert "a.mp4" in dialog.text.toPlainText()
        assert "What to do:" in dialog.text.toPlainText()
        dialog.close()

    assert drive([str(sample_case)], script) == 0


def test_a_case_beside_its_evidence_is_refused_unless_the_examiner_insists(
    drive: Drive, evidence: Path
) -> None:
    video = write_video(evidence / "gate.mp4", pattern(40), options={"g": "10"})
    with Case.create(evidence / "beside.case"):
        pass

    def script(driver: Driver) -> None:
        driver.until(lambda: driver.session.case is not None, "the case")
        driver.workspace.settings.set(driver.workspace.settings.value)
        driver.window.dropped.emit([video])
        assert "beside the evidence" in driver.window.notice.text
        assert driver.session.items == ()
        buttons = [
            button for button in driver.window.notice.findChildren(QPushButton)
            if button.text() == "Add anyway"
        ]  # fmt: skip
        buttons[0].click()
        driver.until_analysed()
        assert driver.window.notice.text == ""

    assert drive([str(evidence / "beside.case")], script) == 0
    with Case.open(evidence / "beside.case") as case:
        assert any("beside" in entry.params_json for entry in case.audit.entries())


def test_moved_evidence_is_missing_until_the_same_file_is_named(
    drive: Drive, evidence: Path, tmp_path: Path
) -> None:
    video = write_video(evidence / "gate.mp4", pattern(40), options={"g": "10"})
    other = write_video(evidence / "other.mp4", pattern(41), options={"g": "10"})
    moved = evidence / "moved.mp4"
    folder: list[Path] = []

    def first(driver: Driver) -> None:
        driver.until_analysed()
        assert driver.session.case is not None
        folder.append(driver.session.case.path)

    assert drive([str(video)], first) == 0
    video.rename(moved)

    def second(driver: Driver) -> None:
        driver.until(lambda: driver.state.evidence.value is not None, "the evidence")
        driver.until(lambda: driver.window.notice.text, "what is missing")
        assert "gate.mp4" in driver.window.notice.text
        assert driver.session.items[0].integrity == "missing"
        evidence_id = driver.view.evidence.id
        driver.window.notice.hide()
        driver.workspace.evidence.relink(evidence_id, other)
        driver.until(lambda: "hashes differ" in driver.window.notice.text, "the refusal")
        driver.workspace.evidence.relink(evidence_id, moved)
        driver.until_shown()
        driver.until(lambda: driver.session.items[0].integrity == "recorded", "the file")
        assert driver.view.path == moved

    assert drive([str(folder[0])], second) == 0
