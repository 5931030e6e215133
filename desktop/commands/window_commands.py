"""The commands about cases and the window itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.commands.command_registry import Command
from desktop.dialog_actions import Asking
from desktop.window import MainWindow
from desktop.workspace import Workspace


def _command(
    name: str, text: str, run: Callable[[], object], *keys: str, icon: str = "",
    menu: str = "", needs: str = "",
) -> Command:  # fmt: skip
    return Command(name, text, run, keys, icon, menu, needs)


def case_commands(workspace: Workspace, window: MainWindow, asking: Asking) -> list[Command]:
    """Returns what is done with whole cases."""
    cases, command = workspace.cases, partial(_command, menu="&Case")
    return [
        command("case.new", "&New case…", asking.new_case, "Ctrl+Shift+N", icon="folder-plus"),
        command("case.open", "&Open case…", asking.open_case, "Ctrl+Shift+O", icon="folder-open"),
        command("case.sample", "Open the &sample case", cases.open_sample),
        command("case.copy", "&Copy case…", asking.copy_case, icon="copy", needs="case"),
        command("case.verify", "&Verify evidence and records", workspace.evidence.verify,
                "Ctrl+Shift+V", icon="shield-check", needs="writable"),
        command("case.compare", "Verify and co&mpare…", asking.verify, needs="writable"),
        command("case.log", "Audit lo&g…", asking.log, "Ctrl+L", icon="list", needs="case"),
        command("case.report", "Write a &report…", asking.report, "Ctrl+Shift+R",
                icon="file-text", needs="writable"),
        command("case.close", "C&lose case", cases.close, "Ctrl+W", needs="case"),
        command("case.quit", "&Quit", window.close, "Ctrl+Q"),
    ]  # fmt: skip


def edit_commands(workspace: Workspace, asking: Asking) -> list[Command]:
    """Returns what takes edits back, and what is copied."""
    session, command = workspace.session, partial(_command, menu="&Edit")
    return [
        command("edit.undo", "&Undo", lambda: session.editor.undo(), "Ctrl+Z", icon="undo-2",
                needs="undo"),
        command("edit.redo", "&Redo", lambda: session.editor.redo(), "Ctrl+Shift+Z",
                icon="redo-2", needs="redo"),
        command("edit.copy", "&Copy frame", lambda: asking.copy_frame(overlay=False),
                "Ctrl+Shift+C", icon="copy", needs="evidence"),
        command("edit.copy-overlay", "Copy frame with &overlay",
                lambda: asking.copy_frame(overlay=True), "Ctrl+Alt+C", needs="evidence"),
        command("edit.clock", "Burned-in c&lock…", asking.clock, icon="clock", needs="review"),
    ]  # fmt: skip


def adding_commands(asking: Asking) -> list[Command]:
    """Returns what brings evidence into the case."""
    command = partial(_command, menu="&Evidence")
    return [
        command("evidence.add", "&Add evidence…", asking.add_files, "Ctrl+O", icon="plus"),
        command("evidence.add-folder", "Add a &folder of videos or images…", asking.add_folder),
    ]


def arranging_commands(workspace: Workspace, asking: Asking) -> list[Command]:
    """Returns what changes where evidence lies and stands."""
    command = partial(_command, menu="&Evidence", needs="review")

    def move(step: int) -> None:
        view = workspace.state.evidence.value
        if view is not None:
            workspace.arrange(view.evidence.id, step)

    return [
        command("evidence.export-still", "E&xport this frame…", asking.export_still, "Ctrl+E",
                icon="download"),
        command("evidence.mark", "Mar&k this frame and export it…", asking.mark_still, "Ctrl+Alt+E",
                icon="pencil"),
        command("evidence.export-span", "Export the marked span or e&vent…", asking.export_span,
                "Ctrl+Shift+E"),
        Command("evidence.properties", "P&roperties…", asking.properties, ("Alt+Return",), "info",
                "&Evidence", "evidence"),
        command("evidence.relink", "Say &where the file lies now…", asking.relink, icon="link"),
        command("evidence.up", "Move &up in the list", lambda: move(-1), "Ctrl+Shift+Up"),
        command("evidence.down", "Move &down in the list", lambda: move(1), "Ctrl+Shift+Down"),
    ]  # fmt: skip


def writing_commands(workspace: Workspace, asking: Asking) -> list[Command]:
    """Returns what the examiner writes, and what takes it out of sight."""
    command = partial(_command, menu="&Review", needs="writable")
    return [
        command("review.named", "Bookmark &with a note", asking.name_bookmark, "Ctrl+M"),
        command("review.note", "Write a no&te", asking.write_note, "Ctrl+N", icon="sticky-note"),
        command("review.amend", "&Amend the selected note", asking.amend_note, "F2",
                icon="pencil"),
        command("review.remove", "Remove the selected bookmark, note or event of your own",
                workspace.review.remove_selected, "Del", icon="trash-2"),
    ]  # fmt: skip


def going_commands(workspace: Workspace, asking: Asking) -> list[Command]:
    """Returns what goes to a moment that is named or sought."""
    command = partial(_command, menu="&Go", needs="evidence")
    return [
        command("go.to", "&Go to a time or frame…", asking.go_to, "Ctrl+G", icon="clock"),
        command("go.same", "The same &moment in the next file", workspace.finding.same_moment,
                "Ctrl+Shift+PgDown", icon="clock"),
        command("go.find", "&Find in the case…", asking.find, "Ctrl+F", icon="search"),
        command("go.said", "What is &said about this moment…", lambda: asking.find(here=True),
                "Ctrl+Shift+F"),
        command("go.highest", "Highest &score", workspace.review.go_to_highest, "Shift+G",
                icon="flame"),
    ]  # fmt: skip


def window_commands(
    window: MainWindow, asking: Asking, turn_theme: Callable[[], object]
) -> list[Command]:
    """Returns what is done with the window, and help."""
    command = partial(_command, menu="&Help")
    return [
        _command("view.theme", "Dark or light &theme", turn_theme, "Ctrl+T", icon="sun",
                 menu="&View"),
        _command("view.panels", "Put &panels where they belong", window.reset_panels,
                 menu="&View"),
        _command("review.built", "Review &built dialogues…", asking.built, icon="film",
                 menu="&Review"),
        command("help.palette", "&Find a command…", asking.palette, "Ctrl+K", icon="search"),
        command("help.keys", "&Keys", asking.keys, "F1", "?", icon="keyboard"),
        command("help.packs", "&Packs…", asking.packs, icon="layers"),
        command("help.problem", "&Report a problem…", asking.problem, icon="file-warning"),
        command("help.about", "&About Sightline", asking.about, icon="info"),
    ]  # fmt: skip
