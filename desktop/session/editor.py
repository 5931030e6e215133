"""The examiner's edits on their way into the case, with Undo and Redo."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.session.case_edits import Edit
from desktop.session.case_thread import CaseThread
from engine.case import Case
from engine.core.errors import ResourceError, SightlineError

_RECOVERY_MS = 10 * 60 * 1000  # a copy every ten minutes bounds what a broken disk can take


class Editor(QObject):
    """Hands edits to the writing thread in order, and keeps what undoes them.

    There is no Save: an edit is in the case when `edited` is emitted. A dated copy of the database
    is made every ten minutes in which something changed.

    Args:
        writer: the writing thread; None when the case is open for reading only.
    """

    edited = Signal(str)
    """An edit was made, undone or redone; carries its label."""

    failed = Signal(object)
    """An edit was not made; carries the SightlineError."""

    stacks_changed = Signal()
    """What `undo_label` and `redo_label` say has changed."""

    def __init__(self, writer: CaseThread | None) -> None:
        super().__init__()
        self._writer = writer
        self._undo: list[Edit] = []
        self._redo: list[Edit] = []
        self._changed = False
        self._timer = QTimer(self)
        self._timer.setInterval(_RECOVERY_MS)
        self._timer.timeout.connect(self._recovery_copy)
        if writer is not None:
            self._timer.start()

    @property
    def undo_label(self) -> str:
        """What Undo would take back; empty when nothing."""
        return self._undo[-1].label if self._undo else ""

    @property
    def redo_label(self) -> str:
        """What Redo would do again; empty when nothing."""
        return self._redo[-1].label if self._redo else ""

    def edit(self, edit: Edit) -> None:
        """Makes an edit."""

        def push(inverse: Edit | None) -> None:
            if inverse is not None:
                self._undo.append(inverse)
                self._redo.clear()
            self._emit_stacks(edit)

        self._apply(edit, push)

    def undo(self) -> None:
        """Takes the last edit back."""
        if self._undo:
            edit = self._undo.pop()
            self._apply(edit, lambda inverse: self._move_edit(edit, inverse, self._redo))

    def redo(self) -> None:
        """Makes the edit again that was taken back last."""
        if self._redo:
            edit = self._redo.pop()
            self._apply(edit, lambda inverse: self._move_edit(edit, inverse, self._undo))

    def close(self) -> None:
        """Makes the last recovery copy; the writing thread is closed by its owner."""
        self._timer.stop()
        self._recovery_copy()

    def _move_edit(self, edit: Edit, inverse: Edit | None, stack: list[Edit]) -> None:
        if inverse is not None:
            stack.append(inverse)
        self._emit_stacks(edit)

    def _emit_stacks(self, edit: Edit) -> None:
        self._changed = True
        self.edited.emit(edit.label)
        self.stacks_changed.emit()

    def _apply(self, edit: Edit, done: Callable[[Edit | None], None]) -> None:
        if self._writer is None:
            self.failed.emit(
                ResourceError("the case is open for reading only", "", "open it to write")
            )
            return

        def work(case: Case) -> Edit | None:
            with case.change() as change:
                return edit.apply(change)

        self._writer.submit(work, done, self._fail)

    def _fail(self, error: SightlineError) -> None:
        self.failed.emit(error)
        self.stacks_changed.emit()

    def _recovery_copy(self) -> None:
        if self._changed and self._writer is not None:
            self._changed = False
            self._writer.submit(Case.recovery_copy, lambda _copy: None, self._fail)
