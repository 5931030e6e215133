"""The commands of the dialogue: interview, facts, a question of one's own, stopping an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.operations.dialogue_operations import DialogueOperations
from desktop.window import MainWindow


def dialogue_commands(dialogue: DialogueOperations, window: MainWindow) -> list[WindowCommand]:
    """Returns the commands of the dialogue; they are in the Review menu."""
    command = partial(make_command, menu="&Review", needs="review")

    def in_chat(act: Callable[[], object]) -> None:
        window.reveal(window.chat)
        act()

    return [
        command("dialogue.interview", "Inter&view this event", lambda: in_chat(dialogue.interview),
                "Q", icon="message-square"),
        command("dialogue.ask", "Ask a &question", lambda: in_chat(window.chat.begin), "/"),
        command("dialogue.facts", "&Facts of this event", lambda: in_chat(dialogue.facts),
                "Shift+Q"),
        command("dialogue.stop", "Stop the answe&r", dialogue.stop, "Ctrl+Shift+."),
    ]  # fmt: skip
