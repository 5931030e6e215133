"""Turns of a conversation as rich text, and as plain text that says where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from desktop.panels.short_times import span_text
from desktop.state.conversation import ShownTurn
from desktop.theme.theme_tokens import Tokens
from engine.case.tables.dialogue_rows import ENDED, CitationRow, TurnRow
from engine.core.times import format_time

_ENDED = {"answering": "not finished", **ENDED}
_DISAGREES = "Disagrees with the heatmap: compare with score and places among the facts."


def conversation_html(
    turns: Sequence[ShownTurn], numbers: Mapping[int, int], tokens: Tokens
) -> str:
    """Returns turns as rich text; whatever was typed or said in them stays text.

    Args:
        turns: oldest first.
        numbers: number of each trajectory by its id, as the lists show it.
        tokens: colours of the theme.
    """
    parts: list[str] = []
    shown: tuple[object, ...] = ()
    for turn in turns:
        facts = turn.row.said.facts
        parts.append(_question(turn.row, tokens))
        if facts and tuple(map(str, facts)) == shown:
            parts.append(_muted("Facts: as above.", tokens))
        elif facts:
            parts.append(_facts(facts, numbers, tokens))
        shown = tuple(map(str, facts))
        parts.append(_answer(turn, numbers, tokens))
    return "".join(parts)


def question_html(question: str, tokens: Tokens) -> str:
    """Returns a question that is under way."""
    return f'<p style="margin:12px 0 4px 0"><b>{escape(question)}</b></p>' + _muted(
        "Machine-written answer:", tokens
    )


def copied(turn: ShownTurn, evidence: str) -> str:
    """Returns a turn as plain text with its citation.

    Args:
        turn: to be copied.
        evidence: name of the evidence.
    """
    row = turn.row
    lines = [f"Question: {row.said.question}"]
    lines += [f"Fact: {one.get('text', '')}" for one in row.said.facts]
    if row.answer:
        lines.append(f"Answer (machine-written, {_made(row)}): {row.answer}")
    if row.agrees is False:
        lines.append(_DISAGREES)
    for one in turn.citations:
        cited = one.cited
        lines.append(
            f"[{evidence}, {format_time(cited.start_s)} to {format_time(cited.end_s)}, "
            f"PTS {cited.start_pts} to {cited.end_pts}]"
        )
    lines.append(f"Turn {row.id}, asked by {row.author}, {row.utc}")
    return "\n".join(lines)


def _question(row: TurnRow, tokens: Tokens) -> str:
    links = f'<a href="edit:{row.id}">edit</a> · <a href="copy:{row.id}">copy</a>'
    if row.said.pack is not None:
        links += f' · <a href="again:{row.id}">ask again</a>'
    return (
        f'<p style="margin:12px 0 2px 0"><b>{escape(row.said.question)}</b></p>'
        f'<p style="margin:0 0 4px 0;color:{tokens.muted}">{escape(row.author)} · {links}</p>'
    )


def _facts(facts: Sequence[Mapping[str, Any]], numbers: Mapping[int, int], tokens: Tokens) -> str:
    """Returns facts under the span or trajectory that shows them."""
    parts = [_muted("Facts, measured:", tokens)]
    for place, some in groupby(facts, key=lambda one: _place(one, numbers)):
        lines = "<br/>".join(f"• {escape(str(one.get('text', '')))}" for one in some)
        parts.append(f'<p style="margin:0 0 4px 8px">{place}<br/>{lines}</p>')
    return "".join(parts)


def _place(fact: Mapping[str, Any], numbers: Mapping[int, int]) -> str:
    try:
        start, end = float(fact["start_s"]), float(fact["end_s"])
    except (KeyError, TypeError, ValueError):
        return ""
    trajectory = fact.get("trajectory_id")
    known = trajectory if type(trajectory) is int else None
    number = numbers.get(known or 0)
    return _link(start, end, known, "" if number is None else f"#{number} ")


def _answer(turn: ShownTurn, numbers: Mapping[int, int], tokens: Tokens) -> str:
    row = turn.row
    parts = []
    if row.said.missing:
        parts.append(_muted(f"No answer of a language model: {row.said.missing}", tokens))
    if row.said.pack is not None:
        parts.append(_muted(f"Machine-written, {_made(row)}:", tokens))
        parts.append(f'<p style="margin:0 0 4px 0">{escape(row.answer or "(nothing)")}</p>')
        ended = _ENDED.get(row.said.state)
        if ended:
            parts.append(_marked(f"◐ Incomplete: {ended}.", tokens.warning))
    if row.agrees is False:
        parts.append(_marked(f"⚠ {_DISAGREES}", tokens.danger))
    if row.dropped_turns:
        dropped = f"The oldest {row.dropped_turns} turns no longer fitted the model's memory."
        parts.append(_muted(dropped, tokens))
    if turn.citations:
        cited = " ".join(_citation(one, numbers) for one in turn.citations)
        parts.append(_muted(f"Rests on {cited}", tokens, marked_up=True))
    return "".join(parts)


def _made(row: TurnRow) -> str:
    return f"pack {row.said.pack}, {row.said.runtime or 'no runtime'}"


def _citation(row: CitationRow, numbers: Mapping[int, int]) -> str:
    cited = row.cited
    number = numbers.get(cited.trajectory_id or 0)
    name = "" if number is None else f"#{number} "
    return _link(cited.start_s, cited.end_s, cited.trajectory_id, name)


def _link(start_s: float, end_s: float, trajectory_id: int | None, name: str = "") -> str:
    place = escape(f"{name}{span_text(start_s, end_s)}")
    return f'<a href="at:{start_s:.3f}:{trajectory_id or 0}">[{place}]</a>'


def _muted(text: str, tokens: Tokens, marked_up: bool = False) -> str:
    said = text if marked_up else escape(text)
    return f'<p style="margin:0 0 4px 0;color:{tokens.muted}">{said}</p>'


def _marked(text: str, colour: str) -> str:
    return f'<p style="margin:0 0 4px 0;color:{colour}"><b>{escape(text)}</b></p>'
