"""`archive`: the case as one file for another workplace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress


def command(
    case: Annotated[Path, typer.Option("--case", metavar="DIR", help="The case folder.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE.zip", help="The archive.")],
    with_evidence: Annotated[
        bool, typer.Option("--with-evidence", help="Take the evidence along.")
    ] = False,
    beside_evidence: Annotated[
        bool, typer.Option("--beside-evidence", help="Insist on a file beside the evidence.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Writes a case into one file, with a manifest over everything in it; `unpack` opens it.

    Evidence that is missing or has changed since it was added is left out and named. Write down
    the hash of the manifest and the head of the audit log: they are what the receiver compares.
    """
    from engine.archive.archive_writer import write_archive
    from engine.case import Case
    from engine.cli.export import files_json, print_files

    with (
        cancellable() as cancel,
        shown_progress() as progress,
        Case.open(case.absolute(), write=True) as opened,
    ):
        archived = write_archive(
            opened, to, with_evidence=with_evidence, beside_evidence=beside_evidence,
            cancel=cancel, progress=progress,
        )  # fmt: skip
        folder = opened.path
    manifest = archived.manifest
    if with_evidence:
        for one in manifest.evidence:
            if one.held is None:
                said = f"warning: evidence {one.evidence_id} is left out, {one.left_out}"
                sys.stderr.write("".join(c if c.isprintable() else " " for c in said) + "\n")
    if as_json:
        print_json(
            {
                "case": str(folder),
                "files": files_json([archived.file]),
                "manifest_sha256": archived.manifest_sha256,
                "contents": len(manifest.files),
                "evidence": [one.__dict__ for one in manifest.evidence],
                "audit": {"entries": manifest.entries, "head": manifest.head},
            }
        )
        return
    print_files([archived.file])
    print_line(f"manifest over {len(manifest.files):,} files: SHA-256 {archived.manifest_sha256}")
    print_line(f"head of the audit log: {manifest.head} ({manifest.entries} entries)")
