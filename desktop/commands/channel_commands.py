"""The channels as commands: which run, what the text channel is asked, whose heat is shown."""

from __future__ import annotations

from dataclasses import replace

from desktop.commands.command_registry import Command
from desktop.operations.channel_choice import choice_of, next_channel
from desktop.window import MainWindow
from desktop.workspace import Workspace


def channel_commands(workspace: Workspace, window: MainWindow) -> list[Command]:
    """Returns the commands about channels."""
    state = workspace.state

    def ask() -> None:
        # Imported here because reading prompts takes a library that nothing else needs.
        from desktop.dialogs.prompts_dialog import PromptsDialog

        view = state.evidence.value
        if view is not None:
            evidence_id = view.evidence.id
            PromptsDialog(
                choice_of(view.run),
                lambda choice: workspace.evidence.analyse(evidence_id, "resume", channels=choice),
                window,
            ).open()

    def turn() -> None:
        view, now = state.evidence.value, state.overlay.value
        if view is None:
            return
        there = tuple(view.curves)
        chosen = next_channel(there, now.channel)
        state.overlay.set(replace(now, channel=chosen))
        shown = chosen or next(iter(there), "")
        window.notice.news(f"Heat and score: {shown}" if shown else "No channel was analysed yet")

    return [
        Command("evidence.prompts", "Channels and &prompts…", ask, ("Ctrl+P",), "scan-search",
                "&Evidence", "writable"),
        Command("view.channel", "Heat and score of the next &channel", turn, ("C",), "layers",
                "&View", "evidence"),
    ]  # fmt: skip
