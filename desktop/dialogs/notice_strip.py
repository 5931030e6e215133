"""The strip above the picture, which shows errors and news."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from desktop.state.delayed_call import delayed_call
from desktop.theme.controls import icon_button, push_button
from desktop.theme.icons import pixmap
from desktop.theme.layouts import row_of
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.errors import SightlineError

_NEWS_MS = 10_000  # for which news stays, enough to read two lines; a choice


class NoticeStrip(QFrame):
    """Shows the last error until it is closed, or news for ten seconds."""

    details = Signal(object)
    """The examiner wants to know all about this SightlineError."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = DARK
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._timer = delayed_call(self, _NEWS_MS, self.hide)
        self._error: SightlineError | None = None
        self._act: Callable[[], object] | None = None
        self._act_button = push_button("", self._run_act)
        self._details_button = push_button(
            "Details",
            lambda: self.details.emit(self._error),
            "All that is known of this error, with the end of the log",
        )
        copy = icon_button("copy", "Copy this message", self._copy)
        close = icon_button("x", "Close this message", self.hide)
        buttons = (self._act_button, self._details_button, copy, close)
        row_of(self._icon, (self._text, 1), *buttons, parent=self, margins=(8, 4, 4, 4))
        self.hide()

    @property
    def text(self) -> str:
        """The words on screen; empty when hidden."""
        return "" if self.isHidden() else self._text.text()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops the timer that would hide it."""
        self._timer.stop()

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens = tokens

    def error(
        self, error: SightlineError, act_text: str = "", act: Callable[[], object] | None = None
    ) -> None:
        """Shows what went wrong, where, and what to do.

        Args:
            error: what happened.
            act_text: text of a button that insists; empty for none.
            act: called by the button.
        """
        self._error, self._act = error, act
        self._act_button.setText(act_text)
        where = error.where and f"In {error.where}."
        remedy = error.remedy and _sentence(error.remedy)
        parts = (_sentence(error.what), where, remedy)
        self._show_text("error", " ".join(part for part in parts if part))
        self._timer.stop()

    def news(self, text: str) -> None:
        """Shows news for ten seconds, unless an error is on screen."""
        if self.property("notice") == "error" and self.isVisible():
            return
        self._show_text("info", _sentence(text))
        self._timer.start()

    def _show_text(self, kind: str, text: str) -> None:
        self.setProperty("notice", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        bad = kind == "error"
        self._details_button.setVisible(bad)
        self._act_button.setVisible(bad and self._act is not None)
        name, colour = ("triangle-alert", self._tokens.danger) if bad else ("info", "")
        self._icon.setPixmap(pixmap(name, 16, colour, self.devicePixelRatioF()))
        self._icon.setAccessibleName("Error" if bad else "News")
        # Words from files and people are shown as they are, never as markup.
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setText(text)
        self.setAccessibleName(text)
        self.show()

    def _run_act(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.text())


def _sentence(text: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in text).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
