"""Teaching in the window: targets are marked in the player, by hand and by keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.player.target_pointer import PointedTarget, Pointer, snap_to_box
from desktop.state.target_mark import TargetMark
from engine.core.geometry import Box
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver


def look(driver: Driver, name: str) -> None:
    """Keeps a picture of the window where pictures are wanted."""
    folder = os.environ.get("SIGHTLINE_PICTURES")
    if folder:
        QApplication.processEvents()
        driver.window.grab().save(str(Path(folder) / f"{name}.png"))


def on_screen(driver: Driver, x: float, y: float) -> QPoint:
    canvas = driver.window.player.canvas
    to_screen = canvas._geometry.transform(canvas._areas()[-1])
    return to_screen.map(QPointF(x, y)).toPoint()


def at_first_event(driver: Driver) -> Box:
    """Goes to the first event; returns the box of a region in its exact frame."""
    driver.until_shown()
    driver.do("review.next")
    driver.until_exact()
    reply = driver.window.player.canvas._reply
    assert reply is not None
    return reply.overlay.regions[0].box


def marks_of(driver: Driver) -> tuple[TargetMark, ...]:
    return driver.state.targets.value


def test_a_region_is_clicked_a_box_drawn_and_a_brush_led(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        box = at_first_event(driver)
        teach, canvas = driver.window.teach, driver.window.player.canvas
        driver.do("teach.point")
        assert "Type what the target is" in driver.window.notice.text
        teach.field.setText("  running   person ")
        driver.do("teach.point")
        middle = on_screen(driver, box.x + box.w / 2, box.y + box.h / 2)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
        driver.do("teach.box")
        start, end = on_screen(driver, 40, 30), on_screen(driver, 10, 60)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(canvas, end)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
        teach.field.setText("tree")
        driver.do("teach.side")
        driver.do("teach.brush")
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(canvas, end)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
        first, second, third = marks_of(driver)
        assert (first.name, first.normal, first.shape) == ("running person", False, "box")
        assert first.fields()["box"] == pytest.approx([box.x, box.y, box.w, box.h])
        assert first.seconds == driver.shown.seconds
        assert second.fields()["box"] == pytest.approx([10, 30, 30, 30], abs=1)
        assert (third.normal, third.shape) == (True, "brush")
        assert [row.title for row in teach.list.rows.rows] == ["running person"] * 2 + ["tree"]
        look(driver, "teach-marks")
        driver.do("go.next-frame")
        driver.until_exact()
        assert not len(canvas._targets)
        teach.list.chosen.emit(0)
        driver.until_exact()
        assert len(canvas._targets) == 3
        teach.list.select(1)
        driver.do("teach.remove")
        assert marks_of(driver) == (first, third)
        driver.do("teach.clear")
        driver.do("teach.remove")
        assert "No mark is selected" in driver.window.notice.text

    assert drive([str(sample_case)], script) == 0


def test_all_of_it_goes_by_keys(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        at_first_event(driver)
        canvas, frame = driver.window.player.canvas, driver.state.position.value
        driver.window.teach.field.setText("cart")
        driver.do("teach.box")
        assert "set two corners" in canvas.words

        def press(key: Qt.Key) -> None:
            QTest.keyClick(canvas, key)

        press(Qt.Key.Key_Return)
        QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        (mark,) = marks_of(driver)
        width, height = driver.view.width, driver.view.height
        assert mark.fields()["box"] == [width / 2, height / 2, 32, 4]
        assert driver.state.position.value == frame
        driver.do("teach.point")
        press(Qt.Key.Key_Escape)
        assert not canvas.words
        driver.key(Qt.Key.Key_Right)
        assert driver.state.position.value == frame + 1

    assert drive([str(sample_case)], script) == 0


def test_marks_that_cannot_be_are_named_in_one_line(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        at_first_event(driver)
        marking, notice = driver.workspace.marking, driver.window.notice
        inside = PointedTarget("point", ((30.0, 20.0),))
        for name, pointed, message in (
            (" ", inside, "the target has no name"),
            ("x" * 300, inside, "300 characters"),
            ("cart", PointedTarget("point", ((-9.0, 20.0),)), "outside the picture"),
            ("cart", PointedTarget("box", ((9e3, 1.0), (9.1e3, 9.0))), "outside the picture"),
        ):
            marking.mark(name, False, pointed)
            assert message.casefold() in notice.text.casefold()
            assert "\n" not in notice.text
        assert marks_of(driver) == ()
        marking.mark("cart", False, inside)
        marking.mark("Cart", True, inside)
        assert '"cart" is marked as abnormal already' in notice.text
        assert len(marks_of(driver)) == 1
        driver.do("case.close")
        driver.until(lambda: driver.session.case is None, "the end of the case")
        assert marks_of(driver) == ()

    assert drive([str(sample_case)], script) == 0


def test_a_point_takes_the_smallest_box_around_it() -> None:
    boxes = [Box(0, 0, 50, 50), Box(10, 10, 5, 5), Box(90, 90, 5, 5)]
    assert snap_to_box(PointedTarget("point", ((12, 12),)), boxes) == PointedTarget(
        "box", ((10, 10), (15, 15))
    )
    alone = PointedTarget("point", ((70, 12),))
    assert snap_to_box(alone, boxes) == alone


def test_a_box_without_a_size_is_drawn_anew_and_a_brush_gets_wider() -> None:
    pointer = Pointer()
    pointer.begin("box", 320, 240)
    pointer.press(QPointF(5, 5))
    pointer.move(QPointF(50, 5))
    assert pointer.release() is None
    assert pointer.shape == "box"
    pointer.begin("brush", 320, 240)
    before = pointer.radius
    assert pointer.key(Qt.Key.Key_BracketRight, 4) is None
    assert pointer.radius > before
    assert pointer.key(Qt.Key.Key_Return, 4) is None
    pointer.key(Qt.Key.Key_Up, 4)
    pointed = pointer.key(Qt.Key.Key_Return, 4)
    assert pointed is not None
    assert pointed.points == ((50, 5), (50, 1))
