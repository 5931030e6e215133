"""Takes requests line by line, works them off in order, and answers."""

from __future__ import annotations

import logging
import queue
import threading
from functools import partial
from typing import BinaryIO

from engine import protocol
from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken
from engine.core.version import VERSION
from engine.worker.requests import HANDLERS
from engine.worker.worker_session import CaseSession, Replies

_LOG = logging.getLogger(__name__)
_END_S = 1.5  # Given to the request that is worked on when the window has gone.


class Server:
    """Answers the requests of one window.

    A thread works requests off in order; hello, cancel and shutdown are answered at once.

    Args:
        replies: where answers go; nothing else is written there.
    """

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._lock = threading.Lock()
        self._session: CaseSession | None = None
        self._waiting: queue.Queue[protocol.Message | None] = queue.Queue()
        self._tokens: dict[int, CancelToken] = {}
        self._thread = threading.Thread(target=self._process_queue, name="requests", daemon=True)

    def serve(self, requests: BinaryIO) -> None:
        """Takes requests until the stream ends or a shutdown is asked for."""
        self._thread.start()
        while line := requests.readline(protocol.MAX_LINE_BYTES + 1):
            if len(line) > protocol.MAX_LINE_BYTES:
                self._refuse(0, BadInputError("a message too long to read", "", "send less"))
                while line and not line.endswith(b"\n"):
                    line = requests.readline(protocol.MAX_LINE_BYTES)
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
        """Sends a reply, or nothing when the window is gone."""
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
            target = message.fields.get("target")
            token = self._tokens.get(target) if isinstance(target, int) else None
            if token is not None:
                token.cancel()
            self.say(message.id, protocol.DONE, cancelled=token is not None)
        elif message.type not in HANDLERS:
            known = ", ".join((protocol.HELLO, *HANDLERS, protocol.CANCEL, protocol.SHUTDOWN))
            self._refuse(message.id, BadInputError("an unknown request", message.type, known))
        elif message.id in self._tokens:
            self._refuse(message.id, BadInputError("an id in use", message.id, "count up"))
        else:
            self._tokens[message.id] = CancelToken()
            self._waiting.put(message)

    def _hello(self, message: protocol.Message) -> None:
        import os

        try:
            self._session = CaseSession.from_fields(message.fields)
        except SightlineError as error:
            self._refuse(message.id, error)
            return
        self.say(message.id, protocol.DONE, version=VERSION, pid=os.getpid())

    def _process_queue(self) -> None:
        while (message := self._waiting.get()) is not None:
            token = self._tokens[message.id]
            try:
                token.check()
                if self._session is None:
                    raise BadInputError("no case named", "", "say hello with a case first")
                replies = Replies(partial(self.say, message.id))
                fields = HANDLERS[message.type](self._session, message.fields, token, replies)
                self.say(message.id, protocol.DONE, **fields)
            except SightlineError as error:
                self._refuse(message.id, error)
            except Exception as error:
                _LOG.exception("request %s failed", message.type)
                what = f"internal error ({type(error).__name__}: {error})"
                self._refuse(message.id, SightlineError(what, "", "report it with the log"))
            finally:
                self._tokens.pop(message.id, None)

    def _refuse(self, request_id: int, error: SightlineError) -> None:
        if not isinstance(error, CancelledError):
            _LOG.warning("request %d: %s", request_id, error.line())
        self.say(request_id, protocol.ERROR, **protocol.error_fields(error))
