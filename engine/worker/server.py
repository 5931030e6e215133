"""Takes requests line by line, works them off in order, and answers."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from typing import BinaryIO

from engine import protocol
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress
from engine.core.version import VERSION
from engine.worker.requests import HANDLERS
from engine.worker.worker_session import Answer, Opened

_LOG = logging.getLogger(__name__)
_PROGRESS_S = 0.1
_END_S = 1.5


class Server:
    """Answers the requests of one window.

    A thread works requests off in order; hello, cancel and shutdown are answered at once.

    Args:
        replies: where answers go; nothing else is written there.
    """

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._waiting: queue.Queue[protocol.Message | None] = queue.Queue()
        self._tokens: dict[int, CancelToken] = {}
        self._thread = threading.Thread(target=self._work_off, name="requests", daemon=True)

    def serve(self, requests: BinaryIO) -> None:
        """Takes requests until the stream ends or a shutdown is asked for."""
        self._thread.start()
        while line := requests.readline(protocol.LONGEST_LINE + 1):
            if len(line) > protocol.LONGEST_LINE:
                self._refuse(0, BadInputError("a message too long to read", "", "send less"))
                while line and not line.endswith(b"\n"):
                    line = requests.readline(protocol.LONGEST_LINE)
                continue
            try:
                message = protocol.decode(line)
            except SightlineError as error:
                self._refuse(0, error)
                continue
            if message.type == protocol.SHUTDOWN:
                self.say(message.id, protocol.DONE)
                break
            self._take(message)
        for token in list(self._tokens.values()):
            token.cancel()
        self._waiting.put(None)
        self._thread.join(_END_S)

    def say(self, request_id: int, kind: str, **fields: object) -> None:
        """Sends a reply; a window that is gone hears nothing."""
        line = protocol.encode(request_id, kind, **fields)
        with self._lock:
            try:
                self._replies.write(line)
                self._replies.flush()
            except (BrokenPipeError, ValueError):
                _LOG.info("the window is gone")

    def _take(self, message: protocol.Message) -> None:
        if message.type == protocol.HELLO:
            self._hello(message)
        elif message.type == protocol.CANCEL:
            token = self._tokens.get(message.fields.get("target", -1))
            if token is not None:
                token.cancel()
            self.say(message.id, protocol.DONE, cancelled=token is not None)
        elif message.type not in HANDLERS:
            known = ", ".join(protocol.REQUESTS)
            self._refuse(message.id, BadInputError("an unknown request", message.type, known))
        elif message.id in self._tokens:
            self._refuse(message.id, BadInputError("an id in use", message.id, "count up"))
        else:
            self._tokens[message.id] = CancelToken()
            self._waiting.put(message)

    def _hello(self, message: protocol.Message) -> None:
        import os

        try:
            self._opened = Opened.from_fields(message.fields)
        except SightlineError as error:
            self._refuse(message.id, error)
            return
        self.say(message.id, protocol.DONE, version=VERSION, pid=os.getpid())

    def _work_off(self) -> None:
        while (message := self._waiting.get()) is not None:
            token = self._tokens[message.id]
            try:
                token.check()
                if self._opened is None:
                    raise BadInputError("no case named", "", "say hello with a case first")
                answer = _Answer(self, message.id)
                fields = HANDLERS[message.type](self._opened, message.fields, token, answer)
                self.say(message.id, protocol.DONE, **fields)
            except SightlineError as error:
                self._refuse(message.id, error)
            except Exception as error:
                _LOG.exception("request %s failed", message.type)
                said = f"internal error ({type(error).__name__}: {error})"
                self._refuse(message.id, SightlineError(said, "", "report it with the log"))
            finally:
                self._tokens.pop(message.id, None)

    def _refuse(self, request_id: int, error: SightlineError) -> None:
        if not isinstance(error, CancelledError):
            _LOG.warning("request %d: %s", request_id, error.line())
        self.say(request_id, protocol.ERROR, **protocol.error_fields(error))


class _Answer(Answer):
    """What a request says while it is worked on."""

    def __init__(self, server: Server, request_id: int) -> None:
        self._server = server
        self._id = request_id
        self._next = 0.0
        self._stage = ""

    def progress(self, progress: Progress) -> None:
        """Says how far it is, a few times a second."""
        now = time.monotonic()
        if now < self._next and progress.stage == self._stage:
            return
        self._next, self._stage = now + _PROGRESS_S, progress.stage
        fields: Mapping[str, object] = protocol.progress_fields(progress)
        self._server.say(self._id, protocol.PROGRESS, **fields)

    def chunk(self, **fields: object) -> None:
        """Says that a chunk was committed."""
        self._server.say(self._id, protocol.CHUNK, **fields)

    def token(self, text: str) -> None:
        """Says the next piece of an answer."""
        self._server.say(self._id, protocol.TOKEN, text=text)
