"""The set-up says what is missing instead of failing somewhere inside; every package is pinned."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from requirements import requirements

ROOT = Path(__file__).resolve().parents[2]
BARE = "/usr/bin:/bin"
LIBRARIES = re.findall(
    r"^    library \S+ (\S+)$", (ROOT / "packaging/system_packages.sh").read_text(), re.MULTILINE
)

Stub = Callable[[str, str], None]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(name: str, body: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    return make


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a script of the set-up in an empty project, the stubs before the system's programs."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "packaging", project / "packaging")

    def call(script: str, kind: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [project / "packaging" / script, kind],
            env={"PATH": f"{tmp_path / 'bin'}:{BARE}", **environment},
            cwd=project, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


def _ldconfig(*missing: str, unless: Path | None = None) -> str:
    there = "".join(f"\\t{name} (libc6) => /lib/{name}\\n" for name in LIBRARIES)
    less = there
    for name in missing:
        less = less.replace(f"\\t{name} (libc6) => /lib/{name}\\n", "")
    if unless is None:
        return f"printf '{less}'"
    return f"if [ -f {unless} ]; then printf '{there}'; else printf '{less}'; fi"


def test_nothing_missing_says_nothing(stub: Stub, run: Run) -> None:
    stub("ldconfig", _ldconfig())
    stub("python3", "exit 0")
    done = run("system_packages.sh", "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("user", "ci", "line"),
    [
        ("1000", "", "sudo apt-get install python3-venv libegl1 libxcb-keysyms1"),
        ("1000", "true", "sudo apt-get install python3-venv libegl1 libxcb-keysyms1"),
        ("0", "", "apt-get install python3-venv libegl1 libxcb-keysyms1"),
    ],
)
def test_prints_the_line_that_installs_what_is_missing_and_stops(
    stub: Stub, run: Run, tmp_path: Path, user: str, ci: str, line: str
) -> None:
    stub("ldconfig", _ldconfig("libEGL.so.1", "libxcb-keysyms.so.1"))
    stub("python3", "exit 1")
    stub("id", f"echo {user}")
    stub("apt-get", f"touch {tmp_path}/installed")
    done = run("system_packages.sh", "run", CI=ci)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == line
    assert not (tmp_path / "installed").exists()


def test_ci_as_root_installs_only_what_is_missing(stub: Stub, run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stub("ldconfig", _ldconfig("libGL.so.1", unless=log))
    stub("python3", "exit 0")
    stub("id", "echo 0")
    stub("apt-get", f'echo "$DEBIAN_FRONTEND $*" >>{log}')
    done = run("system_packages.sh", "run", CI="true")
    assert done.returncode == 0, done.stderr
    update, install = log.read_text().splitlines()
    assert update.startswith("noninteractive update")
    assert install.startswith("noninteractive install")
    assert install.endswith(" libgl1")


@pytest.mark.parametrize(
    ("version", "words"),
    [("echo Python 3.9.2", "Python 3.9.2 is too old"), ("exit 127", "no Python found")],
)
def test_a_python_that_will_not_do_is_named(
    stub: Stub, run: Run, tmp_path: Path, version: str, words: str
) -> None:
    for name in ("python3", "python3.11"):
        stub(name, f'if [ "$1" = --version ]; then {version}; else exit 1; fi')
    done = run("setup.sh", "run")
    assert done.returncode == 4
    assert done.stderr.startswith(f"error: {words}, python3, install Python 3.11")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "project" / ".venv").exists()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_is_pinned_exactly() -> None:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        extras = list(tomllib.load(stream)["project"]["optional-dependencies"])
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    assert all(len(pin) == 2 and "+" not in pin[1] for pin in pins)
    pinned = {_canonical(name) for name, _ in pins}
    wanted = requirements(ROOT / "pyproject.toml", extras)
    assert {_canonical(re.split(r"[\[<>=~ ;]", name)[0]) for name in wanted} <= pinned
