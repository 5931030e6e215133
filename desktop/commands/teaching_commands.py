"""Teaching by example as commands: pointing at targets, and what was marked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.commands.command_registry import Command
from desktop.window import MainWindow
from desktop.workspace import Workspace


def teaching_commands(workspace: Workspace, window: MainWindow) -> list[Command]:
    """Returns the commands of teaching."""
    teaching = workspace.teaching
    command = partial(Command, menu="&Teach", needs="review")

    def find(begin: Callable[[], None] = lambda: None) -> None:
        _show_alike(workspace, window)
        begin()

    def point(shape: str) -> Callable[[], None]:
        def begin() -> None:
            window.reveal(window.teach)
            if window.teach.wants_name():
                window.notice.news("Type what the target is, then mark it")
            else:
                workspace.state.playing.set(False)
                window.player.canvas.begin_pointing(shape)

        return begin

    return [
        command("teach.point", "Mark a target: &click it", point("point"), ("T",), "crosshair"),
        command("teach.box", "Mark a target: draw a &box", point("box"), ("Shift+T",), "square"),
        command("teach.brush", "Mark a target: br&ush over it", point("brush"), ("Shift+B",),
                "pencil"),
        command("teach.side", "The target is &abnormal, or normal", _turn_side(window),
                ("X",)),
        command("teach.teach", "&Teach by these marks",
                lambda: workspace.variants.teach(window.teach.variant.text()), ("Ctrl+Shift+T",)),
        command("teach.variants", "&Variants…", lambda: _show_variants(workspace, window),
                ("Ctrl+Alt+V",), "layers"),
        command("teach.alone", "Take the &dashed curve away", workspace.variants.compare_no_more),
        command("teach.like", "&Find more like this event",
                lambda: find(workspace.alike.like_event), ("Ctrl+Alt+F",), "search"),
        command("teach.like-mark", "Find more like the mar&ked target",
                lambda: find(workspace.alike.like_marks)),
        command("teach.words", "Find by a &description…", lambda: find(), ("Alt+F",)),
        command("teach.remove", "&Remove the selected mark",
                lambda: teaching.remove(window.teach.place), ("Shift+Del",), "trash-2"),
        command("teach.clear", "Remove all &marks", teaching.clear),
    ]  # fmt: skip


def _turn_side(window: MainWindow) -> Callable[[], None]:
    """Returns what turns the side of the next mark, and shows it."""

    def turn() -> None:
        window.reveal(window.teach)
        window.teach.turn_side()

    return turn


def _show_variants(workspace: Workspace, window: MainWindow) -> None:
    # Imported here because the window opens without it.
    from desktop.dialogs.variants_dialog import VariantsDialog

    variants, dialog = workspace.variants, VariantsDialog(window)
    variants.listed.connect(dialog.show_items)
    workspace.state.evidence.changed.connect(dialog.outdated)
    dialog.outdated.connect(lambda _view: variants.relist())
    dialog.used.connect(variants.use)
    dialog.compared.connect(variants.compare)
    dialog.discarded.connect(variants.discard)
    dialog.show()
    variants.relist()


def _show_alike(workspace: Workspace, window: MainWindow) -> None:
    """Shows the one dialog of finding more, with what it found last."""
    # Imported here because the window opens without it.
    from desktop.dialogs.similar_moments_dialog import AlikeDialog

    alike, dialog = workspace.alike, window.findChild(AlikeDialog)
    if not isinstance(dialog, AlikeDialog):
        dialog = AlikeDialog(window)
        alike.found.connect(dialog.show_found)
        alike.pictured.connect(dialog.show_pictures)
        workspace.session.closed.connect(dialog.forget)
        dialog.words.connect(alike.words)
        dialog.like_event.connect(alike.like_event)
        dialog.like_marks.connect(alike.like_marks)
        dialog.chosen.connect(alike.go_to)
        dialog.event_wanted.connect(alike.make_event)
        dialog.bookmark_wanted.connect(alike.bookmark)
    dialog.show()
    dialog.raise_()
    dialog.field.setFocus()
