"""The one stylesheet of the window, made from the tokens."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from desktop.theme import icons
from desktop.theme.theme_tokens import THEMES, Tokens
from engine.core.resources import RESOURCES

_SHEET = RESOURCES / "themes" / "window.qss"


def apply_theme(application: QApplication, name: str) -> Tokens:
    """Gives the application a theme.

    Args:
        application: the application.
        name: `dark` or `light`; anything else counts as dark.

    Returns:
        The colours of that theme.
    """
    tokens = THEMES.get(name, THEMES["dark"])
    signs = {
        sign: (_SHEET.parent / f"{sign}-{tokens.name}.svg").as_posix()
        for sign in ("chevron", "tick")
    }
    application.setStyle("Fusion")
    application.setPalette(_palette(tokens))
    application.setStyleSheet(
        Template(_SHEET.read_text(encoding="utf-8")).substitute(asdict(tokens) | signs)
    )
    icons.set_colours(tokens.text, tokens.disabled)
    return tokens


def figures(font: QFont) -> QFont:
    """Returns a font whose figures are all equally wide, for numbers that change."""
    fixed = QFont(font)
    tag = QFont.Tag.fromString("tnum")
    if tag is not None:
        fixed.setFeature(tag, 1)
    return fixed


def mono() -> QFont:
    """Returns the system's font of fixed width, for hashes and identifiers."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)


def _palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.window,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.panel,
        QPalette.ColorRole.AlternateBase: tokens.window,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.accent_text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Mid: tokens.line,
        QPalette.ColorRole.Link: tokens.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.PlaceholderText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.disabled))
    return palette
