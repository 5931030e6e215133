"""The output of commands: one JSON object or lines on stdout, progress on stderr."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Annotated, Any

import typer

from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.times import format_time

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

_LINE_INTERVAL_S = 10.0  # Between two lines of progress in a file, a few hundred a hour. A choice.
_quiet = [False]


def set_quiet(quiet: bool) -> None:
    """Silences progress, or not, for this process."""
    _quiet[0] = quiet


def print_json(value: Mapping[str, Any]) -> None:
    """Prints one JSON object, in ASCII, because a file's name need not be text at all."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def print_line(text: str) -> None:
    """Prints a line without control characters, so that a file's name cannot forge output."""
    printable = replace_unprintable(text)
    sys.stdout.buffer.write(printable.encode(sys.stdout.encoding or "utf-8", "replace") + b"\n")
    sys.stdout.flush()


def replace_unprintable(text: str) -> str:
    """Returns a text with a space in place of every control character."""
    return "".join(char if char.isprintable() else " " for char in text)


@contextlib.contextmanager
def cancellable() -> Iterator[CancelToken]:
    """Lets the first Ctrl+C set a cancel token; a second one ends the program at once."""
    token = CancelToken()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        token.cancel()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield token
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """Shows progress on stderr: a bar on a terminal, otherwise at most a line every 10 s."""
    if _quiet[0]:
        yield silent
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _Lines()


class _Lines:
    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_INTERVAL_S

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LINE_INTERVAL_S
        sys.stderr.write(_progress_text(progress) + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=_progress_text(progress),
                completed=progress.done,
                total=progress.total or None,
            )

        yield show


def _progress_text(progress: Progress) -> str:
    text = progress.text
    if progress.rate > 0:
        text += f", {progress.rate:.0f}/s"
    if progress.seconds_left is not None:
        text += f", {format_time(progress.seconds_left)[:8]} left"
    return text
