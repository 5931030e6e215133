"""Finding more in the window: a ranked list that leads to its moments and is kept in the case."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage

from desktop.dialogs.similar_moments_dialog import SimilarMomentsDialog
from desktop.player.crops import CROP, crop
from desktop.session.engine_work import Done
from desktop.state.target_mark import TargetMark
from engine import protocol
from engine.cli.main import run
from engine.core.geometry import Box
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver
from tests.pipeline.pipeline_material import street_video

MOMENT = {
    "evidence_id": 1, "run_id": 1, "start_s": 6.2, "end_s": 8.0, "peak_s": 6.76, "peak_frame": 169,
    "peak_pts": 86528, "box": [20, 130, 60, 50], "likeness": 0.98, "itself": True,
}  # fmt: skip
ANSWER = {
    "moments": [
        MOMENT | {"rank": 1},
        MOMENT | {"rank": 2, "start_s": 1.0, "end_s": 1.4, "peak_frame": 30, "itself": False},
    ],
    "left_out": [{"evidence_id": 2, "why": "no features are kept"}],
}


@pytest.fixture
def two_files(sample_case: Path, tmp_path: Path) -> Path:
    (tmp_path / "footage").mkdir()
    other = street_video(tmp_path / "footage" / "yard.mp4", 40, ())
    assert run(["analyze", str(other), "--case", str(sample_case), "--quiet"]) == 0
    return sample_case


def answering(driver: Driver) -> list[dict[str, Any]]:
    """Lets a stand-in of the engine process answer; returns the requests it gets."""
    requests: list[dict[str, Any]] = []

    def ask(_title: str, kind: str, done: Done, **fields: object) -> int:
        assert kind == protocol.FIND
        requests.append(fields)
        done(ANSWER)
        return len(requests)

    work = driver.session.work
    assert work is not None
    work.ask = ask  # type: ignore[method-assign, assignment]
    return requests


def open_dialog(driver: Driver, command: str) -> SimilarMomentsDialog:
    driver.do(command)
    dialog = driver.window.findChild(SimilarMomentsDialog)
    assert isinstance(dialog, SimilarMomentsDialog)
    return dialog


def test_more_like_an_event_is_listed_with_pictures_leads_there_and_is_kept(
    drive: Drive, two_files: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("review.next")
        requests = answering(driver)
        dialog = open_dialog(driver, "teach.like")
        assert requests == [{"event_id": driver.view.events[0].id}]
        driver.until(lambda: len(dialog._pictures) == 2, "the pictures")
        assert "yard.mp4: no features are kept" in dialog.about.text()
        assert not dialog.event_button.isEnabled()
        dialog.list.select(2)
        dialog.list.activated.emit(dialog.list.currentIndex())
        driver.until_exact()
        assert driver.shown.index == 30
        with driver.edit():
            dialog.event_button.click()
        with driver.edit():
            dialog.bookmark_button.click()
        own = [row for row in driver.view.events if row.event.channel == "examiner"]
        assert len(own) == len(driver.view.bookmarks) == 1
        assert own[0].event.start_s == pytest.approx(1.0, abs=0.05)
        folder = os.environ.get("SIGHTLINE_PICTURES")
        if folder:
            dialog.grab().save(str(Path(folder) / "similar-moments.png"))

        elsewhere = replace(dialog._result.moments[0], evidence_id=2, frame=7, start_s=0.2)
        dialog.bookmark_requested.emit(replace(elsewhere, end_s=0.6), "there too")
        driver.until(
            lambda: driver.view.evidence.id == 2 and driver.view.bookmarks, "the other file"
        )
        driver.until_exact()
        assert driver.shown.index == 7
        assert driver.view.bookmarks[0].text == "there too"
        driver.do("case.close")
        driver.until(lambda: driver.session.case is None, "the end of the case")
        assert not dialog.isVisible()
        assert not dialog.list.rows.rows

    assert drive([str(two_files)], script) == 0


def test_words_and_marks_are_looked_for_and_what_cannot_be_is_said(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        notice, requests = driver.window.notice, answering(driver)
        dialog = open_dialog(driver, "teach.words")
        for signal, message in (
            (dialog.mark_search_requested, "No marks"),
            (dialog.event_search_requested, "No event is selected"),
        ):
            signal.emit()
            assert message in notice.text
        dialog.description_entered.emit("  ")
        assert "No words to look for" in notice.text
        assert not requests
        dialog.field.setText("a  white box")
        dialog.field.returnPressed.emit()
        assert '"a white box"' in dialog.about.text()
        box = TargetMark(1, 30, 1.2, "cart", False, "box", ((1, 2), (30, 40)))
        driver.state.targets.set((replace(box, name="tree"), box))
        dialog.mark_search_requested.emit()
        assert requests == [{"text": "a white box"}, {"marks": [box.fields()]}]
        dialog.close()

    assert drive([str(sample_case)], script) == 0


def test_pictures_of_an_earlier_search_are_not_shown(
    drive: Drive, sample_case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        answering(driver)
        dialog = open_dialog(driver, "teach.words")
        tasks: list[Callable[..., None]] = []
        monkeypatch.setattr(
            driver.workspace.background, "run", lambda _task, done, _failed: tasks.append(done)
        )
        dialog.description_entered.emit("first")
        driver.until(lambda: len(tasks) == 1, "the first pictures")
        dialog.description_entered.emit("second")
        driver.until(lambda: len(tasks) == 2, "the second pictures")
        late, current = QImage(8, 8, QImage.Format.Format_RGB32), QImage()
        tasks[1]({1: current})
        tasks[0]({1: late})
        assert dialog._pictures == {1: current}
        dialog.close()

    assert drive([str(sample_case)], script) == 0


@pytest.mark.parametrize("box", [Box(0, 0, 4, 4), Box(300, 220, 20, 20), Box(0, 0, 320, 240)])
def test_a_picture_is_cut_inside_the_frame(box: Box) -> None:
    picture = QImage(320, 240, QImage.Format.Format_RGB32)
    picture.fill(QColor("white"))
    cut = crop(picture, box)
    assert cut.size() == CROP
    corners = ((0, 0), (CROP.width() - 1, CROP.height() - 1))
    assert all(cut.pixelColor(*corner) == QColor("white") for corner in corners)
