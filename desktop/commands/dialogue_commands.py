"""The dialogue as commands: the five questions, the facts, the field, the end of an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.commands.command_registry import Command
from desktop.window import MainWindow
from desktop.workspace import Workspace


def dialogue_commands(workspace: Workspace, window: MainWindow) -> list[Command]:
    """Returns the commands of the dialogue."""
    dialogue = workspace.dialogue
    command = partial(Command, menu="&Review", needs="review")

    def shown(act: Callable[[], object]) -> None:
        window.reveal(window.chat)
        act()

    return [
        command("dialogue.interview", "Inter&view this event", lambda: shown(dialogue.interview),
                ("Q",), "message-square"),
        command("dialogue.ask", "Ask a &question", lambda: shown(window.chat.begin), ("/",)),
        command("dialogue.facts", "&Facts of this event", lambda: shown(dialogue.facts),
                ("Shift+Q",)),
        command("dialogue.stop", "Stop the answe&r", dialogue.stop, ("Ctrl+Shift+.",)),
    ]  # fmt: skip
