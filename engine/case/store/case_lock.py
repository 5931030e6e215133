"""Who owns a case: a lock file with host, process and start of the process.

Reading, judging and replacing the lock file happens inside a `BEGIN IMMEDIATE` transaction of
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

from engine.case.store.database import from_os_error
from engine.core.errors import ResourceError

LOCK = "lock"
"""Name of the lock file in a case folder."""

TOKEN_VARIABLE = "SIGHTLINE_CASE_TOKEN"
"""Environment variable in which a session hands its token to its workers."""

_MAX_LOCK = 4096


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
class Found:
    """What lies where the lock file belongs.

    Attributes:
        owner: None when there is no lock or it is unreadable.
        garbage: whether there is something that is no lock.
    """

    owner: Owner | None
    garbage: bool = False


def this_session(user: str, since: str) -> Owner:
    """Describes this process as an owner with a new token."""
    process = os.getpid()
    start = process_start(process)
    return Owner(socket.gethostname(), process, start or "", secrets.token_hex(16), user, since)


def process_start(process: int) -> str | None:
    """Tells one process from a later one with the same id.

    Returns:
        A text that stays the same as long as the process lives; None when there is no such
        process or it has ended and only waits to be collected.

    Raises:
        psutil.AccessDenied: the process is there but may not be looked at.
    """
    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return _linux_start(process) or repr(found.create_time())
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


def read_lock(folder: Path) -> Found:
    """Reads the lock file of a case folder; anything unreadable counts as garbage."""
    try:
        with (folder / LOCK).open("rb") as file:
            data = file.read(_MAX_LOCK + 1)
    except FileNotFoundError:
        return Found(None)
    except OSError:
        return Found(None, garbage=True)
    try:
        fields = json.loads(data)
        owner = Owner(
            **{name: fields[name] for name in ("host", "process", "start", "token")},
            user=str(fields.get("user", "")),
            since=str(fields.get("since", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Found(None, garbage=True)
    texts = (owner.host, owner.start, owner.token)
    if type(owner.process) is not int or not all(type(text) is str for text in texts):
        return Found(None, garbage=True)
    return Found(owner)


def is_stale(owner: Owner) -> bool:
    """Whether the owner's process has provably ended; never so for another machine's."""
    if owner.host != socket.gethostname():
        return False
    try:
        return process_start(owner.process) != owner.start
    except psutil.AccessDenied:
        return False


def take(folder: Path, session: Owner) -> Found:
    """Makes `session` the owner; only to be called inside a writing transaction of the case.

    Returns:
        What was there before: nothing, a stale owner, or garbage.

    Raises:
        ResourceError: another session owns the case, or the lock cannot be written.
    """
    found = read_lock(folder)
    if found.owner is not None and not is_stale(found.owner):
        raise owned_by_another(folder, found.owner)
    part = folder / f"{LOCK}.{session.token}.part"
    try:
        part.write_text(json.dumps(session.__dict__, sort_keys=True), encoding="utf-8")
        part.replace(folder / LOCK)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise from_os_error(error, folder / LOCK) from error
    return found


def check_token(folder: Path, token: str) -> None:
    """Makes sure that the session with this token still owns the case.

    Raises:
        ResourceError: it does not.
    """
    found = read_lock(folder)
    if found.owner is None:
        raise ResourceError(
            "the session that owned the case has ended", folder, "open the case again"
        )
    if not secrets.compare_digest(found.owner.token.encode(), token.encode()):
        raise owned_by_another(folder, found.owner)


def release(folder: Path, token: str) -> None:
    """Removes the lock if it still belongs to the session with this token."""
    found = read_lock(folder)
    if found.owner is not None and found.owner.token == token:
        (folder / LOCK).unlink(missing_ok=True)


def owned_by_another(folder: Path, owner: Owner) -> ResourceError:
    """The error that names who has the case and what to do."""
    remedy = "close it there, or open the case read-only"
    if owner.host != socket.gethostname():
        remedy += f"; if that session is surely gone, delete {folder / LOCK}"
    return ResourceError(f"the case is in use by {owner}", folder, remedy)
