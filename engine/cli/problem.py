"""`problem`: what the makers need to know when something is wrong, and nothing of the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, print_json, print_line


def command(
    to: Annotated[Path, typer.Option("--to", metavar="FILE.zip", help="The file to write.")],
    note: Annotated[
        str, typer.Option("--note", metavar="WORDS", help="What happened, in your words.")
    ] = "",
    whole_logs: Annotated[
        bool,
        typer.Option(
            "--whole-logs", help="Put the logs in as they are, with paths and names in them."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Writes versions, machine and logs into a zip that you may pass on; nothing is sent.

    There is no evidence in it, no path, and no name of a file, a case or a person, unless you ask
    for whole logs or write it into the note. Read it before you pass it on.

    main.py problem --to problem.zip --note "The picture stays black"
    """
    from engine.core.problem_report import problem_files, with_note, write_problem

    files = with_note(problem_files(whole_logs), note)
    write_problem(to, files)
    if as_json:
        print_json({"path": str(to.absolute()), "files": list(files), "whole_logs": whole_logs})
        return
    print_line(f"{to}: {', '.join(files)}")
    print_line("nothing was sent; read it before you pass it on")
