"""One owner a case: stale locks are taken over, living ones respected, workers join by token."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.case import TOKEN_VARIABLE, Case, is_case, owner_of, verify
from engine.case.store.case_lock import LOCK, process_start
from engine.case.store.database import DATABASE
from engine.core.errors import ResourceError
from tests.case.case_holder import case_held_elsewhere, start_holder
from tests.case.case_material import SHA, new_evidence


@pytest.fixture
def holder(case_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the case."""
    with case_held_elsewhere(case_folder) as process:
        yield process


def write_lock(folder: Path, **changes: object) -> None:
    start = process_start(os.getpid())
    lock = {
        "host": socket.gethostname(), "process": os.getpid(), "start": start, "token": "t" * 32,
        "user": "ann", "since": "2024-05-01T08:00:00+00:00",
    }  # fmt: skip
    (folder / LOCK).write_text(json.dumps({**lock, **changes}))


def test_a_second_session_is_refused_and_told_who_has_it(
    case_folder: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(ResourceError) as caught:
        Case.open(case_folder, write=True)
    assert f"process {holder.pid}" in caught.value.what
    assert socket.gethostname() in caught.value.what
    assert caught.value.exit_code == 4
    with Case.open(case_folder) as case:
        assert len(case.evidence.all()) == 1
    owner = owner_of(case_folder)
    assert owner is not None
    assert owner.process == holder.pid


def test_a_killed_session_is_taken_over_and_that_is_recorded(
    case_folder: Path, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    # Not collected yet: a process that ended but is still listed counts as ended.
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    with Case.open(case_folder, write=True) as case:
        last = list(case.audit.entries())[-1]
        assert last.action == "case.take_over"
        assert f"process {holder.pid}" in last.params_json
        assert verify(case, hash_evidence=lambda _: SHA).ok
    assert not (case_folder / LOCK).exists()


def test_a_case_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "short.case"
    folder.mkdir()
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    write_lock(folder, start="of another process")
    assert not is_case(folder)
    with Case.create(folder) as case:
        assert verify(case, hash_evidence=lambda _: SHA).ok
        assert is_case(folder)
    assert is_case(folder)


def test_a_worker_joins_by_token(case_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Case.open(case_folder, write=True) as owner:
        joined = Case.open(case_folder, write=True, token=owner.token)
        with joined as worker, worker.change() as change:
            change.evidence.add(new_evidence("/footage/yard.mp4"))
        assert owner_of(case_folder) is not None
        monkeypatch.setenv(TOKEN_VARIABLE, str(owner.token))
        with Case.open(case_folder, write=True) as worker, worker.change() as change:
            change.evidence.add(new_evidence("/footage/hall.mp4"))
        assert len(owner.evidence.all()) == 3
        with pytest.raises(ResourceError, match="in use by"):
            Case.open(case_folder, write=True, token="wrong")
    with pytest.raises(ResourceError, match="has ended"):
        Case.open(case_folder, write=True)


def test_a_worker_left_behind_stops_writing_when_the_case_is_taken(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as owner:
        worker = Case.open(case_folder, write=True, token=owner.token)
    with pytest.raises(ResourceError, match="has ended"), worker.change():
        pass
    with Case.open(case_folder, write=True) as other:
        with pytest.raises(ResourceError, match="in use by"), worker.change():
            pass
        worker.close()
        with other.change() as change:
            change.record("case.look", "case", {})


@pytest.mark.parametrize(
    "changes", [{"start": "another boot:1"}, {"process": 2**22 + 7}, {"process": 2**70}]
)
def test_a_lock_whose_process_is_gone_or_another_is_stale(
    case_folder: Path, changes: dict[str, object]
) -> None:
    write_lock(case_folder, **changes)
    assert owner_of(case_folder) is None
    with Case.open(case_folder, write=True) as case:
        assert list(case.audit.entries())[-1].action == "case.take_over"


def test_a_lock_of_this_living_process_holds(case_folder: Path) -> None:
    write_lock(case_folder)
    with pytest.raises(ResourceError, match="ann@"):
        Case.open(case_folder, write=True)


def test_a_lock_of_another_machine_is_never_taken_over(case_folder: Path) -> None:
    write_lock(case_folder, host="lab-7", process=2**22 + 7)
    with pytest.raises(ResourceError) as caught:
        Case.open(case_folder, write=True)
    assert "ann@lab-7" in caught.value.what
    assert str(case_folder / LOCK) in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00garbage", b"[1, 2]", b"{}", b'{"host": 1, "process": true}', b"[" * 4000],
)
def test_a_lock_that_is_garbage_is_taken_over_and_recorded(
    case_folder: Path, content: bytes
) -> None:
    (case_folder / LOCK).write_bytes(content)
    with Case.open(case_folder, write=True) as case:
        assert "unreadable_lock" in list(case.audit.entries())[-1].params_json
        with case.change() as change:
            change.record("case.look", "case", {})


def test_of_many_sessions_after_a_stale_lock_one_wins(case_folder: Path) -> None:
    write_lock(case_folder, start="another boot:1")
    sessions = [start_holder(case_folder) for _ in range(4)]
    lines = []
    for session in sessions:
        assert session.stdout is not None
        lines.append(session.stdout.readline().strip())
    won = [line for line in lines if line]
    for session in sessions:
        session.communicate()
    assert len(won) == 1
