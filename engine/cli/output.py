"""What commands print: one JSON object or lines on stdout, progress on stderr."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.core.times import format_time

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

_EVERY_S = 10.0
_quiet = [False]


def set_quiet(quiet: bool) -> None:
    """Silences progress, or not, for this process."""
    _quiet[0] = quiet


def print_json(value: Mapping[str, Any]) -> None:
    """Prints one JSON object, in ASCII, because a file's name need not be text at all."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def print_line(text: str) -> None:
    """Prints a line without control characters, so that a file's name cannot forge output."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    sys.stdout.buffer.write(shown.encode(sys.stdout.encoding or "utf-8", "replace") + b"\n")
    sys.stdout.flush()


def check_range(option: str, value: float, least: float, most: float) -> None:
    """Refuses a number outside its range.

    Raises:
        BadInputError: it lies outside; both ends belong to the range.
    """
    if not least <= value <= most:
        raise BadInputError(f"{option} out of range", value, f"use {least} to {most}")


@contextlib.contextmanager
def cancellable() -> Iterator[CancelToken]:
    """Turns the first Ctrl+C into a wish to stop; a second one stops at once."""
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
        self._next = time.monotonic() + _EVERY_S

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        sys.stderr.write(_described(progress) + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(progress: Progress) -> None:
            bar.update(
                task,
                description=_described(progress),
                completed=progress.done,
                total=progress.total or None,
            )

        yield report


def _described(progress: Progress) -> str:
    text = progress.counted
    if progress.rate > 0:
        text += f", {progress.rate:.0f}/s"
    if progress.seconds_left is not None:
        text += f", {format_time(progress.seconds_left)[:8]} left"
    return text


def said_command() -> str:
    """Returns the command as a pack may say it: where folders lie is nobody's affair."""
    words = [Path(one).name if Path(one).is_absolute() else one for one in sys.argv[1:]]
    return " ".join(["main.py", *words])
