"""Starts Sightline: the window, an engine process, or a command of the engine."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main() -> int:
    """Starts what the arguments ask for and returns the exit code.

    Nothing, a case or a video opens the window; `--worker` serves one; the rest are commands.
    """
    multiprocessing.freeze_support()
    arguments = sys.argv[1:]
    if arguments == ["--worker"]:
        from engine.worker import run as serve

        return serve()
    if not arguments or (len(arguments) == 1 and _is_there(arguments[0])):
        from desktop.app import run as show

        return show(arguments)
    from engine.cli.main import run

    return run(arguments)


def _is_there(word: str) -> bool:
    try:
        return not word.startswith("-") and Path(word).exists()
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main())
