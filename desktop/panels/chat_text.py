"""Turns of a conversation as rich text, and as plain text with citations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from desktop.panels.short_times import span_text
from desktop.state.conversation import ShownTurn
from desktop.theme.theme_tokens import Tokens
from engine.case.tables.dialogues import INCOMPLETE_REASONS, CitationRow, TurnRow
from engine.core.times import format_time

_ENDED = {"answering": "not finished", **INCOMPLETE_REASONS}
_DISAGREES = "Disagrees with the heatmap: compare with score and places among the facts."


def conversation_html(
    turns: Sequence[ShownTurn], numbers: Mapping[int, int], tokens: Tokens
) -> str:
    """Returns turns as rich text; questions and answers are escaped, so that they stay text.

    Args:
        turns: oldest first.
        numbers: number of each trajectory by its id, as the lists show it.
        tokens: colours of the theme.
    """
    parts: list[str] = []
    last_facts: tuple[object, ...] = ()
    for turn in turns:
        facts = turn.row.facts
        parts.append(_question(turn.row, tokens))
        if facts and tuple(map(str, facts)) == last_facts:
            parts.append(_small_text("Facts: as above.", tokens))
        elif facts:
            parts.append(_facts(facts, numbers, tokens))
        last_facts = tuple(map(str, facts))
        parts.append(_answer(turn, numbers, tokens))
    return "".join(parts)


def question_html(question: str, tokens: Tokens) -> str:
    """Returns a question that is under way."""
    return f'<p style="margin:12px 0 4px 0"><b>{escape(question)}</b></p>' + _small_text(
        "Machine-written answer:", tokens
    )


def turn_text(turn: ShownTurn, evidence: str) -> str:
    """Returns a turn as plain text with its citations.

    Args:
        turn: to be copied.
        evidence: name of the evidence.
    """
    row = turn.row
    lines = [f"Question: {row.question}"]
    lines += [f"Fact: {fact.get('text', '')}" for fact in row.facts]
    if row.answer:
        lines.append(f"Answer (machine-written, {_origin(row)}): {row.answer}")
    if row.agrees is False:
        lines.append(_DISAGREES)
    for citation_row in turn.citations:
        cited = citation_row.citation
        lines.append(
            f"[{evidence}, {format_time(cited.start_s)} to {format_time(cited.end_s)}, "
            f"PTS {cited.start_pts} to {cited.end_pts}]"
        )
    lines.append(f"Turn {row.id}, asked by {row.author}, {row.utc}")
    return "\n".join(lines)


def _question(row: TurnRow, tokens: Tokens) -> str:
    links = f'<a href="edit:{row.id}">edit</a> · <a href="copy:{row.id}">copy</a>'
    if row.pack is not None:
        links += f' · <a href="again:{row.id}">ask again</a>'
    return (
        f'<p style="margin:12px 0 2px 0"><b>{escape(row.question)}</b></p>'
        f'<p style="margin:0 0 4px 0;color:{tokens.muted}">{escape(row.author)} · {links}</p>'
    )


def _facts(facts: Sequence[Mapping[str, Any]], numbers: Mapping[int, int], tokens: Tokens) -> str:
    """Returns facts under the span or trajectory that shows them."""
    parts = [_small_text("Facts, measured:", tokens)]
    for link, group in groupby(facts, key=lambda fact: _fact_link(fact, numbers)):
        lines = "<br/>".join(f"• {escape(str(fact.get('text', '')))}" for fact in group)
        parts.append(f'<p style="margin:0 0 4px 8px">{link}<br/>{lines}</p>')
    return "".join(parts)


def _fact_link(fact: Mapping[str, Any], numbers: Mapping[int, int]) -> str:
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
    if row.missing:
        parts.append(_small_text(f"No answer of a language model: {row.missing}", tokens))
    if row.pack is not None:
        parts.append(_small_text(f"Machine-written, {_origin(row)}:", tokens))
        parts.append(f'<p style="margin:0 0 4px 0">{escape(row.answer or "(nothing)")}</p>')
        ended = _ENDED.get(row.state)
        if ended:
            parts.append(_bold_text(f"◐ Incomplete: {ended}.", tokens.warning))
    if row.agrees is False:
        parts.append(_bold_text(f"⚠ {_DISAGREES}", tokens.danger))
    if row.dropped_turns:
        dropped = f"The oldest {row.dropped_turns} turns no longer fitted the model's memory."
        parts.append(_small_text(dropped, tokens))
    if turn.citations:
        cited = " ".join(_citation(citation, numbers) for citation in turn.citations)
        parts.append(_small_text(f"Rests on {cited}", tokens, marked_up=True))
    return "".join(parts)


def _origin(row: TurnRow) -> str:
    return f"pack {row.pack}, {row.runtime or 'no runtime'}"


def _citation(row: CitationRow, numbers: Mapping[int, int]) -> str:
    cited = row.citation
    number = numbers.get(cited.trajectory_id or 0)
    name = "" if number is None else f"#{number} "
    return _link(cited.start_s, cited.end_s, cited.trajectory_id, name)


def _link(start_s: float, end_s: float, trajectory_id: int | None, name: str = "") -> str:
    text = escape(f"{name}{span_text(start_s, end_s)}")
    return f'<a href="at:{start_s:.3f}:{trajectory_id or 0}">[{text}]</a>'


def _small_text(text: str, tokens: Tokens, marked_up: bool = False) -> str:
    html = text if marked_up else escape(text)
    return f'<p style="margin:0 0 4px 0;color:{tokens.muted}">{html}</p>'


def _bold_text(text: str, colour: str) -> str:
    return f'<p style="margin:0 0 4px 0;color:{colour}"><b>{escape(text)}</b></p>'
