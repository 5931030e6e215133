"""The installed packs: parts, licences, needed memory; verifying and importing them."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QProgressBar,
    QSplitter,
    QTextBrowser,
    QWidget,
)

from desktop.dialogs.dialog_parts import dialog_column, plain_button
from desktop.panels.row_list import Row, RowList
from desktop.session.background import Background, BackgroundTask
from desktop.theme.controls import push_button
from desktop.theme.layouts import row_of
from engine.core.errors import CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.packs.pack import Pack
from engine.packs.pack_folders import user_packs
from engine.packs.pack_import import import_pack
from engine.packs.pack_listing import CheckedPack, ListedPack, check_pack, list_packs
from engine.packs.pack_memory import Machine, fits_machine, memory_text, size_text, this_machine

_BAR_STEPS = 1000  # of a progress bar, finer than its pixels
_ARCHIVES = "Archives (*.zip *.tar *.tar.gz *.tgz)"
_EMPTY = "No packs yet. Import one from a folder or an archive."


class PacksDialog(QDialog):
    """Lists packs, verifies them and imports new ones.

    Args:
        background: runs what takes time.
        parent: the window.
    """

    def __init__(self, background: Background, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Packs")
        self.setModal(False)
        self._background = background
        self._cancel: CancelToken | None = None
        self._packs: tuple[ListedPack, ...] = ()
        self._machine: Machine | None = None
        self._checked: dict[Path, CheckedPack] = {}
        self._select_next = ""
        self.list = RowList("Packs")
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_selected())
        self._about = QTextBrowser()
        self._about.setAccessibleName("What the pack is made of")
        self._about.setOpenLinks(False)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._stop = push_button("Cancel", self._stop_work)
        self._lay_out()
        background.progressed.connect(self._show_progress)
        self._end_work()

    def open_fresh(self) -> None:
        """Shows the dialog and reads the list of packs."""
        self.show()
        self.raise_()
        self.refresh()

    def refresh(self) -> None:
        """Reads the list of packs again."""

        def look(
            _cancel: CancelToken, _progress: ProgressCallback
        ) -> tuple[tuple[ListedPack, ...], Machine]:
            return list_packs(), this_machine()

        self._begin("Looking for packs", look, self._show_packs)

    def verify(self) -> None:
        """Hashes every file of the selected pack."""
        selected = self._selected_pack
        if selected is None:
            return

        def check(cancel: CancelToken, progress: ProgressCallback) -> CheckedPack:
            return check_pack(selected.folder, cancel, progress)

        self._begin(f"Verifying {selected.name}", check, self._show_verification)

    def import_from(self, path: Path) -> None:
        """Imports a pack from a folder or an archive."""

        def copy(cancel: CancelToken, progress: ProgressCallback) -> Pack:
            return import_pack(path, cancel, progress)

        self._begin(f"Importing {path.name}", copy, self._select_imported)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stops what is in progress; an import leaves nothing half-written."""
        self._stop_work()
        super().closeEvent(event)

    def reject(self) -> None:
        """Closes as the window's own cross does."""
        self.close()

    @property
    def message(self) -> str:
        """What is said about the last work."""
        return self._message.text()

    @property
    def about(self) -> str:
        """What is shown of the selected pack, as plain text."""
        return self._about.toPlainText()

    @property
    def _selected_pack(self) -> ListedPack | None:
        index = self.list.selected_id
        return None if index is None or index >= len(self._packs) else self._packs[index]

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self._about)
        split.setStretchFactor(1, 1)
        split.setSizes([320, 480])
        split.setChildrenCollapsible(False)
        tip = "Hash every file of the pack and of its base weights"
        self._verify = plain_button("Verify", self.verify, tip)
        folder = plain_button("Import a folder…", self._ask_folder)
        archive = plain_button("Import an archive…", self._ask_archive)
        self._idle_buttons = (self._verify, folder, archive)
        self._bar.setFixedWidth(160)
        work = row_of((self._message, 1), self._bar, self._stop)
        buttons = row_of(*self._idle_buttons, None, push_button("Close", self.close))
        dialog_column(self, (split, 1), work, buttons)
        self.resize(880, 520)

    def _begin(self, title: str, task: BackgroundTask, done: object) -> None:
        if self._cancel is not None:
            return
        assert callable(done)

        def finish(value: object) -> None:
            self._end_work()
            done(value)

        def stoppable(cancel: CancelToken, progress: ProgressCallback) -> object:
            # A cancelled task calls nothing back, but the buttons must be enabled again.
            try:
                return task(cancel, progress)
            except CancelledError as error:
                raise SightlineError("stopped, nothing was changed") from error

        self._show_message(title)
        self._bar.setRange(0, 0)
        self._bar.show()
        self._stop.show()
        self._stop.setEnabled(True)
        for button in self._idle_buttons:
            button.setEnabled(False)
        self._cancel = self._background.run(stoppable, finish, self._show_error)

    def _end_work(self) -> None:
        self._cancel = None
        self._bar.hide()
        self._stop.hide()
        for button in self._idle_buttons:
            button.setEnabled(True)
        self._verify.setEnabled(self._selected_pack is not None)

    def _stop_work(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
            self._stop.setEnabled(False)

    def _show_progress(self, progress: Progress) -> None:
        if self._cancel is not None and progress.total:
            self._bar.setRange(0, _BAR_STEPS)
            self._bar.setValue(round(_BAR_STEPS * min(1.0, progress.done / progress.total)))

    def _show_error(self, error: SightlineError) -> None:
        self._end_work()
        self._show_message(error.line(), "danger")

    def _show_packs(self, packs_and_machine: tuple[tuple[ListedPack, ...], Machine]) -> None:
        self._packs, self._machine = packs_and_machine
        self._fill()
        self._show_message("" if self._packs else _EMPTY)
        next_rows = [row for row, pack in enumerate(self._packs) if pack.name == self._select_next]
        self._select_next = ""
        if self._packs and (next_rows or self.list.selected_id is None):
            self.list.select(next_rows[0] if next_rows else 0)
        self._show_selected()

    def _show_verification(self, checked: CheckedPack) -> None:
        self._checked[checked.folder] = checked
        self._fill()
        self._show_selected()
        if checked.ok:
            self._show_message(f"{checked.name} {checked.version} is what its manifest says")
        else:
            self._show_message(checked.problems[0], "danger")

    def _select_imported(self, pack: Pack) -> None:
        self._select_next = pack.name
        self.refresh()

    def _fill(self) -> None:
        self.list.set_rows(
            [_row(index, pack, self._machine, self._checked.get(pack.folder))
             for index, pack in enumerate(self._packs)]
        )  # fmt: skip

    def _show_selected(self) -> None:
        selected = self._selected_pack
        self._verify.setEnabled(selected is not None and self._cancel is None)
        if selected is None or self._machine is None:
            self._about.setHtml("")
        else:
            checked = self._checked.get(selected.folder)
            self._about.setHtml(about_html(selected, self._machine, checked))

    def _show_message(self, text: str, role: str = "muted") -> None:
        self._message.setText(text)
        self._message.setProperty("role", role)
        self._message.style().unpolish(self._message)
        self._message.style().polish(self._message)

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Import the folder of a pack")
        if chosen:
            self.import_from(Path(chosen))

    def _ask_archive(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Import the archive of a pack", "", _ARCHIVES)
        if chosen:
            self.import_from(Path(chosen))


def _row(
    index: int, listed: ListedPack, machine: Machine | None, checked: CheckedPack | None
) -> Row:
    """Returns the row of a pack; a shape and a word say its state, not a colour alone."""
    pack = listed.pack
    if pack is None:
        what = "" if listed.error is None else listed.error.what
        return Row(index, listed.name, what, "cannot be used", "circle-x", icon_label="unsound")
    memory = "" if machine is None else memory_text(pack.memory, machine).rpartition(" · ")[2]
    icon, state = "circle", "not verified yet"
    if checked is not None:
        icon, state = ("shield-check", "verified") if checked.ok else ("shield-alert", "differs")
    elif pack.missing_base:
        icon, state = "triangle-alert", "base weights are missing"
    detail = " · ".join(part for part in (state, memory, pack.licence) if part)
    title = f"{pack.name} {pack.version}"
    return Row(index, title, detail, size_text(pack.bytes), icon, icon_label=state)


def about_html(listed: ListedPack, machine: Machine, checked: CheckedPack | None) -> str:
    """Returns a page about a pack: licence, size, memory, parts, training, metrics."""
    if listed.pack is None:
        line = "" if listed.error is None else listed.error.line()
        return f"<h3>{escape(listed.name)}</h3><p>{escape(line)}</p>"
    pack = listed.pack
    rows = [
        ("Licence", pack.licence),
        ("Size", f"{size_text(pack.bytes)} in {len(pack.files)} files, without base weights"),
        ("Memory", memory_text(pack.memory, machine)),
        ("Backbone", f"{pack.backbone.name}; {pack.grid.frames} frames a window"),
        ("Languages", ", ".join(pack.languages)),
        ("Folder", "ships with Sightline" if listed.shipped else str(listed.folder)),
        ("Trained on", pack.training.data),
        ("Trained by", pack.training.command),
    ]
    if not fits_machine(pack.memory, machine):
        rows.insert(3, ("", "This machine has too little memory for it."))
    if pack.missing_base:
        rows.insert(0, ("Missing", f"base weights {', '.join(pack.missing_base)}"))
    parts = [(f"{part.name}", f"{part.licence} · {part.provenance}") for part in pack.parts]
    metrics = [(metric.name, f"{metric.value:.3g} · {metric.data}") for metric in pack.metrics]
    problems = [] if checked is None else [("Problem", line) for line in checked.problems]
    return (
        f"<h3>{escape(pack.name)} {escape(pack.version)}</h3>{_table([*problems, *rows])}"
        f"<h4>Parts</h4>{_table(parts)}"
        + (f"<h4>Measured</h4>{_table(metrics)}" if metrics else "")
        + f"<p>Your packs lie in {escape(str(user_packs()))}.</p>"
    )


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td width='120'><b>{escape(name)}</b></td><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"<table cellpadding='2'>{cells}</table>"
