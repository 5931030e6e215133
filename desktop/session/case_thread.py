"""A thread with a connection to the case of its own; the window never waits for SQL."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.session.thread_priority import CASE, yield_to_window
from engine.case import Case
from engine.core.errors import SightlineError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Task:
    work: Callable[[Case], Any]
    done: Callable[[Any], None]
    failed: Callable[[SightlineError], None]
    key: str | None


class CaseThread(QObject):
    """Opens a case in a thread and does there what it is given, in order.

    Answers come back in the window's thread. After `close` nothing comes back.

    Args:
        opener: opens the case; called in the thread, which owns the connection.
        name: of the thread.
    """

    opened = Signal(object)
    """The case was opened; carries the token of a writing session, or None."""

    opening_failed = Signal(object)
    """The case could not be opened; carries the SightlineError. The thread has ended."""

    _replied = Signal(object, object)

    def __init__(self, opener: Callable[[], Case], name: str) -> None:
        super().__init__()
        self._opener = opener
        self._tasks: deque[_Task] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._muted = False
        self._replied.connect(self._deliver)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Opens the case; `opened` or `opening_failed` follows."""
        self._thread.start()

    def submit(
        self,
        work: Callable[[Case], T],
        done: Callable[[T], None],
        failed: Callable[[SightlineError], None],
        key: str | None = None,
    ) -> None:
        """Does a piece of work with the case in the thread.

        Args:
            work: given the open case.
            done: given what `work` returned, in the window's thread.
            failed: given the error, in the window's thread.
            key: a waiting piece of work with the same key is replaced: the latest wins.
        """
        with self._wake:
            if key is not None:
                self._tasks = deque(task for task in self._tasks if task.key != key)
            self._tasks.append(_Task(work, done, failed, key))
            self._wake.notify()

    def close(self) -> None:
        """Finishes what was submitted, closes the case and ends the thread."""
        self._muted = True
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        yield_to_window(CASE)
        try:
            case = self._opener()
        except Exception as error:
            self.opening_failed.emit(_as_ours(error))
            return
        with case:
            self.opened.emit(case.token)
            while (task := self._next()) is not None:
                self._do(case, task)

    def _next(self) -> _Task | None:
        with self._wake:
            while not self._tasks and not self._closing:
                self._wake.wait()
            return self._tasks.popleft() if self._tasks else None

    def _do(self, case: Case, task: _Task) -> None:
        try:
            value = task.work(case)
        except Exception as error:
            self._replied.emit(task.failed, _as_ours(error))
        else:
            self._replied.emit(task.done, value)

    def _deliver(self, callback: Callable[[Any], None], value: object) -> None:
        if not self._muted:
            callback(value)


def _as_ours(error: Exception) -> SightlineError:
    if isinstance(error, SightlineError):
        return error
    _LOG.error("an error that nobody foresaw", exc_info=error)
    return SightlineError(
        f"internal error ({type(error).__name__}: {error})", "", "report it with the log"
    )
