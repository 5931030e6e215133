"""The packs that are there: what each is made of, what it needs, whether it is sound."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from desktop.panels.row_list import Row, RowList
from desktop.session.background import Background, Task
from engine.core.errors import CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.packs.pack import Pack
from engine.packs.pack_folders import user_packs
from engine.packs.pack_import import import_pack
from engine.packs.pack_listing import CheckedPack, Listed, check_pack, list_packs
from engine.packs.pack_memory import Machine, fits, said, size_text, this_machine

_THOUSAND = 1000
_ARCHIVES = "Archives (*.zip *.tar *.tar.gz *.tgz)"
_EMPTY = "No packs yet. Import one from a folder or an archive."


class PacksDialog(QDialog):
    """Lists packs, verifies them and brings new ones in.

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
        self._packs: tuple[Listed, ...] = ()
        self._machine: Machine | None = None
        self._checked: dict[Path, CheckedPack] = {}
        self._shown_next = ""
        self.list = RowList("Packs")
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_chosen())
        self._about = QTextBrowser()
        self._about.setAccessibleName("What the pack is made of")
        self._about.setOpenLinks(False)
        self._said = QLabel()
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._stop = QPushButton("Cancel")
        self._stop.clicked.connect(self._stop_work)
        self._lay_out()
        background.progressed.connect(self._progress)
        self._rest()

    def open_fresh(self) -> None:
        """Shows the dialog with what is there now."""
        self.show()
        self.raise_()
        self.refresh()

    def refresh(self) -> None:
        """Reads the list of packs again."""

        def look(
            _cancel: CancelToken, _progress: ProgressCallback
        ) -> tuple[tuple[Listed, ...], Machine]:
            return list_packs(), this_machine()

        self._begin("Looking for packs", look, self._listed)

    def verify(self) -> None:
        """Hashes every file of the chosen pack."""
        chosen = self._chosen
        if chosen is None:
            return

        def check(cancel: CancelToken, progress: ProgressCallback) -> CheckedPack:
            return check_pack(chosen.folder, cancel, progress)

        self._begin(f"Verifying {chosen.name}", check, self._verified)

    def bring_in(self, path: Path) -> None:
        """Imports a pack from a folder or an archive."""

        def bring(cancel: CancelToken, progress: ProgressCallback) -> Pack:
            return import_pack(path, cancel, progress)

        self._begin(f"Importing {path.name}", bring, self._imported)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stops what is in progress; an import leaves nothing half-written."""
        self._stop_work()
        super().closeEvent(event)

    def reject(self) -> None:
        """Closes as the window's own cross does."""
        self.close()

    @property
    def said(self) -> str:
        """What it says about the work done last."""
        return self._said.text()

    @property
    def about(self) -> str:
        """What it shows of the chosen pack, without marks."""
        return self._about.toPlainText()

    @property
    def _chosen(self) -> Listed | None:
        place = self.list.selected
        return None if place is None or place >= len(self._packs) else self._packs[place]

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self._about)
        split.setStretchFactor(1, 1)
        split.setSizes([320, 480])
        split.setChildrenCollapsible(False)
        self._verify = QPushButton("Verify")
        self._verify.setToolTip("Hash every file of the pack and of its base weights")
        self._verify.clicked.connect(self.verify)
        folder = QPushButton("Import a folder…")
        folder.clicked.connect(self._ask_folder)
        archive = QPushButton("Import an archive…")
        archive.clicked.connect(self._ask_archive)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        self._busy_without = (self._verify, folder, archive)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for one in self._busy_without:
            one.setAutoDefault(False)
            buttons.addWidget(one)
        buttons.addStretch(1)
        buttons.addWidget(close)
        work = QHBoxLayout()
        work.setSpacing(8)
        work.addWidget(self._said, 1)
        work.addWidget(self._bar)
        work.addWidget(self._stop)
        self._bar.setFixedWidth(160)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(split, 1)
        layout.addLayout(work)
        layout.addLayout(buttons)
        self.resize(880, 520)

    def _begin(self, title: str, task: Task, done: object) -> None:
        if self._cancel is not None:
            return
        assert callable(done)

        def finish(value: object) -> None:
            self._rest()
            done(value)

        def stoppable(cancel: CancelToken, progress: ProgressCallback) -> object:
            # A cancelled task answers nothing, but the buttons must come back.
            try:
                return task(cancel, progress)
            except CancelledError as error:
                raise SightlineError("stopped, nothing was changed") from error

        self._say(title)
        self._bar.setRange(0, 0)
        self._bar.show()
        self._stop.show()
        self._stop.setEnabled(True)
        for one in self._busy_without:
            one.setEnabled(False)
        self._cancel = self._background.run(stoppable, finish, self._failed)

    def _rest(self) -> None:
        self._cancel = None
        self._bar.hide()
        self._stop.hide()
        for one in self._busy_without:
            one.setEnabled(True)
        self._verify.setEnabled(self._chosen is not None)

    def _stop_work(self) -> None:
        if self._cancel is not None:
            self._cancel.cancel()
            self._stop.setEnabled(False)

    def _progress(self, progress: Progress) -> None:
        if self._cancel is not None and progress.total:
            self._bar.setRange(0, _THOUSAND)
            self._bar.setValue(round(_THOUSAND * min(1.0, progress.done / progress.total)))

    def _failed(self, error: SightlineError) -> None:
        self._rest()
        self._say(error.line(), "danger")

    def _listed(self, found: tuple[tuple[Listed, ...], Machine]) -> None:
        self._packs, self._machine = found
        self._fill()
        self._say("" if self._packs else _EMPTY)
        wanted = [place for place, one in enumerate(self._packs) if one.name == self._shown_next]
        self._shown_next = ""
        if self._packs and (wanted or self.list.selected is None):
            self.list.select(wanted[0] if wanted else 0)
        self._show_chosen()

    def _verified(self, found: CheckedPack) -> None:
        self._checked[found.folder] = found
        self._fill()
        self._show_chosen()
        if found.ok:
            self._say(f"{found.name} {found.version} is what its manifest says")
        else:
            self._say(found.problems[0], "danger")

    def _imported(self, pack: Pack) -> None:
        self._shown_next = pack.name
        self.refresh()

    def _fill(self) -> None:
        self.list.set_rows(
            [_row(place, one, self._machine, self._checked.get(one.folder))
             for place, one in enumerate(self._packs)]
        )  # fmt: skip

    def _show_chosen(self) -> None:
        chosen = self._chosen
        self._verify.setEnabled(chosen is not None and self._cancel is None)
        if chosen is None or self._machine is None:
            self._about.setHtml("")
        else:
            checked = self._checked.get(chosen.folder)
            self._about.setHtml(about_html(chosen, self._machine, checked))

    def _say(self, text: str, role: str = "muted") -> None:
        self._said.setText(text)
        self._said.setProperty("role", role)
        self._said.style().unpolish(self._said)
        self._said.style().polish(self._said)

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Import the folder of a pack")
        if chosen:
            self.bring_in(Path(chosen))

    def _ask_archive(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Import the archive of a pack", "", _ARCHIVES)
        if chosen:
            self.bring_in(Path(chosen))


def _row(place: int, one: Listed, machine: Machine | None, checked: CheckedPack | None) -> Row:
    """Returns the row of a pack; a shape and a word say its state, not a colour alone."""
    pack = one.pack
    if pack is None:
        what = "" if one.error is None else one.error.what
        return Row(place, one.name, what, "cannot be used", "circle-x", said="unsound")
    memory = "" if machine is None else said(pack.memory, machine).rpartition(" · ")[2]
    icon, word = "circle", "not verified yet"
    if checked is not None:
        icon, word = ("shield-check", "verified") if checked.ok else ("shield-alert", "differs")
    elif pack.missing_base:
        icon, word = "triangle-alert", "base weights are missing"
    detail = " · ".join(part for part in (word, memory, pack.licence) if part)
    return Row(place, f"{pack.name} {pack.version}", detail, size_text(pack.bytes), icon, said=word)


def about_html(one: Listed, machine: Machine, checked: CheckedPack | None) -> str:
    """Returns a page about a pack: licence, size, memory, parts, training, what was measured."""
    if one.pack is None:
        line = "" if one.error is None else one.error.line()
        return f"<h3>{escape(one.name)}</h3><p>{escape(line)}</p>"
    pack = one.pack
    rows = [
        ("Licence", pack.licence),
        ("Size", f"{size_text(pack.bytes)} in {len(pack.files)} files, without base weights"),
        ("Memory", said(pack.memory, machine)),
        ("Backbone", f"{pack.backbone.name}; {pack.grid.frames} frames a window"),
        ("Languages", ", ".join(pack.languages)),
        ("Folder", "ships with Sightline" if one.shipped else str(one.folder)),
        ("Trained on", pack.training.data),
        ("Trained by", pack.training.command),
    ]
    if not fits(pack.memory, machine):
        rows.insert(3, ("", "This machine has too little memory for it."))
    if pack.missing_base:
        rows.insert(0, ("Missing", f"base weights {', '.join(pack.missing_base)}"))
    parts = [(f"{part.name}", f"{part.licence} · {part.provenance}") for part in pack.parts]
    metrics = [(m.name, f"{m.value:.3g} · {m.data}") for m in pack.metrics]
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
