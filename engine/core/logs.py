"""The log of each kind of process: a rotating file in the platform's folder for logs."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from platformdirs import user_log_path

WINDOW, ENGINE = "window", "engine"
"""Kinds of processes; each has a file of its own."""

LOGS = (WINDOW, ENGINE)
FORM = "%(asctime)s %(levelname)s %(name)s:%(lineno)d: %(message)s"
"""Names the line of code, which tells much where the message itself may not be shown."""

_MAX_FILE_BYTES = 1 << 20  # Of one file, which then still opens in any editor; a choice.
_OLDER_FILES = 3  # That stay beside the newest; a choice.


def log_file(kind: str) -> Path:
    """Returns the newest file of a kind of process; it need not exist."""
    return user_log_path("Sightline") / f"{kind}.log"


def start_log(kind: str, *others: logging.Handler) -> Path:
    """Logs to the file of a kind of process; without it where it cannot be written.

    Args:
        kind: of `LOGS`.
        others: further handlers.

    Returns:
        The file.
    """
    file = log_file(kind)
    handlers, problem = list(others), ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(
                file, maxBytes=_MAX_FILE_BYTES, backupCount=_OLDER_FILES, encoding="utf-8"
            )
        )
    except OSError as error:
        problem = str(error)
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORM))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    if problem:
        logging.getLogger(__name__).warning("no log file: %s", problem)
    return file
