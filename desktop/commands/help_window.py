"""The key map, as a window that may stay open."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from desktop.commands.catalogue import MENUS
from desktop.commands.command_registry import Commands, key_text

_MOUSE = (
    "On the timeline: a click goes there, dragging scrubs, the wheel zooms, Shift and the wheel "
    "pan. On the picture: the wheel zooms, dragging pans, a double click shows all of it."
)


class HelpWindow(QDialog):
    """Lists every command with its keys."""

    def __init__(self, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(False)
        text = QTextBrowser()
        text.setAccessibleName("Keys of all commands")
        text.setHtml(_page(commands))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(text)
        self.resize(560, 640)


def _page(commands: Commands) -> str:
    parts = [f"<p>{_MOUSE}</p>"]
    for menu in MENUS:
        rows = [
            f"<tr><td>{escape(one.plain)}</td>"
            f"<td style='padding-left:24px'><b>{escape(key_text(one))}</b></td></tr>"
            for one in commands.all
            if one.menu == menu and one.keys
        ]
        if rows:
            title = escape(menu.replace("&", ""))
            parts.append(f"<h3>{title}</h3><table cellpadding='3'>{''.join(rows)}</table>")
    return "".join(parts)
