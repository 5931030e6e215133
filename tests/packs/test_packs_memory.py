from __future__ import annotations

import stat
from pathlib import Path

import pytest

from engine.packs.manifest_schema import Memory
from engine.packs.pack_memory import Machine, fits_machine, memory_text, size_text, this_machine

GB = 10**9


@pytest.mark.parametrize(
    ("memory", "machine", "fit", "verdict"),
    [
        (Memory(1 * GB), Machine(16 * GB, 8 * GB, None), True, "fits"),
        (Memory(12 * GB), Machine(16 * GB, 8 * GB, None), True, "close other programs first"),
        (Memory(32 * GB), Machine(16 * GB, 8 * GB, None), False, "too large for this machine"),
        (Memory(32 * GB, 20 * GB), Machine(16 * GB, 8 * GB, 24 * GB), True, "fits on the GPU"),
        (Memory(32 * GB, 20 * GB), Machine(16 * GB, 8 * GB, 8 * GB), False, "too large"),
        (Memory(4 * GB), Machine(16 * GB, 8 * GB, 24 * GB), True, "fits"),
    ],
)
def test_need_against_what_is_there(
    memory: Memory, machine: Machine, fit: bool, verdict: str
) -> None:
    assert fits_machine(memory, machine) is fit
    assert memory_text(memory, machine).rpartition(" · ")[2].startswith(verdict)


def test_this_machine_has_memory() -> None:
    machine = this_machine()
    assert 0 < machine.free <= machine.total


@pytest.mark.parametrize(
    ("prints", "gpu"), [("8192\\n24576\\n", 24576 << 20), ("[N/A]\\n", None), ("", None)]
)
def test_the_driver_is_asked_and_may_be_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, gpu: int | None
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{prints}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert this_machine().gpu == gpu


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (3_100_000, "3.1 MB"), (999_900_000, "1.0 GB")],
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert size_text(count) == text
