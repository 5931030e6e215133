"""What the operations of every subject share."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.session.engine_work import Work
from desktop.session.session import Session
from engine.core.errors import BadInputError, ResourceError


class Operations(QObject):
    """Does what the examiner asks for, without dialogs.

    Args:
        session: the open case.
    """

    problem = Signal(object)
    """A SightlineError to be shown once."""

    news = Signal(str)
    """Text about something that is not visible otherwise."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._state = session.state

    def _refuse(self, what: str, where: str | Path, remedy: str) -> None:
        """Reports why something cannot be done, and what to do instead."""
        self.problem.emit(BadInputError(what, where, remedy))

    def _writable_work(self) -> Work | None:
        """Returns the work of the case; if it cannot be changed, says so and returns None."""
        if self._session.work is None:
            self._report_read_only()
        return self._session.work

    def _report_read_only(self) -> None:
        case = self._session.case
        if case is None:
            self.problem.emit(ResourceError("no case is open", "", "open or make one first"))
            return
        self.problem.emit(
            ResourceError(
                f"this case is open for reading only: {case.reading_only}",
                case.path,
                "to change something, close it where it is in use, or copy it to another disk",
            )
        )
