"""The commands of the Evidence menu: adding, analysing, regions, exporting, locating, arranging."""

from __future__ import annotations

from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.dialog_actions.evidence_dialogs import EvidenceDialogs
from desktop.dialog_actions.export_dialogs import ExportDialogs
from desktop.operations.review_operations import ReviewOperations
from desktop.player.player import Player
from desktop.workspace import Workspace


def adding_commands(dialogs: EvidenceDialogs) -> list[WindowCommand]:
    """Returns the commands that bring evidence into the case."""
    command = partial(make_command, menu="&Evidence")
    return [
        command("evidence.add", "&Add evidence…", dialogs.add_files, "Ctrl+O", icon="plus"),
        command("evidence.add-folder", "Add a &folder of videos or images…", dialogs.add_folder),
    ]


def analysis_commands(workspace: Workspace) -> list[WindowCommand]:
    """Returns the commands that analyse evidence and go from file to file."""
    evidence, command = workspace.evidence, partial(make_command, menu="&Evidence")

    def analyse(mode: str) -> None:
        view = workspace.state.evidence.value
        if view is not None:
            evidence.analyse(view.evidence.id, mode)

    return [
        command("evidence.analyse", "Analy&se or resume", lambda: analyse("auto"), "Ctrl+R",
                icon="scan-search", needs="review"),
        command("evidence.fresh", "Anal&yse from the start", lambda: analyse("fresh"),
                needs="review"),
        command("evidence.cancel", "&Cancel current task", evidence.cancel, "Ctrl+.", icon="x",
                needs="writable"),
        command("evidence.next", "&Next file", evidence.next_file, "Ctrl+PgDown",
                icon="chevrons-right", needs="evidence"),
        command("evidence.previous", "Pre&vious file", lambda: evidence.next_file(-1),
                "Ctrl+PgUp", icon="chevrons-left", needs="evidence"),
    ]  # fmt: skip


def region_commands(review: ReviewOperations, player: Player) -> list[WindowCommand]:
    """Returns the commands that draw and clear regions of interest and ignored regions."""
    command = partial(make_command, menu="&Evidence", needs="review")
    draw = player.canvas.begin_polygon
    return [
        command("evidence.ignore", "&Ignore a region…", lambda: draw("ignore"), icon="ban"),
        command("evidence.interest", "Region of &interest…", lambda: draw("interest"),
                icon="crosshair"),
        command("evidence.regions", "Cl&ear regions", review.clear_regions),
    ]  # fmt: skip


def arranging_commands(
    workspace: Workspace, dialogs: EvidenceDialogs, exports: ExportDialogs
) -> list[WindowCommand]:
    """Returns the commands that export from evidence, locate it and move it in the list."""
    command = partial(make_command, menu="&Evidence", needs="review")

    def move(step: int) -> None:
        view = workspace.state.evidence.value
        if view is not None:
            workspace.arrange(view.evidence.id, step)

    return [
        command("evidence.export-still", "E&xport this frame…", exports.export_still, "Ctrl+E",
                icon="download"),
        command("evidence.mark", "Mar&k this frame and export it…", exports.mark_still,
                "Ctrl+Alt+E", icon="pencil"),
        command("evidence.export-span", "Export the marked span or e&vent…", exports.export_span,
                "Ctrl+Shift+E"),
        make_command("evidence.properties", "P&roperties…", dialogs.show_properties, "Alt+Return",
                     icon="info", menu="&Evidence", needs="evidence"),
        command("evidence.relink", "&Locate file…", dialogs.locate, icon="link"),
        command("evidence.up", "Move &up in the list", lambda: move(-1), "Ctrl+Shift+Up"),
        command("evidence.down", "Move &down in the list", lambda: move(1), "Ctrl+Shift+Down"),
    ]  # fmt: skip
