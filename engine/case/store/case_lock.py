"""Who owns a case: a lock file with host, process and start of the process.

Reading, checking and replacing the lock file happens inside a `BEGIN IMMEDIATE` transaction of
the case's database, so that two sessions can never both find a stale lock and take it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.case.store.database import translated_errors
from engine.core.errors import ResourceError
from engine.core.files import open_regular_file, write_atomically

LOCK = "lock"
"""Name of the lock file in a case folder."""

TOKEN_VARIABLE = "SIGHTLINE_CASE_TOKEN"
"""Environment variable in which a session hands its token to its workers."""

_MAX_LOCK_BYTES = 4096  # A lock has about 250 bytes; a larger file is none and is not read.


@dataclass(frozen=True)
class Owner:
    """The session that owns a case.

    Attributes:
        host: name of its machine.
        process: its process id.
        start: when that process started, in a form only to be compared.
        token: what its workers join with.
        user: who runs it.
        since: UTC time at which it took the case, ISO.
    """

    host: str
    process: int
    start: str
    token: str
    user: str
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, process {self.process}, since {self.since}"


@dataclass(frozen=True)
class LockState:
    """The lock file of a case folder as it was read.

    Attributes:
        owner: None when there is no lock or it is unreadable.
        garbage: whether there is a file that is no lock.
    """

    owner: Owner | None
    garbage: bool = False


def this_session(user: str, since: str) -> Owner:
    """Returns this process as an owner with a new token."""
    process = os.getpid()
    start = process_start(process)
    return Owner(socket.gethostname(), process, start or "", secrets.token_hex(16), user, since)


def process_start(process: int) -> str | None:
    """Returns what tells one process from a later one with the same id.

    Returns:
        A text that stays the same as long as the process lives; None when there is no such
        process or it has ended and only waits to be collected.

    Raises:
        psutil.AccessDenied: the process is there but may not be looked at.
    """
    try:
        running = psutil.Process(process)
        if running.status() == psutil.STATUS_ZOMBIE:
            return None
        return _linux_start(process) or repr(running.create_time())
    except (psutil.NoSuchProcess, OverflowError, ValueError):
        return None


def _linux_start(process: int) -> str | None:
    # psutil adds the boot time, which moves when the clock is set; ticks since boot do not.
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return f"{boot}:{stat.rpartition(')')[2].split()[19]}"


def read_lock(folder: Path) -> LockState:
    """Reads the lock file of a case folder; anything unreadable counts as garbage."""
    try:
        with open_regular_file(folder / LOCK) as file:
            data = file.read(_MAX_LOCK_BYTES + 1)
    except FileNotFoundError:
        return LockState(None)
    except OSError:
        return LockState(None, garbage=True)
    try:
        fields = json.loads(data)
        owner = Owner(
            **{name: fields[name] for name in ("host", "process", "start", "token")},
            user=str(fields.get("user", "")),
            since=str(fields.get("since", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return LockState(None, garbage=True)
    texts = (owner.host, owner.start, owner.token)
    if type(owner.process) is not int or not all(type(text) is str for text in texts):
        return LockState(None, garbage=True)
    return LockState(owner)


def is_stale(owner: Owner) -> bool:
    """Whether the owner's process has provably ended; never so for another machine's."""
    if owner.host != socket.gethostname():
        return False
    try:
        return process_start(owner.process) != owner.start
    except psutil.AccessDenied:
        return False


def take_lock(folder: Path, session: Owner) -> LockState:
    """Makes `session` the owner; only to be called inside a writing transaction of the case.

    Returns:
        What was there before: nothing, a stale owner, or garbage.

    Raises:
        ResourceError: another session owns the case, or the lock cannot be written.
    """
    before = read_lock(folder)
    if before.owner is not None and not is_stale(before.owner):
        raise _ownership_error(folder, before.owner)
    with translated_errors(folder / LOCK):
        write_atomically(folder / LOCK, json.dumps(session.__dict__, sort_keys=True).encode())
    return before


def check_token(folder: Path, token: str) -> None:
    """Makes sure that the session with this token still owns the case.

    Raises:
        ResourceError: it does not.
    """
    owner = read_lock(folder).owner
    if owner is None:
        raise ResourceError(
            "the session that owned the case has ended", folder, "open the case again"
        )
    if not secrets.compare_digest(owner.token.encode(), token.encode()):
        raise _ownership_error(folder, owner)


def release_lock(folder: Path, token: str) -> None:
    """Removes the lock if it still belongs to the session with this token."""
    owner = read_lock(folder).owner
    if owner is not None and owner.token == token:
        (folder / LOCK).unlink(missing_ok=True)


def _ownership_error(folder: Path, owner: Owner) -> ResourceError:
    """Returns the error that names who has the case and what to do."""
    remedy = "close it there, or open the case read-only"
    if owner.host != socket.gethostname():
        remedy += f"; if that session is surely gone, delete {folder / LOCK}"
    return ResourceError(f"the case is in use by {owner}", folder, remedy)
