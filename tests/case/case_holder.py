"""Another process that owns a case, for tests of what the others may do meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SCRIPT = """
import sys
from pathlib import Path
from engine.case import Case
case = Case.open(Path(sys.argv[1]), write=True)
print(case.token, flush=True)
sys.stdin.read()
"""


def start_holder(case: Path) -> subprocess.Popen[str]:
    """Starts a process that opens the case for writing, says its token and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(case)], cwd=_ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@contextmanager
def case_held_elsewhere(case: Path) -> Iterator[subprocess.Popen[str]]:
    """Gives the process that holds the case; it is killed at the end."""
    with start_holder(case) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()
