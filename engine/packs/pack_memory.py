"""The memory that a pack needs, compared with the memory of this machine."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import psutil

from engine.packs.manifest_schema import Memory

_MIB = 1 << 20  # The unit in which nvidia-smi gives memory.
_GPU_QUERY = ("--query-gpu=memory.total", "--format=csv,noheader,nounits")
_TIMEOUT_S = 10.0  # A driver that is not ready by then counts as none; it answers within a second.


@dataclass(frozen=True)
class Machine:
    """Memory of this machine, in bytes.

    Attributes:
        total: main memory.
        free: main memory that programs could have now.
        gpu: of the largest NVIDIA GPU; None when its driver names none.
    """

    total: int
    free: int
    gpu: int | None


def this_machine() -> Machine:
    """Returns the memory of this machine as it is now."""
    memory = psutil.virtual_memory()
    return Machine(int(memory.total), int(memory.available), _gpu_memory())


def fits_machine(memory: Memory, machine: Machine) -> bool:
    """Returns whether a pack can run on a machine at all, on the GPU or without."""
    return _on_gpu(memory, machine) or memory.cpu <= machine.total


def memory_text(memory: Memory, machine: Machine) -> str:
    """Returns one line about what a pack needs, what is there, and what follows."""
    need = f"needs {size_text(memory.cpu)} of memory"
    if memory.gpu is not None:
        need += f", or {size_text(memory.gpu)} on a GPU"
    available = f"{size_text(machine.free)} of {size_text(machine.total)} free"
    if machine.gpu is not None:
        available += f", GPU {size_text(machine.gpu)}"
    if _on_gpu(memory, machine):
        verdict = "fits on the GPU"
    elif memory.cpu <= machine.free:
        verdict = "fits"
    elif memory.cpu <= machine.total:
        verdict = "close other programs first"
    else:
        verdict = "too large for this machine"
    return f"{need} · {available} · {verdict}"


def size_text(count: float) -> str:
    """Writes bytes for people: `3.1 MB`, `15.2 GB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale * 0.9995:
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} bytes"


def _on_gpu(memory: Memory, machine: Machine) -> bool:
    return memory.gpu is not None and machine.gpu is not None and memory.gpu <= machine.gpu


def _gpu_memory() -> int | None:
    """Asks the driver, because asking torch would load it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        result = subprocess.run(
            [program, *_GPU_QUERY], capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
        )
        return max(int(line) for line in result.stdout.split()) * _MIB
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
