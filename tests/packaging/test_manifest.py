"""The manifest of a built application finds every file that is not as it was built."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core import build as builds
from engine.core.build import Build, read_build, this_build
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.core.version import VERSION
from engine.selftest.installation import differences
from manifest import built_commit, compare_builds, main, write_manifest

COMMIT = "c0ffee" * 6 + "c0de"


@pytest.fixture
def application(tmp_path: Path) -> Path:
    folder = tmp_path / "Prüf ling"
    (folder / "_internal" / "lib").mkdir(parents=True)
    (folder / "sightline").write_bytes(b"\x7fELF program")
    (folder / "_internal" / "lib" / "libé.so.1").write_bytes(b"library")
    (folder / "_internal" / "libé.so").symlink_to("lib/libé.so.1")
    write_manifest(folder, COMMIT)
    return folder


def built(application: Path) -> Build:
    return read_build(application / "_internal" / "manifest.json", application)


def found(application: Path) -> dict[str, str]:
    return dict(differences(built(application), CancelToken()))


def test_names_version_commit_and_every_other_file(application: Path) -> None:
    build = built(application)
    assert (build.version, build.commit) == (VERSION, COMMIT)
    assert set(build.files) == {"sightline", "_internal/lib/libé.so.1", "_internal/libé.so"}
    assert found(application) == {}


def test_writing_it_again_changes_nothing(application: Path) -> None:
    before = (application / "_internal" / "manifest.json").read_bytes()
    assert write_manifest(application, COMMIT).read_bytes() == before


def test_two_builds_are_compared_file_by_file(
    application: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(application, other, symlinks=True)
    assert list(compare_builds(built(application), built(other))) == []
    assert main(["--compare", str(application), str(other)]) == 0
    (other / "sightline").write_bytes(b"\x7fELF progrbm")
    (other / "_internal" / "new.so").write_bytes(b"new")
    write_manifest(other, COMMIT[::-1])
    capsys.readouterr()
    assert main(["--compare", str(application), str(other)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{VERSION} {COMMIT} is not {VERSION} {COMMIT[::-1]}",
        f"_internal/new.so is only in {other}",
        "sightline differs",
        "3 differences in 3 files",
    ]


def test_a_changed_a_missing_and_a_foreign_file_are_named(application: Path) -> None:
    (application / "sightline").write_bytes(b"\x7fELF progrbm")
    (application / "_internal" / "lib" / "libé.so.1").unlink()
    (application / "_internal" / "torch.py").write_text("import os")
    assert found(application) == {
        "sightline": "has changed",
        "_internal/lib/libé.so.1": "is missing",
        "_internal/libé.so": "is missing",
        "_internal/torch.py": "does not belong to the program",
    }


@pytest.mark.parametrize("text", ["", "[]", '{"version": "1"}', '{"files": []}', "{"])
def test_a_damaged_manifest_is_one_line(application: Path, text: str) -> None:
    (application / "_internal" / "manifest.json").write_text(text)
    with pytest.raises(BadInputError, match="the manifest of the program cannot be read") as error:
        built(application)
    assert error.value.remedy == "install again"


def test_a_built_application_finds_its_manifest_and_sources_have_none(
    application: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert this_build() is None
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(application / "sightline"))
    monkeypatch.setattr(builds, "ROOT", application / "_internal")
    build = this_build()
    assert build is not None
    assert build.folder == application
    (application / "_internal" / "manifest.json").unlink()
    with pytest.raises(BadInputError):
        this_build()


def test_sources_that_are_not_those_of_the_commit_are_told(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        said = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *said, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    (tmp_path / "main.py").write_text("1")
    git("add", "main.py")
    git("commit", "-qm", "One")
    commit = git("rev-parse", "HEAD")
    assert built_commit(tmp_path) == commit
    assert len(commit) == 40
    (tmp_path / "main.py").write_text("2")
    assert built_commit(tmp_path) == f"{commit}-changed"


def test_the_manifest_is_json_that_others_can_read(application: Path) -> None:
    said = json.loads((application / "_internal" / "manifest.json").read_text("utf-8"))
    assert said["format"] == 1
    assert all(len(one) == 64 for one in said["files"].values())
