"""`ask`: asks the footage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.case_options import CaseOption, open_to_write
from engine.cli.output import (
    Json,
    cancellable,
    print_json,
    print_line,
    replace_unprintable,
    shown_progress,
)
from engine.core.errors import BadInputError, CancelledError, ResourceError
from engine.core.times import format_time, parse_span
from engine.packs import DEFAULT_PACK


def command(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know.")],
    case: CaseOption,
    evidence: Annotated[
        int | None, typer.Option("--evidence", metavar="N", help="About this evidence.")
    ] = None,
    event: Annotated[
        int | None, typer.Option("--event", metavar="N", help="About this event.")
    ] = None,
    span: Annotated[
        str | None, typer.Option("--span", metavar="START..END", help="About this span.")
    ] = None,
    facts_only: Annotated[
        bool, typer.Option("--facts-only", help="Only what the case itself knows.")
    ] = False,
    pack: Annotated[
        str, typer.Option("--pack", metavar="NAME", help="Whose language model answers.")
    ] = DEFAULT_PACK,
    runtime: Annotated[
        str, typer.Option("--runtime", metavar="NAME", help="auto, transformers or llama.cpp.")
    ] = "auto",
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="S", help="Draw the answer; without, the likeliest words."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin a new dialogue about this span.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Asks about an event or a span: facts first, then a language model's answer, then citations.

    Without --event and --span the strongest event of the evidence is asked about.
    """
    if event is not None and span is not None:
        raise BadInputError("--event and --span exclude each other", "", "give one")
    from engine.dialogue.ask_case import ask
    from engine.dialogue.model_cache import ModelCache
    from engine.dialogue.turn import AskRequest
    from engine.tvad.language.runtime import Sampling

    request = AskRequest(
        question=question,
        evidence_id=evidence,
        event_id=event,
        span=None if span is None else parse_span(span),
        facts_only=facts_only,
        pack=pack,
        runtime=runtime,
        sampling=Sampling(seed=seed),
        fresh=fresh,
    )
    _check_is_case(case)
    on_token = None if as_json else _print_token
    with (
        open_to_write(case, [], beside_evidence=False) as opened,
        cancellable() as cancel,
        shown_progress() as progress,
    ):
        turn = ask(opened, request, ModelCache(), on_token, cancel, progress)
    if as_json:
        print_json(turn)
    else:
        _print(turn)
    if turn["state"] == "cancelled":
        raise CancelledError("cancelled", "", "what was said until then is kept")
    if turn["missing"] is not None:
        raise ResourceError("no language model answered", turn["missing"], "the facts stand")


def _print_token(text: str) -> None:
    """Prints a piece of an answer while it is generated, without control characters."""
    sys.stdout.write(replace_unprintable(text))
    sys.stdout.flush()


def _check_is_case(case: Path) -> None:
    from engine.case import is_case

    if not is_case(case):
        raise BadInputError("not a case", case, "analyse a video first")


def _print(turn: dict[str, Any]) -> None:
    if turn["answer"] is not None:
        print_line("")
        about = f"{turn['pack']}, {turn['runtime']}"
        print_line(f"(written by a language model: {about}; the facts below are computed)")
        if turn["agrees_with_heatmap"] is False:
            print_line("This answer disagrees with the heatmap; look at the frames.")
        if turn["dropped_turns"]:
            print_line(f"The model was not told the oldest {turn['dropped_turns']} turns any more.")
    print_line("Facts:")
    for fact in turn["facts"]:
        at = f"{format_time(fact['start_s'])}..{format_time(fact['end_s'])}"
        print_line(f"  {fact['text']} [{at}]")
    print_line("Citations:")
    for citation in turn["citations"]:
        at = f"{format_time(citation['start_s'])}..{format_time(citation['end_s'])}"
        trajectory = citation["trajectory_id"]
        of = "" if trajectory is None else f", trajectory {trajectory}"
        print_line(f"  evidence {citation['evidence_id']}, {at}{of}")
