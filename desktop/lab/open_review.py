"""Opens the review of built dialogues once everything to review has been read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from desktop.lab.review_items import Material, load_material
from desktop.lab.review_window import ReviewWindow
from desktop.theme.theme_tokens import THEMES
from desktop.window import MainWindow
from desktop.workspace import Workspace


def open_review(folder: Path, root: Path, workspace: Workspace, window: MainWindow) -> None:
    """Lets the examiner go through built dialogues.

    Args:
        folder: that `dialogues build` wrote.
        root: the data set's folder, where the videos lie.
        workspace: what is behind the window.
        window: the parent of the review; told of every failure.
    """

    def show(material: Material) -> None:
        tokens = THEMES[workspace.settings.value.theme]
        dialog = ReviewWindow(material, tokens, window)
        dialog.failed.connect(window.notice.error)
        window.closing.connect(dialog.footage.close_threads)
        dialog.show()

    workspace.background.run(partial(load_material, folder, root), show, window.notice.error)
