"""Both themes can be read, and every control says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from desktop.theme.theme_tokens import DARK, LIGHT, Tokens, contrast
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver

TEXT, SHAPE = 4.5, 3.0
"""What WCAG 2 level AA asks of text, and of shapes that carry meaning."""


def mixed(over: str, under: str, alpha: int) -> str:
    """Returns what a half transparent colour looks like on another."""
    top, ground = QColor(over), QColor(under)
    pairs = (
        (top.red(), ground.red()),
        (top.green(), ground.green()),
        (top.blue(), ground.blue()),
    )
    return QColor(*(round((alpha * a + (255 - alpha) * b) / 255) for a, b in pairs)).name()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda one: one.name)
def test_text_has_the_contrast_that_wcag_asks_for(theme: Tokens) -> None:
    chosen = mixed(theme.accent, theme.panel, 60)
    grounds = (theme.window, theme.panel, theme.raised, theme.selection, chosen)
    pairs = [(text, ground) for text in (theme.text, theme.muted) for ground in grounds]
    pairs += [(theme.danger, theme.window), (theme.danger, theme.panel)]
    pairs += [(theme.accent_text, theme.accent), (theme.on_ground, theme.ground)]
    poor = [(*pair, round(contrast(*pair), 2)) for pair in pairs if contrast(*pair) < TEXT]
    assert poor == []


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda one: one.name)
def test_shapes_that_mean_something_can_be_told_from_their_ground(theme: Tokens) -> None:
    signs = (theme.score, theme.relevant, theme.danger, theme.warning, theme.good, theme.accent)
    pairs = [(sign, ground) for sign in signs for ground in (theme.window, theme.panel)]
    pairs += [(theme.accent, theme.raised)]
    poor = [(*pair, round(contrast(*pair), 2)) for pair in pairs if contrast(*pair) < SHAPE]
    assert poor == []


def cut(widget: QWidget) -> bool:
    """Whether a button is too narrow for its words."""
    if not isinstance(widget, QPushButton | QToolButton) or not widget.text():
        return False
    if isinstance(widget, QToolButton):
        style = widget.toolButtonStyle()
        if not widget.icon().isNull() and style == Qt.ToolButtonStyle.ToolButtonIconOnly:
            return False
    return widget.fontMetrics().horizontalAdvance(widget.text()) > widget.width()


def nameless(widget: QWidget) -> bool:
    """Whether a screen reader has nothing to say of a control."""
    if isinstance(widget, QAbstractButton):
        return not (widget.accessibleName() or widget.text() or widget.toolTip())
    fields = (QAbstractSlider, QComboBox, QLineEdit, QPlainTextEdit, QListView)
    return isinstance(widget, fields) and not widget.accessibleName()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_controls_are_named_large_enough_and_not_cut(
    drive: Drive, sample_case: Path, size: tuple[int, int]
) -> None:
    def script(driver: Driver) -> None:
        driver.window.resize(*size)
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        driver.until_exact()
        seen = [one for one in driver.window.findChildren(QWidget) if one.isVisible()]
        reached = [one for one in seen if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
        inner = ("qt_", "ScrollLeft", "ScrollRight")
        own = [one for one in reached if not one.objectName().startswith(inner)]
        assert len(own) > 20
        assert [one for one in own if nameless(one) and one.parentWidget() not in reached] == []
        buttons = [one for one in seen if isinstance(one, QPushButton | QToolButton)]
        small = [one.toolTip() for one in buttons if min(one.width(), one.height()) < 24]
        assert [one for one in small if one] == []
        assert [one.text() for one in buttons if cut(one)] == []
        picture = driver.window.player.canvas
        sides = [one.width() * one.height() for one in driver.window._docks]
        assert picture.width() * picture.height() > 0.9 * max(sides)

    assert drive([str(sample_case)], script) == 0


def test_tab_walks_through_every_part_of_the_window(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        window = driver.window
        assert window.player.canvas.hasFocus()
        walked: list[QWidget] = []
        one: QWidget | None = window.nextInFocusChain()
        while one is not None and one is not window and len(walked) < 2000:
            if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
                walked.append(one)
            one = one.nextInFocusChain()
        parts = (window.evidence, window.events, window.chat, window.player)
        for part in (*parts, window.timeline):
            assert any(part.isAncestorOf(one) for one in walked), part

    assert drive([str(sample_case)], script) == 0


def test_panels_and_theme_are_remembered(drive: Drive, sample_case: Path) -> None:
    def first(driver: Driver) -> None:
        driver.until_shown()
        driver.do("view.theme")
        driver.window._docks[0].close()

    assert drive([str(sample_case)], first) == 0

    def second(driver: Driver) -> None:
        driver.until_shown()
        assert driver.workspace.settings.value.theme == "light"
        assert not driver.window._docks[0].isVisible()
        driver.do("view.panels")
        assert driver.window._docks[0].isVisible()

    assert drive([str(sample_case)], second) == 0


def test_a_window_larger_than_the_screen_opens_within_it(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        window = driver.window
        window.setGeometry(700, 500, 2600, 1500)
        window.restore_layout("", "")
        assert window.screen().availableGeometry().contains(window.geometry())
        assert window.width() > 1000

    assert drive([str(sample_case)], script) == 0


def test_an_empty_case_says_what_will_be_there_and_how_to_fill_it(
    drive: Drive, sample_case: Path, tmp_path: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.workspace.cases.new(tmp_path / "empty.case")
        driver.until(lambda: driver.session.case and driver.session.case.path.stem == "empty")
        window = driver.window
        driver.until(window.timeline_panel.empty.isVisible, "the empty timeline")
        for panel in (window.evidence, window.events, window.chat, window.trajectories):
            window.reveal(panel)
            assert panel.empty.isVisible()
            assert "here" in panel.empty.text
            button = panel.empty.findChild(QPushButton)
            assert button is not None
            assert button.text() == "Add evidence…"
            assert button.isEnabled()
        assert not window.commands.action("evidence.analyse").isEnabled()
        assert not window.commands.action("review.bookmark").isEnabled()

    assert drive([str(sample_case)], script) == 0
