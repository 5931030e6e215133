"""A case goes into one file and comes out again; nothing hostile comes out."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.archive import archive_writer as archiving
from engine.archive.archive_writer import write_archive
from engine.archive.member_names import fault_of, usable_name
from engine.archive.unpack_case import unpack
from engine.case import Case
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken, Progress
from tests.cli.cli_material import Command
from tests.report.report_material import manifest_of

ROOT = Path(__file__).parents[2]


def test_an_archived_case_comes_out_whole_and_verifies(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    (case / "derived" / "thumbnails").mkdir()
    (case / "derived" / "thumbnails" / "one.jpg").write_bytes(b"one")
    events = command("events", "--case", case, "--json").json["events"]
    target = tmp_path / "out" / "gate.zip"
    made = command("archive", "--case", case, "--to", target, "--with-evidence", "--json")
    assert made.code == 0
    (written,) = made.json["files"]
    assert written["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert command("verify", "--case", case).code == 0
    with Case.open(case) as opened:
        assert [row.kind for row in opened.exports.all()] == ["zip"]
        entries = list(opened.audit.entries())
    assert [entry.action for entry in entries[-2:]] == ["case.archive", "export.add"]
    assert entries[-2].hash == made.json["audit"]["head"]

    folder = tmp_path / "elsewhere" / "gate.case"
    ran = command("unpack", target, "--to", folder, "--json")
    assert ran.code == 0
    assert ran.json["head"] == made.json["audit"]["head"]
    assert ran.json["manifest_sha256"] == made.json["manifest_sha256"]
    assert ran.json["verification"]["ok"] is True
    (evidence,) = ran.json["evidence"]
    assert evidence["state"] == "held"
    assert Path(evidence["path"]).read_bytes() == clip.read_bytes()
    assert (folder / "derived" / "thumbnails" / "one.jpg").read_bytes() == b"one"
    assert command("events", "--case", folder, "--json").json["events"] == events
    assert command("verify", "--case", folder, "--head", ran.json["head"]).code == 0
    still = tmp_path / "still.png"
    assert command("export", "--case", folder, "--evidence", 1, "--to", still).code == 0
    with Case.open(folder) as opened:
        assert "case.unpack" in [entry.action for entry in opened.audit.entries()]
        assert opened.evidence.get(1).path == str(clip)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_without_evidence_it_is_found_by_hash(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "gate.zip"
    written = command("archive", "--case", case, "--to", target, "--json").json
    assert [(evidence["held"], evidence["left_out"]) for evidence in written["evidence"]] == [
        (None, "not asked for")
    ]
    with sqlite3.connect(case / "case.sqlite") as raw:
        assert raw.execute("SELECT path FROM evidence").fetchone() == (str(clip),)
    there = command("unpack", target, "--to", tmp_path / "there.case", "--json")
    assert [evidence["state"] for evidence in there.json["evidence"]] == ["found"]
    assert there.json["evidence"][0]["path"] == str(clip)


def test_evidence_that_moved_is_linked_by_hash_and_a_wrong_file_is_not(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    footage = tmp_path / "disk" / "day one"
    footage.mkdir(parents=True)
    moved = Path(shutil.copy(clip, footage / "renamed.mp4"))
    wrong = bytearray(clip.read_bytes())
    wrong[-1] ^= 1
    (footage / "a wrong one.mp4").write_bytes(wrong)
    with Case.open(case, write=True) as opened, opened.change() as change:
        change.evidence.relink(1, "/gone/gate.mp4")
    target = tmp_path / "gate.zip"
    assert command("archive", "--case", case, "--to", target).code == 0
    lost = command("unpack", target, "--to", tmp_path / "lost.case")
    assert lost.code == 0
    assert "warning: evidence 1 is missing" in lost.err
    folder = tmp_path / "found.case"
    ran = command("unpack", target, "--to", folder, "--evidence", tmp_path / "disk", "--json")
    assert [(evidence["state"], evidence["path"]) for evidence in ran.json["evidence"]] == [
        ("found", str(moved))
    ]
    assert command("verify", "--case", folder).code == 0


def test_missing_and_changed_evidence_is_left_out_and_named(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, copy = copied_case
    copy.write_bytes(copy.read_bytes() + b"\0")
    ran = command("archive", "--case", case, "--to", tmp_path / "a.zip", "--with-evidence")
    assert ran.code == 0
    assert "warning: evidence 1 is left out, changed since it was added" in ran.err
    with Case.open(case) as opened:
        assert len(opened.evidence.mismatches(1)) == 1
    copy.unlink()
    ran = command("archive", "--case", case, "--to", tmp_path / "b.zip", "--with-evidence")
    assert "warning: evidence 1 is left out, " in ran.err
    with zipfile.ZipFile(tmp_path / "b.zip") as opened_zip:
        assert sorted(opened_zip.namelist()) == ["case.sqlite", "manifest.json"]


def test_a_folder_of_images_goes_along(command: Command, tmp_path: Path, clip: Path) -> None:
    from engine.media import open_source
    from engine.render.raster import write_png

    images = tmp_path / "footage" / "cam"
    images.mkdir(parents=True)
    with open_source(clip) as source:
        for number in range(12):
            frame = source.frame(number).image
            assert frame is not None
            write_png(images / f"{number:03d}.png", frame)
    case, target = tmp_path / "cam.case", tmp_path / "cam.zip"
    assert command("analyze", images, "--case", case, "--quiet").code == 0
    assert command("archive", "--case", case, "--to", target, "--with-evidence").code == 0
    shutil.rmtree(images)
    ran = command("unpack", target, "--to", tmp_path / "new.case", "--json")
    assert [evidence["state"] for evidence in ran.json["evidence"]] == ["held"]
    assert command("verify", "--case", tmp_path / "new.case").code == 0


def test_an_archive_larger_than_the_disk_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    def full(_: object) -> object:
        return shutil._ntuple_diskusage(10, 9, 1)

    monkeypatch.setattr("engine.archive.archive_reader.shutil.disk_usage", full)
    ran = command("unpack", archive, "--to", tmp_path / "new.case")
    assert ran.code == 4
    assert "no room" in ran.error


def test_an_archived_case_that_does_not_verify_is_told_so(
    command: Command, case: Path, tmp_path: Path
) -> None:
    raw = sqlite3.connect(case / "case.sqlite", isolation_level=None)
    raw.execute("UPDATE event SET peak_score = 0.1")
    raw.close()
    target = tmp_path / "gate.zip"
    assert command("archive", "--case", case, "--to", target).code == 0
    before = manifest_of(target)
    ran = command("unpack", target, "--to", tmp_path / "new.case")
    assert ran.code == 1
    assert "does not verify" in ran.error
    with Case.open(tmp_path / "new.case") as opened:
        assert opened.audit.count == before["entries"]


def test_places_are_checked(command: Command, case: Path, clip: Path, archive: Path) -> None:
    full = archive.parent / "full"
    full.mkdir()
    (full / "mine").write_text("mine")
    assert command("unpack", archive, "--to", full).code == 2
    assert (full / "mine").read_text() == "mine"
    beside = command("unpack", archive, "--to", clip.parent / "new.case")
    assert beside.code == 2
    assert str(clip.parent) in beside.error
    assert command("archive", "--case", case, "--to", clip.parent / "gate.zip").code == 2
    assert command("archive", "--case", case, "--to", archive.parent / "gate.tar").code == 2
    assert command("unpack", archive.parent / "none.zip", "--to", archive.parent / "n").code == 2


def test_a_full_disk_leaves_the_case_and_no_archive(
    command: Command, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object) -> object:
        yield b"some"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(archiving, "read_blocks", failing)
    folder = tmp_path / "out"
    ran = command("archive", "--case", case, "--to", folder / "gate.zip")
    assert ran.code == 4
    assert "the disk is full" in ran.error
    assert list(folder.iterdir()) == []
    assert command("verify", "--case", case).code == 0


def test_a_disk_that_fills_while_the_database_is_copied_is_named(
    command: Command, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA max_page_count = 4")
        return connection

    monkeypatch.setattr(archiving, "sqlite3", SimpleNamespace(connect=small))
    folder = tmp_path / "out"
    ran = command("archive", "--case", case, "--to", folder / "gate.zip")
    monkeypatch.undo()
    assert ran.code == 4
    assert f"the disk is full, {folder / 'gate.zip'}" in ran.error
    assert list(folder.iterdir()) == []
    assert command("verify", "--case", case).code == 0


def test_a_cancelled_archive_leaves_nothing(case: Path, tmp_path: Path) -> None:
    token = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage == "archiving":
            token.cancel()

    with Case.open(case, write=True) as opened, pytest.raises(CancelledError):
        write_archive(
            opened, tmp_path / "out" / "a.zip", with_evidence=True, cancel=token, progress=stop
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_cancelled_unpacking_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    token = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage == "unpacking":
            token.cancel()

    with pytest.raises(CancelledError):
        unpack(archive, tmp_path / "out" / "new.case", cancel=token, progress=stop)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as POSIX does")
@pytest.mark.parametrize("what", ["archive", "unpack"])
def test_a_kill_leaves_no_half_file_under_the_final_name(
    command: Command, case: Path, archive: Path, tmp_path: Path, what: str
) -> None:
    script = (
        "import os, signal, sys\n"
        "import engine.archive.archive_writer as a, engine.archive.archive_reader as r\n"
        "def killed(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "a._check_stored_evidence = killed\n"
        "r.Archive.extract = killed\n"
        "from engine.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    words = {
        "archive": ["archive", "--case", str(case), "--to", str(out / "new.zip")],
        "unpack": ["unpack", str(archive), "--to", str(out / "new.case")],
    }[what]
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert all(path.name.startswith(".") and ".part" in path.name for path in out.iterdir())
    assert command("verify", "--case", case).code == 0
    again = command(*words)
    assert again.code == 0


@pytest.mark.parametrize("name", ["a.mp4", "東京.mp4", "with space.avi", "a" * 200])
def test_usual_names_stay(name: str) -> None:
    assert not fault_of(name)
    assert usable_name(name) == name


@pytest.mark.parametrize(
    "name", ["a:b", "nul.mp4", "x.", "..", "", "a/b", "\udcff.mp4", "語" * 200]
)
def test_odd_names_become_usable(name: str) -> None:
    assert not fault_of(usable_name(name))
