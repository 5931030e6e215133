"""The commands of the window, with the key map that examiners know from other players."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from desktop.commands.command_registry import Command
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.review_operations import ReviewOperations
from desktop.player.player import Player
from desktop.session.session import Session
from desktop.state.view_state import OverlaySettings, ViewState
from desktop.timeline.timeline import Timeline

MENUS = ("&Case", "&Edit", "&Evidence", "&Go", "&Review", "&Teach", "&View", "&Help")


def transport(player: Player, state: ViewState) -> list[Command]:
    """Returns what moves through the frames."""

    def command(
        name: str, text: str, run: object, *keys: str, icon: str = "", held: bool = False
    ) -> Command:
        assert callable(run)
        return Command(f"go.{name}", text, run, keys, icon, "&Go", "evidence", held)

    def every_frame() -> None:
        state.every_frame.set(not state.every_frame.value)

    return [
        command("play", "&Play or pause", player.play_pause, "Space", "K", icon="play"),
        command("forward", "Play forward, faster each time", lambda: player.shuttle(1), "L"),
        command("backward", "Play backward, faster each time", lambda: player.shuttle(-1), "J"),
        command("slower", "Play slower", lambda: player.change_speed(-1), "["),
        command("faster", "Play faster", lambda: player.change_speed(1), "]"),
        command("every", "Play &every frame, or in real time", every_frame, "Shift+E"),
        command("next-frame", "One frame forward", lambda: player.step(1), "Right", ".",
                icon="step-forward", held=True),
        command("last-frame", "One frame back", lambda: player.step(-1), "Left", ",",
                icon="step-back", held=True),
        command("second", "One second forward", lambda: player.seconds(1), "Shift+Right",
                held=True),
        command("second-back", "One second back", lambda: player.seconds(-1), "Shift+Left",
                held=True),
        command("ten", "Ten seconds forward", lambda: player.seconds(10), "Ctrl+Right", held=True),
        command("ten-back", "Ten seconds back", lambda: player.seconds(-10), "Ctrl+Left",
                held=True),
        command("start", "First frame", player.to_start, "Home", icon="skip-back"),
        command("end", "Last frame", player.to_end, "End", icon="skip-forward"),
    ]  # fmt: skip


def review(operations: ReviewOperations) -> list[Command]:
    """Returns what is done with events, marks and bookmarks."""

    def command(
        name: str, text: str, run: object, *keys: str, icon: str = "", needs: str = "review"
    ) -> Command:
        assert callable(run)
        return Command(f"review.{name}", text, run, keys, icon, "&Review", needs)

    return [
        command("next", "&Next event", lambda: operations.next_event(1), "N",
                icon="chevron-right", needs="evidence"),
        command("previous", "Pre&vious event", lambda: operations.next_event(-1), "Shift+N",
                icon="chevron-left", needs="evidence"),
        command("unseen", "Event is &unseen", lambda: operations.triage("unseen"), "1",
                icon="circle"),
        command("seen", "Event is &seen", lambda: operations.triage("seen"), "2", icon="eye"),
        command("relevant", "Event is &relevant", lambda: operations.triage("relevant"), "3",
                icon="circle-check"),
        command("dismissed", "&Dismiss event", lambda: operations.triage("dismissed"), "4",
                icon="circle-x"),
        command("in", "&In mark here", lambda: operations.mark(end=False), "I", needs="evidence"),
        command("out", "&Out mark here", lambda: operations.mark(end=True), "O",
                needs="evidence"),
        command("clear", "Clear marks", operations.clear_marks, "Shift+I", needs="evidence"),
        command("bookmark", "Book&mark this", operations.bookmark, "M", icon="bookmark"),
        command("event", "Make an &event from the marks", operations.make_event, "E",
                icon="flag"),
        command("normal", "Marked span is normal &footage", operations.mark_normal, "Shift+M",
                icon="check"),
        command("no-normal", "Forget normal footage", operations.clear_normal),
    ]  # fmt: skip


def evidence(operations: EvidenceOperations, session: Session) -> list[Command]:
    """Returns what is done with evidence."""

    def command(
        name: str, text: str, run: object, *keys: str, icon: str = "", needs: str = "review"
    ) -> Command:
        assert callable(run)
        return Command(f"evidence.{name}", text, run, keys, icon, "&Evidence", needs)

    def analyse(mode: str) -> None:
        view = session.state.evidence.value
        if view is not None:
            operations.analyse(view.evidence.id, mode)

    following = [
        Command("evidence.next", "&Next file", operations.next_file, ("Ctrl+PgDown",),
                "chevrons-right", "&Evidence", "evidence"),
        Command("evidence.previous", "Pre&vious file", lambda: operations.next_file(-1),
                ("Ctrl+PgUp",), "chevrons-left", "&Evidence", "evidence"),
    ]  # fmt: skip
    return [
        command("analyse", "&Analyse, or go on", lambda: analyse("auto"), "Ctrl+R",
                icon="scan-search"),
        command("fresh", "Analyse &afresh", lambda: analyse("fresh")),
        command("cancel", "&Stop the work in progress", operations.cancel, "Ctrl+.", icon="x",
                needs="writable"),
        *following,
    ]  # fmt: skip


def regions(operations: ReviewOperations, player: Player) -> list[Command]:
    """Returns what says which parts of the picture count."""

    def command(name: str, text: str, run: object, icon: str = "") -> Command:
        assert callable(run)
        return Command(f"evidence.{name}", text, run, (), icon, "&Evidence", "review")

    def draw(kind: str) -> None:
        player.canvas.begin_polygon(kind)

    return [
        command("ignore", "&Ignore a region…", lambda: draw("ignore"), "ban"),
        command("interest", "Region of &interest…", lambda: draw("interest"), "crosshair"),
        command("regions", "Let the whole picture &count again", operations.clear_regions),
    ]


def view(
    state: ViewState, operations: ReviewOperations, player: Player, timeline: Timeline
) -> list[Command]:
    """Returns what changes how things are shown."""

    def command(name: str, text: str, run: object, *keys: str, icon: str = "") -> Command:
        assert callable(run)
        return Command(f"view.{name}", text, run, keys, icon, "&View", "evidence")

    def turn(field: str) -> None:
        now = state.overlay.value
        changes: dict[str, Any] = {field: not getattr(now, field)}
        state.overlay.set(replace(now, **changes))

    def opacity(step: float) -> None:
        now: OverlaySettings = state.overlay.value
        state.overlay.set(replace(now, opacity=min(1.0, max(0.0, now.opacity + step))))

    return [
        command("heat", "&Heatmap", lambda: turn("heat"), "H", icon="flame"),
        command("more-heat", "Heatmap more opaque", lambda: opacity(0.1), "Shift+H"),
        command("less-heat", "Heatmap less opaque", lambda: opacity(-0.1), "Alt+H"),
        command("boxes", "&Boxes", lambda: turn("boxes"), "B", icon="square"),
        command("paths", "&Paths", lambda: turn("paths"), "P", icon="route"),
        command("side", "Plain and overlaid &side by side", lambda: turn("side_by_side"), "S",
                icon="columns-2"),
        command("accumulated", "&Accumulated view of the selection",
                operations.turn_accumulated, "A",
                icon="layers"),
        command("zoom-in", "Zoom into the picture", lambda: player.canvas.zoom(1.25), "+", "=",
                icon="zoom-in"),
        command("zoom-out", "Zoom out of the picture", lambda: player.canvas.zoom(0.8), "-",
                icon="zoom-out"),
        command("fit", "Show the &whole picture", player.canvas.fit, "0", icon="maximize"),
        command("time-in", "Zoom into the timeline", timeline.zoom_in, "Ctrl++", "Ctrl+="),
        command("time-out", "Zoom out of the timeline", timeline.zoom_out, "Ctrl+-"),
        command("time-fit", "Show the whole timeline", timeline.view.fit, "Ctrl+0"),
    ]  # fmt: skip
