"""Several connections of one program and another program on the same case."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.case import Case

_WRITER = """
import sys
from pathlib import Path
from engine.case import Case, NewNote
with Case.open(Path(sys.argv[1]), write=True, token=sys.argv[2]) as case:
    with case.change() as change:
        change.notes.add(NewNote("case", "written elsewhere"))
"""


def test_a_reader_beside_the_owner_sees_what_a_worker_writes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    with Case.create(tmp_path / "shared.case") as owner, Case.open(owner.path) as reader:
        assert reader.notes.all() == ()
        command = [sys.executable, "-c", _WRITER, str(owner.path), str(owner.token)]
        for count in (1, 2):
            subprocess.run(command, check=True, cwd=root)
            assert len(reader.notes.all()) == count
            assert len(owner.notes.all()) == count
