"""Commands: every one is found, has its own keys, and leaves fields and buttons theirs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from desktop.command_registry import MENUS
from desktop.dialogs.command_palette import CommandPalette, matches
from desktop.dialogs.keys_window import KeysWindow
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver

KEY_MAP = (
    *("Space", "K", "J", "L", ",", ".", "Left", "Right", "Shift+Left", "Shift+Right"),
    *("Ctrl+Left", "Ctrl+Right", "[", "]", "I", "O", "M", "Ctrl+G", "Home", "End"),
    *("N", "Shift+N", "1", "2", "3", "4", "Ctrl+K"),
)
"""Keys that examiners know from other players; each must do something here."""


def test_every_key_examiners_know_does_something(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        commands = driver.window.commands
        used_keys = [
            key.toString()
            for command in commands.all
            for key in commands.action(command.name).shortcuts()
        ]
        assert len(used_keys) == len(set(used_keys))
        assert {QKeySequence(key).toString() for key in KEY_MAP} <= set(used_keys)
        assert all(command.menu in MENUS for command in commands.all)

    assert drive([str(sample_case)], script) == 0


def test_the_palette_finds_and_does_a_command(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        palette = driver.window.findChild(CommandPalette)
        assert palette is not None
        QTest.keyClicks(palette._field, "overlay without")
        assert palette._list.count() == 1
        QTest.keyClick(palette._field, Qt.Key.Key_Return)
        assert driver.state.overlay.value.side_by_side
        driver.key(Qt.Key.Key_F1)
        assert driver.window.findChild(KeysWindow) is not None

    assert drive([str(sample_case)], script) == 0


def test_typing_a_note_does_not_move_the_picture(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("review.note")
        field = driver.window.notes._field
        driver.until(field.hasFocus, "the note field")
        QTest.keyClicks(field, "njkl 1234 m")
        assert field.toPlainText() == "njkl 1234 m"
        assert driver.state.position.value == 0
        assert not driver.state.playing.value
        assert driver.view.bookmarks == ()
        field.clear()

    assert drive([str(sample_case)], script) == 0


def test_space_presses_a_focused_button_instead_of_playing(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        before = driver.state.overlay.value.boxes
        toggle = next(
            button
            for button in driver.window.player.findChildren(QToolButton)
            if button.accessibleName() == "Boxes"
        )
        toggle.setFocus()
        driver.until(toggle.hasFocus, "focus")
        QTest.keyClick(toggle, Qt.Key.Key_Space)
        assert driver.state.overlay.value.boxes is not before
        assert not driver.state.playing.value

    assert drive([str(sample_case)], script) == 0


def test_words_match_in_any_order() -> None:
    assert matches("View: Heatmap more opaque", "opaque heat")
    assert not matches("View: Heatmap", "opaque")


def test_an_ambiguous_event_is_dismissed_only_with_a_reason(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        with driver.edit():
            driver.key(Qt.Key.Key_N)
        strip = driver.window.events.reason
        driver.key(Qt.Key.Key_4)
        driver.until(strip.isVisible, "the question")
        assert driver.view.events[0].state == "seen"
        line = strip._field.lineEdit()
        assert line is not None
        QTest.keyClick(line, Qt.Key.Key_Return)
        assert strip.isVisible()
        with driver.edit():
            QTest.keyClicks(line, "a dog")
            QTest.keyClick(line, Qt.Key.Key_Return)
        row = driver.view.events[0]
        assert (row.state, row.state_reason) == ("dismissed", "a dog")
        assert driver.window.events.reviewed.text() == "1 of 1 reviewed"
        with driver.edit():
            driver.do("edit.undo")
        assert driver.view.events[0].state == "seen"

    assert drive([str(sample_case)], script) == 0
