"""Files: whole or not at all, and never a pipe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.case.store.case_lock import LOCK, read_lock
from engine.core.errors import BadInputError, MediaError
from engine.core.files import atomic_path, open_regular_file, write_atomically
from engine.few_shot.marks import load_marks
from engine.media import hash_evidence
from engine.packs.prompt_sets import load_prompts

pytestmark = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no pipes by name"
)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"first")

    def write_half() -> None:
        with atomic_path(path) as part:
            part.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_pipe_or_a_device_is_refused_and_nothing_waits(pipe: Path, tmp_path: Path) -> None:
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a file"):
            open_regular_file(path)
        with pytest.raises(BadInputError, match="cannot be read"):
            load_marks(path)
        with pytest.raises(BadInputError, match="cannot be read"):
            load_prompts(path)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(MediaError, match="cannot be read"):
            hash_evidence(path)


def test_a_pipe_in_the_place_of_the_lock_is_garbage(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK)
    assert read_lock(tmp_path).garbage
