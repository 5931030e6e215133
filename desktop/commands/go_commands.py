"""The commands of the Go menu: to a moment, to a hit of the case search, from frame to frame."""

from __future__ import annotations

from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.dialog_actions.review_dialogs import ReviewDialogs
from desktop.player.player import Player
from desktop.state.view_state import ViewState
from desktop.workspace import Workspace


def going_commands(workspace: Workspace, dialogs: ReviewDialogs) -> list[WindowCommand]:
    """Returns the commands that go to a moment or search for one."""
    command = partial(make_command, menu="&Go", needs="evidence")
    return [
        command("go.to", "&Go to a time or frame…", dialogs.go_to, "Ctrl+G", icon="clock"),
        command("go.same", "The same &moment in the next file", workspace.search.same_moment,
                "Ctrl+Shift+PgDown", icon="clock"),
        command("go.find", "&Find in the case…", dialogs.find, "Ctrl+F", icon="search"),
        command("go.said", "Find n&otes and answers at this moment…",
                lambda: dialogs.find(here=True), "Ctrl+Shift+F"),
        command("go.highest", "Highest &score", workspace.review.go_to_highest, "Shift+G",
                icon="flame"),
    ]  # fmt: skip


def transport_commands(player: Player, state: ViewState) -> list[WindowCommand]:
    """Returns the commands that play, and move through the frames."""
    command = partial(make_command, menu="&Go", needs="evidence")

    def every_frame() -> None:
        state.every_frame.set(not state.every_frame.value)

    return [
        command("go.play", "&Play or pause", player.play_pause, "Space", "K", icon="play"),
        command("go.forward", "Play forward, faster each time", lambda: player.shuttle(1), "L"),
        command("go.backward", "Play backward, faster each time", lambda: player.shuttle(-1), "J"),
        command("go.slower", "Play slower", lambda: player.change_speed(-1), "["),
        command("go.faster", "Play faster", lambda: player.change_speed(1), "]"),
        command("go.every", "Play &every frame, or in real time", every_frame, "Shift+E"),
        command("go.next-frame", "One frame forward", lambda: player.step(1), "Right", ".",
                icon="step-forward", repeats=True),
        command("go.last-frame", "One frame back", lambda: player.step(-1), "Left", ",",
                icon="step-back", repeats=True),
        command("go.second", "One second forward", lambda: player.seconds(1), "Shift+Right",
                repeats=True),
        command("go.second-back", "One second back", lambda: player.seconds(-1), "Shift+Left",
                repeats=True),
        command("go.ten", "Ten seconds forward", lambda: player.seconds(10), "Ctrl+Right",
                repeats=True),
        command("go.ten-back", "Ten seconds back", lambda: player.seconds(-10), "Ctrl+Left",
                repeats=True),
        command("go.start", "First frame", player.to_start, "Home", icon="skip-back"),
        command("go.end", "Last frame", player.to_end, "End", icon="skip-forward"),
    ]  # fmt: skip
