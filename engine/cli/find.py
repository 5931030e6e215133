"""`find`: moments that are like the target of an event, or that words describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.case_options import CaseOption, open_to_read
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import BadInputError
from engine.core.times import format_time


def command(
    case: CaseOption,
    like: Annotated[
        int | None, typer.Option("--like", metavar="EVENT", help="Like the target of this event.")
    ] = None,
    marks: Annotated[
        Path | None, typer.Option("--marks", metavar="FILE", help="Like the marked target.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="WORDS", help="What these words describe.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ranks the moments of all videos of a case by likeness, from kept features."""
    if (like is not None) + (marks is not None) + (text is not None) != 1:
        raise BadInputError("say what to look for", "", "give --like EVENT or --text WORDS")
    from engine.few_shot.marks import load_marks
    from engine.few_shot.similarity_search import find_like, find_words

    given = () if marks is None else load_marks(marks)
    with cancellable() as cancel, shown_progress() as progress, open_to_read(case) as opened:
        if text is not None:
            found = find_words(opened, text, cancel, progress).as_json()
        else:
            found = find_like(opened, like, given, cancel, progress).as_json()
        names = {row.id: row.name for row in opened.evidence.all()}
    if as_json:
        print_json(found)
        return
    for one in found["moments"]:
        print_line(_line(one, names[one["evidence_id"]]))
    for one in found["left_out"]:
        print_line(f"  not searched: {names[one['evidence_id']]}, {one['why']}")


def _line(one: dict[str, Any], name: str) -> str:
    own = "  (the target itself)" if one["itself"] else ""
    times = f"{format_time(one['start_s'])} to {format_time(one['end_s'])}"
    return f"{one['rank']:>3}  {one['likeness']:.2f}  {name}  {times}{own}"
