"""Talks to the engine process: starts it, hands it requests, notices when it dies."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from engine import protocol
from engine.core.errors import CancelledError, SightlineError
from engine.core.resources import ROOT

_LOG = logging.getLogger(__name__)
_GIVE_UP_AFTER = 3  # deaths of an engine process in a row before it is not started again
_STOP_MS = 2000  # time for an engine process to end by itself before it is killed


@dataclass(frozen=True)
class Request:
    """What the engine process was asked and has not yet answered.

    Attributes:
        id: of the request, from 1.
        type: of the message.
        fields: its other fields.
    """

    id: int
    type: str
    fields: Mapping[str, Any]


def worker_command() -> tuple[str, list[str]]:
    """Returns program and arguments that start the engine process from this program."""
    if getattr(sys, "frozen", False):
        return sys.executable, ["--worker"]
    return sys.executable, [str(ROOT / "main.py"), "--worker"]


class EngineClient(QObject):
    """The engine process of one case.

    It is started by the first request. When it dies, that is said once and it is started again
    with the requests it had not answered; an analysis then goes on after its last chunk.
    """

    progressed = Signal(int, object)
    """Request id and the fields of a progress reply."""

    chunked = Signal(int, object)
    """Request id and the fields of a chunk reply."""

    token_received = Signal(int, str)
    """Request id and the next piece of an answer."""

    finished = Signal(int, object)
    """Request id and the fields of the done reply."""

    failed = Signal(int, object)
    """Request id and a SightlineError; a CancelledError when it was cancelled."""

    died = Signal(str)
    """The engine process ended by itself and is started again; carries what is known."""

    def __init__(self, case: Path, token: str) -> None:
        super().__init__()
        self._case = case
        self._token = token
        self._waiting: dict[int, Request] = {}
        self._last_id = 0
        self._deaths = 0
        self._buffer = bytearray()
        self._process: QProcess | None = None
        self._stopping = False

    @property
    def process_id(self) -> int:
        """Id of the engine process; 0 when there is none."""
        return 0 if self._process is None else int(self._process.processId())

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Requests not yet answered, oldest first."""
        return tuple(self._waiting.values())

    def request(self, kind: str, **fields: object) -> int:
        """Asks something.

        Returns:
            The id that replies carry.
        """
        self._last_id += 1
        request = Request(self._last_id, kind, fields)
        self._waiting[request.id] = request
        if self._process is None:
            self._start()
        else:
            self._send(request)
        return request.id

    def cancel(self, request_id: int) -> None:
        """Asks for a request to be given up; its `failed` follows."""
        if request_id in self._waiting and self._process is not None:
            self._last_id += 1
            self._send(Request(self._last_id, protocol.CANCEL, {"target": request_id}))

    def stop(self) -> None:
        """Ends the process; waits two seconds at most, then kills it."""
        self._stopping = True
        process, self._process = self._process, None
        if process is None:
            return
        process.closeWriteChannel()
        if not process.waitForFinished(_STOP_MS):
            process.kill()
            process.waitForFinished(_STOP_MS)
        process.deleteLater()

    def _start(self) -> None:
        program, arguments = worker_command()
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        # Two processes of spinning threads on the same cores slow each other to a crawl.
        environment.insert("OMP_WAIT_POLICY", "passive")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._log)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._not_started)
        self._buffer.clear()
        self._process = process
        process.start(program, arguments)
        hello = Request(0, protocol.HELLO, {"case": str(self._case), "token": self._token})
        self._send(hello)
        for request in self.waiting:
            self._send(request)

    def _send(self, request: Request) -> None:
        if self._process is not None:
            self._process.write(protocol.encode(request.id, request.type, **request.fields))

    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += self._process.readAllStandardOutput().data()
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            try:
                message = protocol.decode(line)
            except SightlineError as error:
                _LOG.error("the engine process said something unreadable: %s", error.line())
            else:
                self._take(message)

    def _take(self, message: protocol.Message) -> None:
        request_id, fields = message.id, message.fields
        if request_id == 0:
            if message.type == protocol.ERROR:
                self._fail_all(protocol.error_of(message))
            return
        if request_id not in self._waiting:
            return
        if message.type == protocol.PROGRESS:
            self.progressed.emit(request_id, fields)
        elif message.type == protocol.CHUNK:
            self._deaths = 0
            self.chunked.emit(request_id, fields)
        elif message.type == protocol.TOKEN:
            self.token_received.emit(request_id, str(fields.get("text", "")))
        elif message.type == protocol.DONE:
            self._deaths = 0
            del self._waiting[request_id]
            self.finished.emit(request_id, fields)
        elif message.type == protocol.ERROR:
            del self._waiting[request_id]
            self.failed.emit(request_id, protocol.error_of(message))

    def _fail_all(self, error: SightlineError) -> None:
        waiting, self._waiting = self._waiting, {}
        for request_id in waiting:
            self.failed.emit(request_id, error)

    def _log(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            for line in text.splitlines():
                _LOG.info("engine: %s", line)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and not self._stopping:
            self._process = None
            self._fail_all(
                SightlineError(
                    "the engine process cannot be started",
                    worker_command()[0],
                    "install Sightline again",
                )
            )

    def _on_end(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._stopping or self._process is None:
            return
        self._read()
        self._process.deleteLater()
        self._process = None
        self._deaths += 1
        crashed = status == QProcess.ExitStatus.CrashExit
        reason = "was killed" if crashed else f"ended with code {code}"
        if self._deaths >= _GIVE_UP_AFTER:
            self._fail_all(
                SightlineError(
                    f"the engine process {reason} {self._deaths} times",
                    "",
                    "what was committed is kept; see the log, then analyse again",
                )
            )
            self._deaths = 0
            return
        if self._waiting:
            self.died.emit(reason)
            QTimer.singleShot(0, self, self._restart)

    def _restart(self) -> None:
        if self._process is None and self._waiting and not self._stopping:
            self._start()


def was_cancelled(error: SightlineError) -> bool:
    """Whether an error only says that the examiner cancelled."""
    return isinstance(error, CancelledError)
