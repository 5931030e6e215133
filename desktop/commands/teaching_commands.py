"""The commands of few-shot teaching: marking targets, variants, similarity search."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.window import MainWindow
from desktop.workspace import Workspace


def teaching_commands(workspace: Workspace, window: MainWindow) -> list[WindowCommand]:
    """Returns the commands of teaching."""
    marking, similarity = workspace.marking, workspace.similarity
    command = partial(make_command, menu="&Teach", needs="review")

    def find(begin: Callable[[], None] = lambda: None) -> None:
        _show_similar_moments(workspace, window)
        begin()

    def point(shape: str) -> Callable[[], None]:
        def begin() -> None:
            window.reveal(window.teach)
            if window.teach.needs_name():
                window.notice.news("Type what the target is, then mark it")
            else:
                workspace.state.playing.set(False)
                window.player.canvas.begin_pointing(shape)

        return begin

    def toggle_side() -> None:
        window.reveal(window.teach)
        window.teach.toggle_side()

    return [
        command("teach.point", "Mark a target: &click it", point("point"), "T", icon="crosshair"),
        command("teach.box", "Mark a target: draw a &box", point("box"), "Shift+T",
                icon="square"),
        command("teach.brush", "Mark a target: br&ush over it", point("brush"), "Shift+B",
                icon="pencil"),
        command("teach.side", "The target is &abnormal, or normal", toggle_side, "X"),
        command("teach.teach", "&Teach by these marks",
                lambda: workspace.variants.teach(window.teach.variant.text()), "Ctrl+Shift+T"),
        command("teach.variants", "&Variants…", lambda: _show_variants(workspace, window),
                "Ctrl+Alt+V", icon="layers"),
        command("teach.alone", "Stop c&omparing", workspace.variants.stop_comparing),
        command("teach.like", "&Find more like this event", lambda: find(similarity.like_event),
                "Ctrl+Alt+F", icon="search"),
        command("teach.like-mark", "Find more like the mar&ked target",
                lambda: find(similarity.like_marks)),
        command("teach.words", "Find by a &description…", lambda: find(), "Alt+F"),
        command("teach.remove", "&Remove the selected mark",
                lambda: marking.remove(window.teach.selected_index), "Shift+Del",
                icon="trash-2"),
        command("teach.clear", "Remove all &marks", marking.clear),
    ]  # fmt: skip


def _show_variants(workspace: Workspace, window: MainWindow) -> None:
    # Imported here because the window opens without it.
    from desktop.dialogs.variants_dialog import VariantsDialog

    variants, dialog = workspace.variants, VariantsDialog(window)
    variants.listed.connect(dialog.show_items)
    workspace.state.evidence.changed.connect(dialog.outdated)
    dialog.outdated.connect(lambda _view: variants.relist())
    dialog.use_requested.connect(variants.use)
    dialog.comparison_requested.connect(variants.compare)
    dialog.deletion_requested.connect(variants.delete)
    dialog.show()
    variants.relist()


def _show_similar_moments(workspace: Workspace, window: MainWindow) -> None:
    """Shows the one dialog of the similarity search, with the last result."""
    # Imported here because the window opens without it.
    from desktop.dialogs.similar_moments_dialog import SimilarMomentsDialog

    similarity, dialog = workspace.similarity, window.findChild(SimilarMomentsDialog)
    if not isinstance(dialog, SimilarMomentsDialog):
        dialog = SimilarMomentsDialog(window)
        similarity.finished.connect(dialog.show_result)
        similarity.pictures_ready.connect(dialog.show_pictures)
        workspace.session.closed.connect(dialog.clear)
        dialog.description_entered.connect(similarity.like_description)
        dialog.event_search_requested.connect(similarity.like_event)
        dialog.mark_search_requested.connect(similarity.like_marks)
        dialog.chosen.connect(similarity.go_to)
        dialog.event_requested.connect(similarity.make_event)
        dialog.bookmark_requested.connect(similarity.bookmark)
    dialog.show()
    dialog.raise_()
    dialog.field.setFocus()
