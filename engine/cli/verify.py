"""`verify`: whether evidence, results and history are as they were recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.case_options import CaseOption, open_to_read
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import CheckFailedError

if TYPE_CHECKING:
    from engine.case import Verification

_MAX_LISTED = 10  # Bad records that are listed, so that the sum stays on the screen; a choice.


def command(
    case: CaseOption,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HASH", help="A head of the audit log noted elsewhere."),
    ] = None,
    also: Annotated[
        str,
        typer.Option("--also", metavar="A,B", help="Other hashes of evidence: md5, sha1."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Recomputes everything: hashes of evidence, stored results, the chain of the audit log.

    The case is only read. Evidence found changed is put on record afterwards, when the rest of
    the case is sound and it can be written. Exit code 1 when anything differs. `--also` computes
    MD5 or SHA-1 in the same reading, to compare with what another lab noted; SHA-256 decides.
    """
    from engine.pipeline.evidence_check import verification_json, verify_case

    algorithms = [word.strip().lower() for word in also.split(",") if word.strip()]
    with (
        cancellable() as cancel,
        shown_progress() as progress,
        open_to_read(case) as opened,
    ):
        result, hashes = verify_case(opened, algorithms, head, cancel, progress)
        path = opened.path
    if as_json:
        print_json(verification_json(result, hashes))
    else:
        _print(result, hashes)
    if not result.ok:
        _record_changes(path, result)
        raise CheckFailedError(
            f"verification failed: {_summary(result)}",
            path,
            "see the list above" if not as_json else "see the JSON",
        )


def _record_changes(path: Path, result: Verification) -> None:
    from engine.pipeline.evidence_check import record_changed_evidence

    message = record_changed_evidence(path, result)
    if message:
        sys.stderr.write(f"{message}\n")


def _summary(result: Verification) -> str:
    parts = []
    changed = sum(not row.ok for row in result.evidence)
    if changed:
        parts.append(f"{changed} of {len(result.evidence)} pieces of evidence changed or missing")
    if result.bad:
        parts.append(f"{len(result.bad)} of {result.checked} records changed")
    if result.first_bad is not None:
        parts.append(f"audit log broken at entry {result.first_bad}")
    if result.head_in_chain is False:
        parts.append("the head given is not in the audit log")
    return "; ".join(parts)


def _print(result: Verification, hashes: dict[int, dict[str, str]]) -> None:
    for row in result.evidence:
        what = "unchanged" if row.ok else "CHANGED" if row.sha256_now else "NOT READABLE"
        print_line(f"evidence {row.evidence_id}: {what}, {row.path}")
        if not row.ok:
            print_line(f"  recorded {row.sha256_recorded}")
            print_line(f"  now      {row.sha256_now or row.error}")
        for name, value in hashes.get(row.evidence_id, {}).items():
            print_line(f"  {name:<8} {value}")
    print_line(f"records: {result.checked:,} checked, {len(result.bad):,} bad")
    for record in result.bad[:_MAX_LISTED]:
        print_line(f"  {record.table} {record.id!s}")
    if len(result.bad) > _MAX_LISTED:
        print_line(f"  and {len(result.bad) - _MAX_LISTED:,} more; --json lists all")
    chain = "sound" if result.first_bad is None else f"BROKEN at entry {result.first_bad}"
    print_line(f"audit log: {result.entries:,} entries, {chain}")
    if result.head_in_chain is not None:
        print_line(f"  the head given is {'in' if result.head_in_chain else 'NOT in'} this log")
    print_line(f"  head {result.head}")
    print_line("everything is as it was recorded" if result.ok else "NOT as it was recorded")
