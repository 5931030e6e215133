"""The case that requests are about, and what a request says while it is worked on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from engine.case import Case
from engine.core.progress import Progress
from engine.dialogue.model_cache import ModelShelf
from engine.worker.request_fields import Fields, text


class Answer(ABC):
    """What a request says while it is worked on."""

    @abstractmethod
    def progress(self, progress: Progress) -> None:
        """Says how far it is."""

    @abstractmethod
    def chunk(self, **fields: object) -> None:
        """Says that a chunk was committed."""

    @abstractmethod
    def token(self, text: str) -> None:
        """Says the next piece of an answer."""


@dataclass(frozen=True)
class Opened:
    """The case that requests are about.

    Attributes:
        path: its folder.
        token: of the session that owns it.
        shelf: keeps language models between questions.
    """

    path: Path
    token: str
    shelf: ModelShelf = field(default_factory=ModelShelf, compare=False)

    @classmethod
    def from_fields(cls, fields: Fields) -> Opened:
        """Reads a hello and makes sure that the case may be joined.

        Raises:
            BadInputError: it names no case.
            ResourceError: the token is not that of the case's owner.
        """
        opened = cls(Path(text(fields, "case")), text(fields, "token"))
        opened.join().close()
        return opened

    def join(self) -> Case:
        """Opens the case for one request."""
        return Case.open(self.path, write=True, token=self.token)
