"""Opens cases for commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.case import Case, EvidenceRow, is_case, refuse_beside_evidence

CaseOption = Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")]


def open_to_write(path: Path, evidence: Sequence[Path], beside_evidence: bool) -> Case:
    """Opens a case to write, or makes it; refuses one beside evidence unless insisted on (R1).

    Raises:
        BadInputError: it lies beside evidence, or is no case.
        ResourceError: another session has it, or it cannot be written.
    """
    folder = path.absolute()
    insisted = refuse_beside_evidence(folder, evidence, beside_evidence)
    case = Case.open(folder, write=True) if is_case(folder) else Case.create(folder)
    if insisted is not None:
        with case.change() as change:
            change.record("case.beside_evidence", "case", {"folder": str(insisted)})
    return case


def open_to_read(path: Path) -> Case:
    """Opens a case for reading.

    Raises:
        BadInputError: there is no case.
    """
    return Case.open(path.absolute())


def chosen_evidence(case: Case, evidence_id: int | None) -> list[EvidenceRow]:
    """Returns the evidence asked for, or all of it.

    Raises:
        BadInputError: the case has no such evidence.
    """
    if evidence_id is None:
        return list(case.evidence.all())
    return [case.evidence.get(evidence_id)]


def evidence_paths(case: Case) -> list[Path]:
    """Returns where the original evidence of a case lies."""
    return [Path(row.path) for row in case.evidence.all()]
