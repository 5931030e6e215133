"""The keys of all commands, in a window that may stay open."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QDialog, QTextBrowser, QWidget

from desktop.command_registry import MENUS, WindowCommands, key_text
from desktop.theme.layouts import column_of

_MOUSE = (
    "On the timeline: a click goes there, dragging scrubs, the wheel zooms, Shift and the wheel "
    "pan. On the picture: the wheel zooms, dragging pans, a double click shows all of it."
)


class KeysWindow(QDialog):
    """Lists every command with its keys."""

    def __init__(self, commands: WindowCommands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(False)
        text = QTextBrowser()
        text.setAccessibleName("Keys of all commands")
        text.setHtml(_page(commands))
        column_of(text, parent=self, margins=(8, 8, 8, 8))
        self.resize(560, 640)


def _page(commands: WindowCommands) -> str:
    parts = [f"<p>{_MOUSE}</p>"]
    for menu in MENUS:
        rows = [
            f"<tr><td>{escape(command.plain)}</td>"
            f"<td style='padding-left:24px'><b>{escape(key_text(command))}</b></td></tr>"
            for command in commands.all
            if command.menu == menu and command.keys
        ]
        if rows:
            title = escape(menu.replace("&", ""))
            parts.append(f"<h3>{title}</h3><table cellpadding='3'>{''.join(rows)}</table>")
    return "".join(parts)
