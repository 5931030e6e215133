"""The open case: its threads and processes, its evidence, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.session.case_thread import CaseThread
from desktop.session.editor import Editor
from desktop.session.engine_client import EngineClient
from desktop.session.engine_work import Work
from desktop.session.evidence_listing import evidence_items, items_to_be, with_work
from desktop.session.view_loader import ViewLoader
from desktop.state.delayed_call import delayed_call
from desktop.state.evidence_item import EvidenceItem
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import ViewState
from engine.case import Case, is_case
from engine.core.errors import ResourceError, SightlineError

_REFRESH_MS = 1000  # how often the growing scores of a run are read again
T = TypeVar("T")


@dataclass(frozen=True)
class OpenCase:
    """A case that is open.

    Attributes:
        path: its folder.
        reading_only: why it can only be read; empty when it can be written.
    """

    path: Path
    reading_only: str = ""


class Session(QObject):
    """Opens one case at a time and keeps the state of the window in step with it.

    Attributes:
        state: what the panels share.
        case: the open case; None when there is none.
        editor: makes the examiner's edits.
        work: follows the engine process; None for a case that can only be read.
        talker: the engine process that answers questions beside an analysis; None likewise.
    """

    opened = Signal(object)
    """An `OpenCase`."""

    closed = Signal()
    """The case was closed."""

    listed = Signal(object)
    """tuple[EvidenceItem, ...]: the evidence of the case."""

    evidence_shown = Signal(object)
    """An `EvidenceView` that replaced another piece of evidence's, or the first one."""

    problem = Signal(object)
    """A SightlineError to be shown once."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.state = state
        self.case: OpenCase | None = None
        self.editor = Editor(None)
        self.work: Work | None = None
        self.dialogue_worker: EngineClient | None = None
        self._engine: EngineClient | None = None
        self._writer: CaseThread | None = None
        self._reader: CaseThread | None = None
        self._loader = ViewLoader()
        self._items: tuple[EvidenceItem, ...] = ()
        self._verified: frozenset[int] = frozenset()
        self._run_id: int | None = None
        self._wanted: int | None = None
        self._refresh = delayed_call(self, _REFRESH_MS, self.reload)

    @property
    def items(self) -> tuple[EvidenceItem, ...]:
        """The evidence of the case, in the examiner's order."""
        return self._items

    def open(self, path: Path, show: int | None = None, frame: int = 0) -> None:
        """Opens a case, making it when the folder is new; `opened` or `problem` follows.

        Args:
            path: its folder.
            show: evidence to show first; None shows the first.
            frame: of that evidence to begin with.
        """
        self.close()
        folder = path.absolute()
        self._wanted = show
        self.state.position.set(frame if show is not None else 0)

        def opener() -> Case:
            return Case.open(folder, write=True) if is_case(folder) else Case.create(folder)

        writer = CaseThread(opener, "case-writer")
        writer.opened.connect(lambda token: self._writable(folder, writer, str(token)))
        writer.opening_failed.connect(lambda error: self._not_writable(folder, error))
        self._writer = writer
        writer.start()

    def close(self) -> None:
        """Ends work and threads of the open case; returns when nothing of it is left."""
        self._refresh.stop()
        for engine in (self._engine, self.dialogue_worker):
            if engine is not None:
                engine.stop()
        self.editor.close()
        for thread in (self._reader, self._writer):
            if thread is not None:
                thread.close()
        self._engine, self.dialogue_worker, self.work = None, None, None
        self._reader, self._writer = None, None
        self.editor = Editor(None)
        self._loader, self._items, self._verified = ViewLoader(), (), frozenset()
        self._run_id = None
        was_open, self.case = self.case is not None, None
        self.state.evidence.set(None)
        self.state.selection.set(None)
        if was_open:
            self.closed.emit()

    def show(self, evidence_id: int, run_id: int | None = None) -> None:
        """Shows a piece of evidence with its current run, or another of its runs."""
        self._wanted, self._run_id = evidence_id, run_id
        self._load(evidence_id, run_id)

    def reload(self) -> None:
        """Reads the evidence shown, or about to be, and the list again."""
        self._refresh.stop()
        # Not what is on screen: a read takes the place of the waiting one, and what was asked
        # for since would never come.
        if self.state.evidence.value is not None and self._wanted is not None:
            self._load(self._wanted, self._run_id)
        self.relist()

    def reload_soon(self) -> None:
        """Reads again within a second, however often it is asked."""
        if not self._refresh.isActive():
            self._refresh.start()

    def relist(self) -> None:
        """Reads the list of evidence again."""
        verified = self._verified
        self._read(lambda case: evidence_items(case, verified), self._list, key="list")

    def set_verified(self, ids: frozenset[int]) -> None:
        """Says which evidence was found unchanged in this session."""
        self._verified = ids
        self.relist()

    def read(self, work: Callable[[Case], T], done: Callable[[T], None]) -> None:
        """Reads something from the case off the window's thread."""
        self._read(work, done)

    def write(self, work: Callable[[Case], T], done: Callable[[T], None]) -> None:
        """Does something with the case in the writing thread; not for what can be undone."""
        if self._writer is not None:
            self._writer.submit(work, done, self.problem.emit)

    def _read(
        self, work: Callable[[Case], T], done: Callable[[T], None], key: str | None = None
    ) -> None:
        if self._reader is not None:
            self._reader.submit(work, done, self.problem.emit, key)

    def _load(self, evidence_id: int, run_id: int | None) -> None:
        self._read(
            lambda case: self._loader.load(case, evidence_id, run_id),
            self._on_loaded_view,
            key="view",
        )

    def _writable(self, folder: Path, writer: CaseThread, token: str) -> None:
        if writer is not self._writer:
            return
        self._engine = EngineClient(folder, token)
        self.dialogue_worker = EngineClient(folder, token)
        self.work = Work(self._engine)
        self.work.changed.connect(self._follow_work)
        self.work.grown.connect(self._on_new_scores)
        self.editor = Editor(writer)
        self.editor.edited.connect(lambda _label: self._on_edit())
        self.editor.failed.connect(self.problem)
        self._open_reader(OpenCase(folder))

    def _not_writable(self, folder: Path, error: SightlineError) -> None:
        self._writer = None
        if isinstance(error, ResourceError) and is_case(folder):
            self._open_reader(OpenCase(folder, reading_only=error.what))
        else:
            self.problem.emit(error)

    def _open_reader(self, case: OpenCase) -> None:
        reader = CaseThread(lambda: Case.open(case.path), "case-reader")
        reader.opening_failed.connect(self.problem)
        reader.opened.connect(lambda _token: self._ready(case))
        self._reader = reader
        reader.start()

    def _ready(self, case: OpenCase) -> None:
        self.case = case
        self.opened.emit(case)
        self.relist()

    def _list(self, items: tuple[EvidenceItem, ...]) -> None:
        self._items = items
        self._follow_work()
        if self.state.evidence.value is None and items:
            ids = [item.id for item in items]
            self.show(self._wanted if self._wanted in ids else ids[0])

    def _follow_work(self) -> None:
        working = () if self.work is None else self.work.items
        known = tuple(with_work(item, working) for item in self._items)
        self.listed.emit(known + items_to_be(working))

    def _on_loaded_view(self, view: EvidenceView) -> None:
        if view.evidence.id != self._wanted:
            return
        before = self.state.evidence.value
        self.state.evidence.set(view)
        if before is None or before.evidence.id != view.evidence.id:
            self.evidence_shown.emit(view)

    def _on_new_scores(self, evidence_id: int) -> None:
        view = self.state.evidence.value
        if view is not None and view.evidence.id == evidence_id:
            self.reload_soon()

    def _on_edit(self) -> None:
        view = self.state.evidence.value
        if view is None:
            self.relist()
        else:
            self.reload()
