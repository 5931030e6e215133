"""The commands about channels: which of them run, with which prompts, and whose heat is shown."""

from __future__ import annotations

from dataclasses import replace

from desktop.command_registry import WindowCommand, make_command
from desktop.operations.channel_choice import choice_of, next_channel
from desktop.window import MainWindow
from desktop.workspace import Workspace


def channel_commands(workspace: Workspace, window: MainWindow) -> list[WindowCommand]:
    """Returns the commands about channels."""
    state = workspace.state

    def choose() -> None:
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

    def show_next() -> None:
        view, settings = state.evidence.value, state.overlay.value
        if view is None:
            return
        channels = tuple(view.curves)
        channel = next_channel(channels, settings.channel)
        state.overlay.set(replace(settings, channel=channel))
        name = channel or next(iter(channels), "")
        window.notice.news(f"Heat and score: {name}" if name else "No channel was analysed yet")

    return [
        make_command("evidence.prompts", "Channels and &prompts…", choose, "Ctrl+P",
                     icon="scan-search", menu="&Evidence", needs="writable"),
        make_command("view.channel", "Heat and score of the next &channel", show_next, "C",
                     icon="layers", menu="&View", needs="evidence"),
    ]  # fmt: skip
