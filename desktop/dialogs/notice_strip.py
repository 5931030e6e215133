"""One strip above the picture for what the examiner must know, said once and in place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from desktop.theme.icons import icon, pixmap
from desktop.theme.theme_tokens import DARK, Tokens
from engine.core.errors import SightlineError

_INFO_MS = 10_000


class NoticeStrip(QFrame):
    """Shows the last error until it is closed, or a piece of news for a while."""

    details = Signal(object)
    """The examiner wants to know all about this SightlineError."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = DARK
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INFO_MS)
        self._timer.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        row.setSpacing(8)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        self._error: SightlineError | None = None
        self._act: Callable[[], object] | None = None
        self._offer = QPushButton()
        self._offer.clicked.connect(self._take_offer)
        row.addWidget(self._offer)
        self._more = QPushButton("Details")
        self._more.setToolTip("All that is known of this error, with the end of the log")
        self._more.clicked.connect(lambda: self.details.emit(self._error))
        row.addWidget(self._more)
        for name, tip, act in (
            ("copy", "Copy this message", self._copy),
            ("x", "Close this message", self.hide),
        ):
            button = QToolButton()
            button.setIcon(icon(name))
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(act)
            row.addWidget(button)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty when hidden."""
        return "" if self.isHidden() else self._text.text()

    def hideEvent(self, event: QHideEvent) -> None:
        """Forgets when it was to hide."""
        self._timer.stop()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens = tokens

    def error(
        self, error: SightlineError, offer: str = "", act: Callable[[], object] | None = None
    ) -> None:
        """Says what went wrong, where, and what to do.

        Args:
            error: what happened.
            offer: text of a button that does it all the same; empty for none.
            act: what the button does.
        """
        self._error, self._act = error, act
        self._offer.setText(offer)
        parts = [_sentence(error.what), error.where and f"In {error.where}.", error.remedy]
        remedy = f"{_sentence(parts[2])}" if parts[2] else ""
        self._say("error", " ".join(one for one in (parts[0], parts[1], remedy) if one))
        self._timer.stop()

    def news(self, text: str) -> None:
        """Says something good to know; it goes away by itself."""
        if self.property("notice") == "error" and self.isVisible():
            return
        self._say("info", _sentence(text))
        self._timer.start()

    def _say(self, kind: str, text: str) -> None:
        self.setProperty("notice", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        bad = kind == "error"
        self._more.setVisible(bad)
        self._offer.setVisible(bad and self._act is not None)
        name, colour = ("triangle-alert", self._tokens.danger) if bad else ("info", "")
        self._sign.setPixmap(pixmap(name, 16, colour, self.devicePixelRatioF()))
        self._sign.setAccessibleName("Error" if bad else "News")
        # Words from files and people are shown as they are, never as markup.
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setText(text)
        self.setAccessibleName(text)
        self.show()

    def _take_offer(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.text())


def _sentence(text: str) -> str:
    said = "".join(char if char.isprintable() else " " for char in text).strip()
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "!", "?")) else ".")
