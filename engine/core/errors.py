"""The one error hierarchy. The command line and the window show the same text."""

from __future__ import annotations


class SightlineError(Exception):
    """Something the user must know: what happened, where, and what to do about it.

    Attributes:
        what: the fact, in lower case and without a full stop.
        where: the file, case or option concerned; empty when there is none.
        remedy: what the user can do, as an imperative.
        exit_code: the exit code of the process.
    """

    exit_code = 2

    def __init__(self, what: str, where: object = "", remedy: str = "") -> None:
        self.what = what
        self.where = str(where)
        self.remedy = remedy
        super().__init__(self.line())

    def line(self) -> str:
        """Returns `what, where, remedy` as one printable line without control characters."""
        parts = [part for part in (self.what, self.where, self.remedy) if part]
        text = ", ".join(parts)
        return "".join(char if char.isprintable() else " " for char in text)


class BadInputError(SightlineError):
    """Bad input or usage, or evidence that changed since it was added (exit code 2)."""


class MediaError(BadInputError):
    """A file that cannot be opened or decoded as evidence (exit code 2)."""


class CheckFailedError(SightlineError):
    """The question was answered, and the answer is no (exit code 1)."""

    exit_code = 1


class CancelledError(SightlineError):
    """The user stopped the work; what was committed stays (exit code 3)."""

    exit_code = 3


class ResourceError(SightlineError):
    """Disk, memory, a pack or the case's ownership is missing (exit code 4)."""

    exit_code = 4


def brief_reason(error: BaseException, max_length: int = 160) -> str:
    """Returns what a library says of an error on one line, short enough to stand behind our own."""
    return " ".join(str(error).split())[:max_length]
