"""Nothing hostile comes out of an archive: names, links, bombs, changed bytes, forged manifests."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cli_material import Command
from tests.report.report_material import manifest_of


def rewritten(archive: Path, target: Path, *, entries: list[tuple[Any, bytes]]) -> Path:
    with zipfile.ZipFile(target, "w") as target_zip:
        for name, data in entries:
            target_zip.writestr(name, data)
    return target


def entries_of(archive: Path) -> list[tuple[Any, bytes]]:
    with zipfile.ZipFile(archive) as opened:
        return [(name, opened.read(name)) for name in opened.namelist()]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/cron.d/job", "an absolute path: /etc/cron.d/job"),
        ("C:/Windows/x.dll", "an absolute path: C:/Windows/x.dll"),
        ("\\\\server\\share\\x", "an absolute path"),
        ("../../.bashrc", "leads out of the archive: ../../.bashrc"),
        ("derived/../../x", "leads out of the archive: derived/../../x"),
        ("derived\\..\\x", "leads out of the archive"),
        ("derived//x", "an empty part"),
        ("derived/a\nb", "not every system allows"),
        ("derived/nul.txt", "reserved on Windows"),
        ("derived/x ", "reserved on Windows"),
        ("derived/", "an empty part"),
        ("extra.bin", "a file the manifest does not name: extra.bin"),
        ("CASE.SQLITE", "a name that clashes"),
        ("case.sqlite/x", "a file that is also a folder: case.sqlite"),
    ],
)
def test_hostile_names_are_refused_and_named(
    command: Command, archive: Path, tmp_path: Path, name: str, message: str
) -> None:
    hostile = rewritten(
        archive, tmp_path / "hostile.zip", entries=[*entries_of(archive), (name, b"x")]
    )
    ran = command("unpack", hostile, "--to", tmp_path / "sub" / "new.case")
    assert ran.code == 2
    assert message.replace("\n", " ") in ran.error
    assert not (tmp_path / "sub").exists()
    assert not (tmp_path / ".bashrc").exists()


def link_to(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("mode", "message"), [(0o120777, "a link"), (0o020666, "no file"), (0o040755, "no file")]
)
def test_links_and_devices_are_refused(
    command: Command, archive: Path, tmp_path: Path, mode: int, message: str
) -> None:
    extra = (link_to("derived/passwd", mode), b"/etc/passwd")
    hostile = rewritten(archive, tmp_path / "hostile.zip", entries=[*entries_of(archive), extra])
    ran = command("unpack", hostile, "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert message in ran.error
    assert "derived/passwd" in ran.error
    assert not (tmp_path / "new.case").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    entries = entries_of(archive)
    hostile = rewritten(archive, tmp_path / "hostile.zip", entries=[*entries, entries[0]])
    ran = command("unpack", hostile, "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert "a name that stands twice: case.sqlite" in ran.error


def test_a_bomb_is_refused_before_anything_is_written(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bomb_zip:
        for name, data in entries_of(archive):
            bomb_zip.writestr(name, data, zipfile.ZIP_STORED)
        bomb_zip.writestr("derived/zeros", b"\0" * (64 << 20))
    ran = command("unpack", bomb, "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert "compressed file, which might grow without end: derived/zeros" in ran.error
    assert not (tmp_path / "new.case").exists()


def test_every_changed_byte_is_found_and_its_file_named(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    """Hashes are compared even where the archive's own checksums were made to fit."""
    for changed in manifest_of(archive)["files"]:
        name = changed["path"]
        entries = entries_of(archive)
        spoilt = [
            (member, bytes([*data[:-1], data[-1] ^ 1]) if member == name else data)
            for member, data in entries
        ]
        hostile = rewritten(archive, tmp_path / "hostile.zip", entries=spoilt)
        ran = command("unpack", hostile, "--to", tmp_path / "new.case")
        assert ran.code == 2
        assert f"not what its manifest says: {name}" in ran.error
        assert not (tmp_path / "new.case").exists()


def forged(archive: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """An archive whose manifest says something else."""
    entries = dict(entries_of(archive))
    manifest = json.loads(entries["manifest.json"])
    change(manifest)
    entries["manifest.json"] = json.dumps(manifest).encode()
    return rewritten(archive, target, entries=list(entries.items()))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "other", "manifest of the archive cannot be read"),
        ("v", 2, "another version"),
        ("head", "0" * 64, "another head of the audit log"),
        ("head", 5, "cannot be read"),
        ("entries", -1, "cannot be read"),
        ("files", [], "a file the manifest does not name"),
        ("files", "all", "cannot be read"),
        ("evidence", [5], "cannot be read"),
    ],
)
def test_a_forged_manifest_is_refused(
    command: Command, archive: Path, tmp_path: Path, key: str, value: object, message: str
) -> None:
    hostile = forged(
        archive, tmp_path / "hostile.zip", lambda manifest: manifest.update({key: value})
    )
    ran = command("unpack", hostile, "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert message in ran.error
    assert not (tmp_path / "new.case").exists()


def test_other_evidence_under_the_right_name_is_refused(
    command: Command, archive: Path, tmp_path: Path
) -> None:
    entries = dict(entries_of(archive))
    manifest = json.loads(entries["manifest.json"])
    held = manifest["evidence"][0]["held"]
    entries[held] = b"another video"
    for file in manifest["files"]:
        if file["path"] == held:
            file.update(size=13, sha256=hashlib.sha256(b"another video").hexdigest())
    entries["manifest.json"] = json.dumps(manifest).encode()
    hostile = rewritten(archive, tmp_path / "hostile.zip", entries=list(entries.items()))
    ran = command("unpack", hostile, "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert "evidence 1 has another hash" in ran.error


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + b"\0" * 18, b"not a zip at all", b"PK"])
def test_what_is_no_archive_is_refused(command: Command, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    ran = command("unpack", tmp_path / "x.zip", "--to", tmp_path / "new.case")
    assert ran.code == 2
    assert "not an archive" in ran.error
