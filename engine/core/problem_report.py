"""A report for the makers when something is wrong: versions, machine and logs.

No evidence, no path and no name of a file, case or person is in it unless the user says so. Words
are not searched for what they might give away: of a log only what cannot hold any is taken, which
is the time, the level, the line of code that spoke, and of an error its type and where in the
program it happened.
"""

from __future__ import annotations

import json
import os
import platform
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from engine.core.build import this_build
from engine.core.errors import BadInputError, ResourceError, SightlineError
from engine.core.files import atomic_path, is_disk_full
from engine.core.logs import LOGS, log_file
from engine.core.version import VERSION

PACKAGES = (
    "PySide6-Essentials", "av", "numpy", "opencv-python-headless", "pyqtgraph", "sqlite-utils",
    "scipy", "torch", "transformers", "peft", "llama-cpp-python", "typst",
)  # fmt: skip
"""Packages of which the version is written."""

_HEAD = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ (?:desktop|engine)[a-z0-9_.]*:\d+): "
)
_CODE = re.compile(r'  File "(?:[^"]*/)?((?:engine|desktop)(?:/[a-z0-9_]+)+\.py|main\.py)"'
                   r"(, line \d+, in [\w<>]+)$")  # fmt: skip
_OTHER = re.compile(r'  File "[^"]*"(, line \d+, in [\w<>]+)$')
_TYPE = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning))(?::|$)")
_TRACE = "Traceback (most recent call last):"
_READ_ME = """What Sightline says of itself, to be sent to its makers by hand.

about.json   versions, system, processor, memory
{logs}
{names}
Nothing was sent anywhere. Read every file before you pass it on.
"""
_WITHOUT_NAMES = """
There is no evidence in here, no path, and no name of a file, a case or a person. Of the logs only
times, levels, lines of code and types of errors are kept.
"""
_WITH_NAMES = """
The logs are whole, as you ticked: they may hold paths and names of files, cases and people.
"""


def problem_files(whole_logs: bool = False) -> dict[str, str]:
    """Returns all that is to be written, by the names of the files.

    Args:
        whole_logs: whether the logs go in as they are, with paths and names.
    """
    logs = {f"{kind}.log": _log(kind, whole_logs) for kind in LOGS}
    lines = "\n".join(f"{name:<12} {'the log' if whole_logs else 'of the log'}" for name in logs)
    return {
        "read-me.txt": _READ_ME.format(
            logs=lines, names=_WITH_NAMES if whole_logs else _WITHOUT_NAMES
        ),
        "about.json": json.dumps(about(), indent=1) + "\n",
        **logs,
    }


def with_note(files: Mapping[str, str], note: str) -> dict[str, str]:
    """Puts what happened, in the user's words and as they are, before the other files."""
    text = note.strip()
    return {"note.txt": f"{text}\n", **files} if text else dict(files)


def write_problem(path: Path, files: Mapping[str, str]) -> None:
    """Writes the files as a zip, whole or not at all.

    Args:
        path: the zip; what lies there already stays.
        files: text by name.

    Raises:
        BadInputError: the name does not end in .zip, is taken, or cannot be written there.
        ResourceError: the disk is full.
    """
    if path.suffix.lower() != ".zip":
        raise BadInputError("a problem is written as .zip", path, "name a file that ends in .zip")
    if path.exists():
        raise BadInputError("something lies there already", path, "choose a new name")
    try:
        with atomic_path(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text.encode("utf-8", "replace"))
    except OSError as error:
        kind = ResourceError if is_disk_full(error) else BadInputError
        what = f"cannot be written ({error.strerror})"
        raise kind(what, path, "choose another folder") from error


def about() -> dict[str, Any]:
    """Returns versions of program and machine; no path and no name is in it."""
    # Imported here because it brings a parser of e-mail, which a start does not need.
    from importlib.metadata import PackageNotFoundError, version

    def version_of(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    memory = psutil.virtual_memory()
    return {
        "sightline": VERSION,
        "build": built_from(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 1,
        "memory_bytes": {"total": int(memory.total), "free": int(memory.available)},
        "display": _display(),
        "packages": {name: version_of(name) for name in PACKAGES},
    }


def built_from() -> str:
    """Names the commit of a built application, or says why there is none."""
    try:
        build = this_build()
    except SightlineError:
        return "the manifest cannot be read"
    return "run from its sources" if build is None else build.commit


def without_names(log: str) -> str:
    """Returns a log without the words in it: times, levels, places in the code, error types."""
    lines: list[str] = []
    left_out = 0
    for line in log.splitlines():
        safe = _safe(line)
        if safe is None:
            left_out += 1
            continue
        lines.append(safe)
    return "\n".join([*lines, f"[lines of words left out: {left_out}]", ""])


def _safe(line: str) -> str | None:
    if head := _HEAD.match(line):
        return head[1]
    if code := _CODE.match(line):
        return f'  File "{code[1]}"{code[2]}'
    if other := _OTHER.match(line):
        return f'  File "…"{other[1]}'
    if line == _TRACE:
        return line
    kind = _TYPE.match(line)
    return None if kind is None else kind[1]


def _log(kind: str, whole: bool) -> str:
    try:
        text = log_file(kind).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "[there is no log]\n"
    return text if whole else without_names(text)


def _display() -> dict[str, str]:
    names = ("QT_QPA_PLATFORM", "QT_SCALE_FACTOR", "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP")
    return {name: os.environ[name] for name in names if os.environ.get(name)}
