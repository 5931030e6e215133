from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from engine.case import Case
from tests.cli.cli_material import Command


def tamper(case: Path, sql: str) -> None:
    database = sqlite3.connect(case / "case.sqlite", isolation_level=None)
    database.execute(sql)
    database.close()


def files_of(case: Path) -> dict[str, bytes]:
    # Readers of a database in WAL mode share an index beside it.
    return {
        str(path.relative_to(case)): path.read_bytes()
        for path in case.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_sound_case_is_found_sound_and_left_untouched(
    command: Command, case: Path, clip: Path
) -> None:
    before = files_of(case)
    ran = command("verify", "--case", case, "--json")
    assert ran.code == 0
    found = ran.json
    assert set(found) == {"ok", "evidence", "records", "audit"}
    assert found["ok"] is True
    assert found["evidence"][0]["path"] == str(clip)
    assert found["evidence"][0]["ok"] is True
    assert found["records"]["bad"] == []
    assert found["records"]["checked"] > 10
    assert found["audit"]["first_bad"] is None
    log = command("log", "--case", case, "--json").json
    assert (found["audit"]["head"], found["audit"]["entries"]) == (log["head"], log["count"])
    assert files_of(case) == before


def test_other_hashes_are_computed_on_request(command: Command, case: Path, clip: Path) -> None:
    data = clip.read_bytes()
    ran = command("verify", "--case", case, "--also", "MD5, sha1", "--json")
    assert ran.code == 0
    assert ran.json["evidence"][0]["also"] == {
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    }
    assert (
        hashlib.md5(data, usedforsecurity=False).hexdigest()
        in command("verify", "--case", case, "--also", "md5").out
    )
    refused = command("verify", "--case", case, "--also", "crc32")
    assert (refused.code, "crc32" in refused.error) == (2, True)


def test_a_case_on_a_read_only_medium_can_be_verified(command: Command, case: Path) -> None:
    for path in (case, *case.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert command("verify", "--case", case).code == 0
        assert command("log", "--case", case).code == 0
    finally:
        for path in (case, *case.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_changed_evidence_fails_and_leaves_a_lasting_mark(
    command: Command, copied_case: tuple[Path, Path]
) -> None:
    case, held = copied_case
    original = held.read_bytes()
    held.write_bytes(original + b"\0")
    ran = command("verify", "--case", case, "--json")
    assert ran.code == 1
    assert "1 of 1 pieces of evidence" in ran.error
    (evidence,) = ran.json["evidence"]
    assert evidence["ok"] is False
    assert evidence["sha256_now"] != evidence["sha256_recorded"]
    assert ran.json["audit"]["ok"] is True
    held.write_bytes(original)
    assert command("verify", "--case", case).code == 0
    entries = command("log", "--case", case, "--action", "evidence.mismatch", "--json").json
    assert len(entries["entries"]) == 1
    assert evidence["sha256_now"] in entries["entries"][0]["params_json"]


def test_missing_evidence_fails_without_a_mark(
    command: Command, copied_case: tuple[Path, Path]
) -> None:
    case, held = copied_case
    held.unlink()
    ran = command("verify", "--case", case)
    assert ran.code == 1
    assert "NOT READABLE" in ran.out
    with Case.open(case) as opened:
        assert not opened.evidence.mismatches(1)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE run SET settings = '{}'", "run"),
        ("UPDATE event SET peak_score = 0.1", "event"),
        ("DELETE FROM trajectory", "trajectory"),
        ("UPDATE chunk SET raw = x'00'", "chunk"),
    ],
)
def test_changed_records_are_named_and_nothing_is_added_to_their_history(
    command: Command, case: Path, sql: str, table: str
) -> None:
    tamper(case, sql)
    ran = command("verify", "--case", case, "--json")
    assert ran.code == 1
    assert table in {bad["table"] for bad in ran.json["records"]["bad"]}
    assert "records" in ran.error
    assert "bad" in command("verify", "--case", case).out
    assert command("log", "--case", case, "--json").json["count"] == ran.json["audit"]["entries"]


def test_a_broken_chain_is_named_and_changed_evidence_is_not_added_to_it(
    command: Command, copied_case: tuple[Path, Path]
) -> None:
    case, held = copied_case
    held.write_bytes(b"other")
    tamper(case, "DROP TRIGGER audit_refuses_update")
    tamper(case, "UPDATE audit SET actor = 'nobody' WHERE seq = 3")
    ran = command("verify", "--case", case, "--json")
    assert ran.code == 1
    assert ran.json["audit"]["first_bad"] == 3
    assert "entry 3" in ran.error
    assert "not put on record" in ran.err
    assert command("verify", "--case", case, "--json").json["audit"] == ran.json["audit"]


def test_a_head_written_down_is_looked_for(command: Command, case: Path, tmp_path: Path) -> None:
    head = command("log", "--case", case, "--json").json["head"]
    assert command("report", "--case", case, "--to", tmp_path / "a.json").code == 0
    ran = command("verify", "--case", case, "--head", head.upper(), "--json")
    assert (ran.code, ran.json["audit"]["head_in_chain"]) == (0, True)
    ran = command("verify", "--case", case, "--head", "0" * 63 + "1")
    assert ran.code == 1
    assert "head" in ran.error
    ran = command("verify", "--case", case, "--head", head[:12])
    assert ran.code == 2


def test_the_log_lists_what_was_done_and_filters(command: Command, case: Path) -> None:
    whole = command("log", "--case", case, "--json").json
    assert [entry["seq"] for entry in whole["entries"]] == list(range(1, whole["count"] + 1))
    assert whole["entries"][-1]["hash"] == whole["head"]
    names = {"seq", "utc", "actor", "action", "object", "params_json"}
    assert set(whole["entries"][0]) == names | {"content_sha256", "prev_hash", "hash"}
    lines = command("log", "--case", case).out.splitlines()
    assert len(lines) == whole["count"] + 1
    assert "run.finish run:1" in "\n".join(lines)
    assert whole["head"] in lines[-1]
    runs = command("log", "--case", case, "--action", "run", "--json").json
    assert {entry["action"] for entry in runs["entries"]} == {"run.start", "run.finish"}
    assert runs["count"] == whole["count"]
    about = command("log", "--case", case, "--object", "case", "--json").json
    assert [entry["action"] for entry in about["entries"]] == ["case.create"]
    assert command("log", "--case", case, "--since", "2100-01-01", "--json").json["entries"] == []
    since = whole["entries"][3]["utc"]
    later = command("log", "--case", case, "--since", since, "--json").json["entries"]
    assert [entry["seq"] for entry in later] == list(range(4, whole["count"] + 1))
    assert command("log", "--case", case, "--since", "yesterday").code == 2


def test_the_log_of_no_case_is_refused(command: Command, tmp_path: Path) -> None:
    for name in ("log", "verify"):
        ran = command(name, "--case", tmp_path / "none.case")
        assert ran.code == 2
        assert "no such case" in ran.error
