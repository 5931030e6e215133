"""Hashes are those that other tools print, and any change shows."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from engine.core.errors import BadInputError, CancelledError, MediaError
from engine.core.progress import CancelToken, Progress
from engine.media import fingerprint, hash_evidence, hash_file


def test_a_file_is_hashed_by_several_algorithms_at_once(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000
    path = tmp_path / "evidence.mp4"
    path.write_bytes(data)
    reports: list[Progress] = []
    hashes = hash_evidence(path, ("sha256", "md5", "sha1"), progress=reports.append)
    assert hashes == {
        "sha256": hashlib.sha256(data).hexdigest(),
        "md5": hashlib.md5(data).hexdigest(),
        "sha1": hashlib.sha1(data).hexdigest(),
    }
    assert reports[-1].done == len(data)


def test_a_folder_is_hashed_over_its_images_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("10.png", "2.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "notes.txt").write_text("x")
    lines = "".join(
        f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ("2.png", "10.png")
    )
    expected = {"sha256": hashlib.sha256(lines.encode()).hexdigest()}
    assert hash_evidence(tmp_path) == expected
    (tmp_path / "notes.txt").write_text("changed")
    assert hash_evidence(tmp_path) == expected
    (tmp_path / "2.png").rename(tmp_path / "3.png")
    renamed = hash_evidence(tmp_path)
    assert renamed != expected
    (tmp_path / "10.png").write_bytes(b"changed")
    assert hash_evidence(tmp_path) not in (renamed, expected)


def test_a_fingerprint_changes_with_size_time_and_number(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(b"ab")
    first = fingerprint(path)
    assert (first.size, first.files) == (2, 1)
    assert fingerprint(tmp_path) == first
    path.write_bytes(b"abc")
    assert fingerprint(path) != first
    (tmp_path / "2.png").write_bytes(b"")
    assert fingerprint(tmp_path).files == 2


def test_hashing_stops_and_refuses(tmp_path: Path) -> None:
    path = tmp_path / "evidence.mp4"
    path.write_bytes(b"x")
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        hash_file(path, cancel=token)
    with pytest.raises(BadInputError, match="unknown hash algorithm"):
        hash_file(path, ("crc32",))
    with pytest.raises(MediaError):
        hash_evidence(tmp_path / "missing.mp4")
    with pytest.raises(MediaError):
        fingerprint(tmp_path / "missing.mp4")


def test_no_name_in_a_folder_stands_for_two_images(tmp_path: Path) -> None:
    two, one = tmp_path / "two", tmp_path / "one"
    for folder in (two, one):
        folder.mkdir()
    (two / "1.png").write_bytes(b"a")
    (two / "2.png").write_bytes(b"b")
    second = hashlib.sha256(b"b").hexdigest()
    (one / f"1.png\n{second}  2.png").write_bytes(b"a")
    assert hash_evidence(one) != hash_evidence(two)


def test_a_folders_hash_is_what_sha256sum_prints(tmp_path: Path) -> None:
    names = ["1.png", "2 back\\slash.png", "3 line\nend.png"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    lines = subprocess.run(
        ["sha256sum", *names], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    assert hash_evidence(tmp_path)["sha256"] == hashlib.sha256(lines).hexdigest()
