"""The commands of the View menu: what is drawn over the frame, and how large."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from desktop.command_registry import WindowCommand, make_command
from desktop.operations.review_operations import ReviewOperations
from desktop.player.player import Player
from desktop.state.view_state import ViewState
from desktop.timeline.timeline import Timeline


def view_commands(
    state: ViewState, review: ReviewOperations, player: Player, timeline: Timeline
) -> list[WindowCommand]:
    """Returns the commands about overlay and zoom."""
    command = partial(make_command, menu="&View", needs="evidence")

    def toggle(field: str) -> None:
        settings = state.overlay.value
        changes: dict[str, Any] = {field: not getattr(settings, field)}
        state.overlay.set(replace(settings, **changes))

    def change_opacity(step: float) -> None:
        settings = state.overlay.value
        opacity = min(1.0, max(0.0, settings.opacity + step))
        state.overlay.set(replace(settings, opacity=opacity))

    return [
        command("view.heat", "&Heatmap", lambda: toggle("heat"), "H", icon="flame"),
        command("view.more-heat", "Heatmap more opaque", lambda: change_opacity(0.1), "Shift+H"),
        command("view.less-heat", "Heatmap less opaque", lambda: change_opacity(-0.1), "Alt+H"),
        command("view.boxes", "&Boxes", lambda: toggle("boxes"), "B", icon="square"),
        command("view.paths", "&Paths", lambda: toggle("paths"), "P", icon="route"),
        command("view.side", "Compare with and without &overlay", lambda: toggle("side_by_side"),
                "S", icon="columns-2"),
        command("view.accumulated", "&Accumulated view of the selection",
                review.toggle_accumulated, "A", icon="layers"),
        command("view.zoom-in", "Zoom into the picture", lambda: player.canvas.zoom(1.25),
                "+", "=", icon="zoom-in"),
        command("view.zoom-out", "Zoom out of the picture", lambda: player.canvas.zoom(0.8), "-",
                icon="zoom-out"),
        command("view.fit", "Show the &whole picture", player.canvas.fit, "0", icon="maximize"),
        command("view.time-in", "Zoom into the timeline", timeline.zoom_in, "Ctrl++", "Ctrl+="),
        command("view.time-out", "Zoom out of the timeline", timeline.zoom_out, "Ctrl+-"),
        command("view.time-fit", "Show the whole timeline", timeline.view.fit, "Ctrl+0"),
    ]  # fmt: skip
