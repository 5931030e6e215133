"""`unpack`: an archive becomes a case again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import CheckFailedError

if TYPE_CHECKING:
    from engine.archive.unpack_case import UnpackResult


def command(
    archive: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What archive wrote.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new case folder.")],
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            "--evidence",
            metavar="PATH",
            help="Look here for evidence that is not in the archive; it is known by its hash.",
        ),
    ] = None,
    beside_evidence: Annotated[
        bool, typer.Option("--beside-evidence", help="Insist on a folder beside the evidence.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Unpacks an archived case, compares every file with its hash and verifies the case.

    An archive with anything in it that archive does not write is refused as a whole. Evidence is
    taken from the archive, from where it was, or from --evidence, and known by its hash only.
    Exit code 1 when the case in the archive does not verify.
    """
    from engine.archive.unpack_case import unpack

    with cancellable() as cancel, shown_progress() as progress:
        unpacked = unpack(
            archive, to, search_paths=evidence or (), beside_evidence=beside_evidence,
            cancel=cancel, progress=progress,
        )  # fmt: skip
    for evidence_state in unpacked.evidence:
        if evidence_state.state == "missing":
            row = evidence_state.row
            sys.stderr.write(
                f"warning: evidence {row.id} is missing, {row.sha256}; "
                "unpack again with --evidence PATH, or put it back where it was\n"
            )
    if as_json:
        print_json(_json(unpacked))
    else:
        _print(unpacked)
    if not unpacked.sound:
        raise CheckFailedError(
            "the case in the archive does not verify", unpacked.case, "run verify to see where"
        )


def _json(unpacked: UnpackResult) -> dict[str, object]:
    return {
        "case": str(unpacked.case),
        "sha256": unpacked.archive_sha256,
        "manifest_sha256": unpacked.manifest_sha256,
        "contents": unpacked.files,
        "head": unpacked.head,
        "evidence": [
            {
                "evidence_id": each.row.id,
                "state": each.state,
                "path": None if each.path is None else str(each.path),
                "sha256": each.row.sha256,
            }
            for each in unpacked.evidence
        ],
        "verification": unpacked.verification.as_json(),
    }


def _print(unpacked: UnpackResult) -> None:
    print_line(f"{unpacked.case}: {unpacked.files:,} files, each as its hash says")
    print_line(f"archive:  SHA-256 {unpacked.archive_sha256}")
    print_line(f"manifest: SHA-256 {unpacked.manifest_sha256}")
    print_line(f"head of the audit log as archived: {unpacked.head}")
    for each in unpacked.evidence:
        print_line(f"evidence {each.row.id}: {each.state}, {each.path or each.row.path}")
    print_line("the case verifies" if unpacked.sound else "the case does NOT verify")
