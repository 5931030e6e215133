"""The case that requests are about, and the replies to a request before its last."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import protocol
from engine.case import Case
from engine.core.progress import Progress
from engine.dialogue.model_cache import ModelCache
from engine.worker.request_fields import HelloFields

_PROGRESS_INTERVAL_S = 0.1  # Between two progress replies of a stage; the window shows no more.


class Replies:
    """The replies to a request while it is worked on.

    Args:
        send: sends a reply, of a type of the protocol and with its fields.
    """

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self._next_s = 0.0
        self._stage = ""

    def progress(self, progress: Progress) -> None:
        """Tells how far the work is, a few times a second."""
        now = time.monotonic()
        if now < self._next_s and progress.stage == self._stage:
            return
        self._next_s, self._stage = now + _PROGRESS_INTERVAL_S, progress.stage
        self._send(protocol.PROGRESS, **protocol.progress_fields(progress))

    def chunk(self, **fields: object) -> None:
        """Tells that a chunk was committed."""
        self._send(protocol.CHUNK, **fields)

    def token(self, text: str) -> None:
        """Tells the next piece of an answer."""
        self._send(protocol.TOKEN, text=text)


@dataclass(frozen=True)
class CaseSession:
    """The case that requests are about.

    Attributes:
        path: its folder.
        token: of the session that owns it.
        models: keeps language models between questions.
    """

    path: Path
    token: str
    models: ModelCache = field(default_factory=ModelCache, compare=False)

    @classmethod
    def from_fields(cls, values: Mapping[str, Any]) -> CaseSession:
        """Reads a hello and makes sure that the case may be joined.

        Raises:
            BadInputError: it names no case.
            ResourceError: the token is not that of the case's owner.
        """
        fields = HelloFields.read(values)
        session = cls(Path(fields.case), fields.token)
        session.join().close()
        return session

    def join(self) -> Case:
        """Opens the case for one request."""
        return Case.open(self.path, write=True, token=self.token)
