"""The commands of the Case, Edit and Help menus, and those about the window itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.commands.lab_windows import lab_commands
from desktop.dialog_actions.case_dialogs import CaseDialogs
from desktop.dialog_actions.help_dialogs import HelpDialogs
from desktop.dialog_actions.window_dialogs import WindowDialogs
from desktop.window import MainWindow
from desktop.workspace import Workspace


def case_commands(
    workspace: Workspace, window: MainWindow, dialogs: CaseDialogs
) -> list[WindowCommand]:
    """Returns the commands about whole cases."""
    cases, command = workspace.cases, partial(make_command, menu="&Case")
    return [
        command("case.new", "&New case…", dialogs.new, "Ctrl+Shift+N", icon="folder-plus"),
        command("case.open", "&Open case…", dialogs.open, "Ctrl+Shift+O", icon="folder-open"),
        command("case.sample", "Open the &sample case", cases.open_sample),
        command("case.copy", "&Copy case…", dialogs.copy, icon="copy", needs="case"),
        command("case.verify", "&Verify evidence and records", workspace.evidence.verify,
                "Ctrl+Shift+V", icon="shield-check", needs="writable"),
        command("case.compare", "Verify and co&mpare…", dialogs.verify, needs="writable"),
        command("case.log", "Audit lo&g…", dialogs.show_log, "Ctrl+L", icon="list", needs="case"),
        command("case.report", "Write a &report…", dialogs.write_report, "Ctrl+Shift+R",
                icon="file-text", needs="writable"),
        command("case.close", "C&lose case", cases.close, "Ctrl+W", needs="case"),
        command("case.quit", "&Quit", window.close, "Ctrl+Q"),
    ]  # fmt: skip


def edit_commands(workspace: Workspace, dialogs: WindowDialogs) -> list[WindowCommand]:
    """Returns the commands that take edits back, and those that copy."""
    session, command = workspace.session, partial(make_command, menu="&Edit")
    return [
        command("edit.undo", "&Undo", lambda: session.editor.undo(), "Ctrl+Z", icon="undo-2",
                needs="undo"),
        command("edit.redo", "&Redo", lambda: session.editor.redo(), "Ctrl+Shift+Z",
                icon="redo-2", needs="redo"),
        command("edit.copy", "&Copy frame", lambda: dialogs.export.copy_frame(overlay=False),
                "Ctrl+Shift+C", icon="copy", needs="evidence"),
        command("edit.copy-overlay", "Copy frame with &overlay",
                lambda: dialogs.export.copy_frame(overlay=True), "Ctrl+Alt+C", needs="evidence"),
        command("edit.clock", "Burned-in c&lock…", dialogs.evidence.set_clock, icon="clock",
                needs="review"),
    ]  # fmt: skip


def window_commands(
    workspace: Workspace, window: MainWindow, dialogs: HelpDialogs, toggle_theme: Callable[[], None]
) -> list[WindowCommand]:
    """Returns the commands about the window itself, its laboratory, and help."""
    command = partial(make_command, menu="&Help")
    return [
        make_command("view.theme", "Dark or light &theme", toggle_theme, "Ctrl+T", icon="sun",
                     menu="&View"),
        make_command("view.panels", "Reset panel la&yout", window.reset_panels, menu="&View"),
        *lab_commands(workspace, window),
        command("help.palette", "&Find a command…", dialogs.find_command, "Ctrl+K",
                icon="search"),
        command("help.keys", "&Keys", dialogs.show_keys, "F1", "?", icon="keyboard"),
        command("help.packs", "&Packs…", dialogs.show_packs, icon="layers"),
        command("help.problem", "&Report a problem…", dialogs.report_problem, icon="file-warning"),
        command("help.about", "&About Sightline", dialogs.show_about, icon="info"),
    ]  # fmt: skip
