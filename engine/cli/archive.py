"""`archive`: the case as one file for another workplace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.case_options import BesideEvidenceOption, CaseOption, open_to_work
from engine.cli.output import Json, print_json, print_line, replace_unprintable


def command(
    case: CaseOption,
    to: Annotated[Path, typer.Option("--to", metavar="FILE.zip", help="The archive.")],
    with_evidence: Annotated[
        bool, typer.Option("--with-evidence", help="Take the evidence along.")
    ] = False,
    beside_evidence: BesideEvidenceOption = False,
    as_json: Json = False,
) -> None:
    """Writes a case into one file, with a manifest over everything in it; `unpack` opens it.

    Evidence that is missing or has changed since it was added is left out and named. Write down
    the hash of the manifest and the head of the audit log: they are what the receiver compares.
    """
    from engine.archive.archive_writer import write_archive
    from engine.cli.export import files_json, print_files

    with open_to_work(case) as (opened, cancel, progress):
        archived = write_archive(
            opened, to, with_evidence=with_evidence, beside_evidence=beside_evidence,
            cancel=cancel, progress=progress,
        )  # fmt: skip
        folder = opened.path
    manifest = archived.manifest
    if with_evidence:
        for row in manifest.evidence:
            if row.held is None:
                warning = f"warning: evidence {row.evidence_id} is left out, {row.left_out}"
                sys.stderr.write(replace_unprintable(warning) + "\n")
    if as_json:
        print_json(
            {
                "case": str(folder),
                "files": files_json([archived.file]),
                "manifest_sha256": archived.manifest_sha256,
                "contents": len(manifest.files),
                "evidence": [row.__dict__ for row in manifest.evidence],
                "audit": {"entries": manifest.entries, "head": manifest.head},
            }
        )
        return
    print_files([archived.file])
    print_line(f"manifest over {len(manifest.files):,} files: SHA-256 {archived.manifest_sha256}")
    print_line(f"head of the audit log: {manifest.head} ({manifest.entries} entries)")
