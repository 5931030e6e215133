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
    from engine.few_shot.similarity_search import find_by_text, find_similar

    targets = () if marks is None else load_marks(marks)
    with cancellable() as cancel, shown_progress() as progress, open_to_read(case) as opened:
        if text is not None:
            ranking = find_by_text(opened, text, cancel, progress).as_json()
        else:
            ranking = find_similar(opened, like, targets, cancel, progress).as_json()
        names = {row.id: row.name for row in opened.evidence.all()}
    if as_json:
        print_json(ranking)
        return
    for moment in ranking["moments"]:
        print_line(_line(moment, names[moment["evidence_id"]]))
    for omission in ranking["left_out"]:
        print_line(f"  not searched: {names[omission['evidence_id']]}, {omission['why']}")


def _line(moment: dict[str, Any], name: str) -> str:
    own = "  (the target itself)" if moment["itself"] else ""
    times = f"{format_time(moment['start_s'])} to {format_time(moment['end_s'])}"
    return f"{moment['rank']:>3}  {moment['likeness']:.2f}  {name}  {times}{own}"
