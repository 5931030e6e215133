"""`verify`: whether evidence, results and history are as they were recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import CheckFailedError

if TYPE_CHECKING:
    from engine.case import Verification

_SHOWN = 10


def command(
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")],
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
    from engine.cli.case_options import open_to_read
    from engine.pipeline.evidence_check import verification_json, verify_case

    algorithms = [word.strip().lower() for word in also.split(",") if word.strip()]
    with (
        cancellable() as cancel,
        shown_progress() as progress,
        open_to_read(case) as opened,
    ):
        found, hashes = verify_case(opened, algorithms, head, cancel, progress)
        path = opened.path
    if as_json:
        print_json(verification_json(found, hashes))
    else:
        _print(found, hashes)
    if not found.ok:
        _keep(path, found)
        raise CheckFailedError(
            f"verification failed: {_summary(found)}",
            path,
            "see the list above" if not as_json else "see the JSON",
        )


def _keep(path: Path, found: Verification) -> None:
    from engine.pipeline.evidence_check import keep_changed

    said = keep_changed(path, found)
    if said:
        sys.stderr.write(f"{said}\n")


def _summary(found: Verification) -> str:
    parts = []
    changed = sum(not one.ok for one in found.evidence)
    if changed:
        parts.append(f"{changed} of {len(found.evidence)} pieces of evidence changed or missing")
    if found.bad:
        parts.append(f"{len(found.bad)} of {found.checked} records changed")
    if found.first_bad is not None:
        parts.append(f"audit log broken at entry {found.first_bad}")
    if found.head_in_chain is False:
        parts.append("the head given is not in the audit log")
    return "; ".join(parts)


def _print(found: Verification, hashes: dict[int, dict[str, str]]) -> None:
    for one in found.evidence:
        what = "unchanged" if one.ok else "CHANGED" if one.sha256_now else "NOT READABLE"
        print_line(f"evidence {one.evidence_id}: {what}, {one.path}")
        if not one.ok:
            print_line(f"  recorded {one.sha256_recorded}")
            print_line(f"  now      {one.sha256_now or one.error}")
        for name, value in hashes.get(one.evidence_id, {}).items():
            print_line(f"  {name:<8} {value}")
    print_line(f"records: {found.checked:,} checked, {len(found.bad):,} bad")
    for bad in found.bad[:_SHOWN]:
        print_line(f"  {bad.table} {bad.id!s}")
    if len(found.bad) > _SHOWN:
        print_line(f"  and {len(found.bad) - _SHOWN:,} more; --json lists all")
    sound = "sound" if found.first_bad is None else f"BROKEN at entry {found.first_bad}"
    print_line(f"audit log: {found.entries:,} entries, {sound}")
    if found.head_in_chain is not None:
        print_line(f"  the head given is {'in' if found.head_in_chain else 'NOT in'} this log")
    print_line(f"  head {found.head}")
    print_line("everything is as it was recorded" if found.ok else "NOT as it was recorded")
