"""Long work of the engine process: what is in progress, what waits, what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.session.engine_client import EngineClient, was_cancelled
from engine import protocol
from engine.core.errors import SightlineError
from engine.core.progress import Progress


@dataclass(frozen=True)
class WorkItem:
    """One piece of work.

    Attributes:
        request_id: of the engine process.
        title: what is done, as `analysing cam2.avi`.
        evidence_id: what it is about; None when about the whole case or a file not yet added.
        progress: how far it is; None before the first word.
        run_id: the run it fills; None when it fills none, or before its first chunk.
        cancelling: whether the examiner asked to stop it.
        adding: path of the file it adds; empty when it adds none.
    """

    request_id: int
    title: str
    evidence_id: int | None = None
    progress: Progress | None = None
    run_id: int | None = None
    cancelling: bool = False
    adding: str = ""


Done = Callable[[dict[str, Any]], None]


class Work(QObject):
    """Follows the requests to the engine process."""

    changed = Signal()
    """Something about the items changed."""

    grown = Signal(int)
    """A run of this evidence was begun, or a chunk of it committed."""

    failed = Signal(str, object)
    """Title and SightlineError of work that failed; what was cancelled is not told here."""

    cancelled = Signal(str)
    """Title of work that was cancelled."""

    message = Signal(str)
    """Something the examiner must know, in words."""

    def __init__(self, engine: EngineClient) -> None:
        super().__init__()
        self._engine = engine
        self._items: dict[int, WorkItem] = {}
        self._done: dict[int, Done] = {}
        engine.progressed.connect(self._on_progress)
        engine.chunked.connect(self._on_chunk)
        engine.finished.connect(self._on_done)
        engine.failed.connect(self._on_failure)
        engine.died.connect(self._on_death)

    @property
    def items(self) -> tuple[WorkItem, ...]:
        """Work in progress or waiting, oldest first: the first one is in progress."""
        return tuple(self._items.values())

    def item_of(self, evidence_id: int) -> WorkItem | None:
        """Returns the work on a piece of evidence; None when there is none."""
        return next((work for work in self.items if work.evidence_id == evidence_id), None)

    def ask(
        self, title: str, kind: str, done: Done, about: int | None = None, /, **fields: object
    ) -> int:
        """Begins a piece of work.

        Args:
            title: for people.
            kind: type of the request.
            done: given the fields of the answer.
            about: the evidence it is about.
            fields: of the request.

        Returns:
            The request's id.
        """
        request_id = self._engine.request(kind, **fields)
        adding = str(fields["path"]) if kind == protocol.ADD else ""
        self._items[request_id] = WorkItem(request_id, title, about, adding=adding)
        self._done[request_id] = done
        self.changed.emit()
        return request_id

    def cancel(self, request_id: int) -> None:
        """Asks for a piece of work to stop."""
        item = self._items.get(request_id)
        if item is not None and not item.cancelling:
            self._items[request_id] = replace(item, cancelling=True)
            self._engine.cancel(request_id)
            self.changed.emit()

    def _on_progress(self, request_id: int, fields: dict[str, Any]) -> None:
        item = self._items.get(request_id)
        if item is not None:
            self._items[request_id] = replace(item, progress=progress_of(fields))
            self.changed.emit()
            if item.progress is None and item.evidence_id is not None:
                self.grown.emit(item.evidence_id)

    def _on_chunk(self, request_id: int, fields: dict[str, Any]) -> None:
        item = self._items.get(request_id)
        if item is not None and item.evidence_id is not None:
            self._items[request_id] = replace(item, run_id=fields.get("run_id"))
            self.grown.emit(item.evidence_id)

    def _on_done(self, request_id: int, fields: dict[str, Any]) -> None:
        if self._items.pop(request_id, None) is not None:
            self.changed.emit()
            self._done.pop(request_id)(fields)

    def _on_failure(self, request_id: int, error: SightlineError) -> None:
        item = self._items.pop(request_id, None)
        if item is None:
            return
        self._done.pop(request_id)
        self.changed.emit()
        if was_cancelled(error):
            self.cancelled.emit(item.title)
        else:
            self.failed.emit(item.title, error)

    def _on_death(self, reason: str) -> None:
        self.message.emit(
            f"The engine process {reason}. It was started again and goes on after the last chunk; "
            "nothing that was committed is lost."
        )


def progress_of(fields: dict[str, Any]) -> Progress:
    """Returns what a worker's progress message says."""
    left = fields.get("seconds_left")
    return Progress(
        stage=str(fields.get("stage", "")),
        done=int(fields.get("done", 0)),
        total=int(fields.get("total", 0)),
        rate=float(fields.get("fps", 0.0)),
        seconds_left=None if left is None else float(left),
        unit=str(fields.get("unit", "frames")),
    )
