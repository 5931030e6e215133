"""Options that several commands have about a case, and opening cases for commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from engine.case import Case, EvidenceRow, is_case, refuse_beside_evidence
from engine.cli.output import cancellable, shown_progress
from engine.core.progress import CancelToken, ProgressCallback

CaseOption = Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")]
RunOption = Annotated[
    int | None, typer.Option("--run", metavar="N", help="This run, not the current one.")
]
OutputOption = Annotated[
    Path, typer.Option("--to", metavar="FILE", help="Its ending says what is written.")
]
BesideEvidenceOption = Annotated[
    bool, typer.Option("--beside-evidence", help="Insist on a file beside the evidence.")
]


def open_to_write(path: Path, evidence: Sequence[Path], beside_evidence: bool) -> Case:
    """Opens a case to write, or makes it; one beside evidence only where the examiner insists.

    Raises:
        BadInputError: it lies beside evidence, or is no case.
        ResourceError: another session has it, or it cannot be written.
    """
    folder = path.absolute()
    evidence_folder = refuse_beside_evidence(folder, evidence, beside_evidence)
    case = Case.open(folder, write=True) if is_case(folder) else Case.create(folder)
    if evidence_folder is not None:
        with case.change() as change:
            change.record("case.beside_evidence", "case", {"folder": str(evidence_folder)})
    return case


@contextmanager
def open_to_work(path: Path) -> Iterator[tuple[Case, CancelToken, ProgressCallback]]:
    """Opens a case to write in for work that takes long, with a cancel token and progress.

    Raises:
        BadInputError: there is no case.
        ResourceError: another session has it, or it cannot be written.
    """
    with (
        cancellable() as cancel,
        shown_progress() as progress,
        Case.open(path.absolute(), write=True) as case,
    ):
        yield case, cancel, progress


def open_to_read(path: Path) -> Case:
    """Opens a case for reading.

    Raises:
        BadInputError: there is no case.
    """
    return Case.open(path.absolute())


def select_evidence(case: Case, evidence_id: int | None) -> list[EvidenceRow]:
    """Returns the evidence asked for, or all of it.

    Raises:
        BadInputError: the case has no such evidence.
    """
    if evidence_id is None:
        return list(case.evidence.all())
    return [case.evidence.get(evidence_id)]
