"""Asks every span its questions and sums up what was answered."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.dialogue.answer_parsing import action_in, colour_in, places_in, yes_or_no
from engine.dialogue.conversation import Conversation
from engine.dialogue.dialogue_model import DialogueModel, SpanEvidence, span_evidence
from engine.lab.dialogue_corpus.wording import colour_of
from engine.lab.evaluation.dialogue.evaluated_spans import OF_ANOTHER, HeatGiver, JudgedSpan
from engine.media import open_source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.language.runtime import Sampling


@dataclass(frozen=True, eq=False)
class Said:
    """One answer beside what it should have been.

    Attributes:
        span: that was asked about.
        part: of the question.
        question: the words.
        reference: the form drawn.
        references: all forms of the true facts.
        answer: what the model said.
        tokens: of the answer.
        partner: the span whose heatmap was given; None for its own.
        first_token_s: seconds from question to first token.
        tokens_per_s: after the first.
        prefix_s: seconds from choosing the span to its evidence being read.
    """

    span: JudgedSpan
    part: str
    question: str
    reference: str
    references: tuple[str, ...]
    answer: str
    tokens: int
    partner: JudgedSpan | None
    first_token_s: float | None
    tokens_per_s: float | None
    prefix_s: float

    def as_json(self) -> dict[str, Any]:
        """Returns the line of a dump."""
        return {
            "video": self.span.video,
            "span": [self.span.first, self.span.last],
            "part": self.part,
            "question": self.question,
            "reference": self.reference,
            "references": list(self.references),
            "answer": self.answer,
            "tokens": self.tokens,
        }


def judge(
    model: DialogueModel,
    backbone: Backbone,
    spans: Sequence[JudgedSpan],
    heat: HeatGiver,
    kind: str,
    blind: bool,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> list[Said]:
    """Holds a dialogue about every span.

    Args:
        model: the pack's language model with its parts.
        backbone: of the pack.
        spans: that are asked about.
        heat: gives each its heatmap.
        kind: which heatmap that is.
        blind: leaves video and anomaly tokens out.
        progress: told after each dialogue.
        cancel: looked at between answers.
    """
    said: list[Said] = []
    begun = time.monotonic()
    for place, span in enumerate(spans):
        given = heat.of(span)
        if given is not None:
            if not blind:
                # An analysis is no part of the time that reading the evidence takes.
                given([span.first])
            started = time.monotonic()
            evidence = SpanEvidence(None, None)
            if not blind:
                with open_source(span.path, fps=25.0 if span.path.is_dir() else None) as source:
                    evidence = span_evidence(
                        backbone, source, (span.first, span.last), given, cancel
                    )
            conversation = Conversation(model.runtime, model.parts(evidence), cancel=cancel)
            prefix_s = time.monotonic() - started
            partner = heat.partner(span) if kind in OF_ANOTHER else None
            said += _dialogue(conversation, span, partner, prefix_s, cancel)
        rate = (place + 1) / max(1e-6, time.monotonic() - begun)
        left = (len(spans) - place - 1) / rate
        progress(Progress("asking", place + 1, len(spans), rate, left, "dialogues"))
    return said


def _dialogue(
    conversation: Conversation,
    span: JudgedSpan,
    partner: JudgedSpan | None,
    prefix_s: float,
    cancel: CancelToken,
) -> list[Said]:
    rng = np.random.default_rng([span.first, span.last])
    out = []
    for turn in span.turns:
        cancel.check()
        answered = conversation.ask(turn.question, Sampling(), cancel=cancel)
        cancel.check()
        drawn = str(rng.choice(turn.references)) if turn.references else ""
        out.append(
            Said(
                span, turn.part, turn.question, drawn, turn.references,
                answered.text, answered.tokens, partner,
                answered.first_token_s, answered.tokens_per_s, prefix_s,
            )
        )  # fmt: skip
    return out


def figures(said: Sequence[Said]) -> dict[str, Any]:
    """Sums up answers as `evaluate --dialogue --json` has them; undefined figures are None."""
    yes = [(yes_or_no(one.answer), one.span.abnormal) for one in said if one.part == "anomaly"]
    known = [one for one in said if one.part == "trajectory" and one.span.places]
    swapped = [one for one in known if one.partner is not None and one.partner.places]
    targets = [one for one in said if one.span.truth is not None and one.span.abnormal]
    out: dict[str, Any] = {
        "dialogues": len({id(one.span) for one in said}),
        "answers": len(said),
        "yes_no_accuracy": _mean([answer == wanted for answer, wanted in yes]),
        "balanced_accuracy": _balanced(yes),
        "yes_share_abnormal": _mean([answer is True for answer, abnormal in yes if abnormal]),
        "from_exact": _mean([_place(one, one.span, 0) for one in known]),
        "to_exact": _mean([_place(one, one.span, 1) for one in known]),
        "from_swapped": _mean([_place(one, one.partner, 0) for one in swapped]),
        "to_swapped": _mean([_place(one, one.partner, 1) for one in swapped]),
        "action_exact": _mean([_action(one) for one in targets if one.part == "motion"]),
        "colour_exact": _mean(
            [
                colour_in(one.answer) == _colour(one)
                for one in targets
                if one.part == "target" and _colour(one) is not None
            ]
        ),
    }
    signature = None
    for part in ("target", "trajectory"):
        out[f"bleu4_{part}"], signed = _bleu([one for one in said if one.part == part])
        signature = signature or signed
    out["sacrebleu"] = signature
    out["prefix_s"] = _median([one.prefix_s for one in said if one.part == "anomaly"])
    out["first_token_s"] = _median([one.first_token_s for one in said])
    out["tokens_per_s"] = _median([one.tokens_per_s for one in said])
    return out


def write_dump(path: Path, said: Sequence[Said]) -> None:
    """Writes one JSON line a turn.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one.as_json(), ensure_ascii=False) + "\n" for one in said]
    path.write_text("".join(lines), encoding="utf-8")


def _place(one: Said, span: JudgedSpan | None, end: int) -> bool:
    found = places_in(one.answer)
    wanted = None if span is None else span.places
    return found is not None and wanted is not None and found[end] == wanted[end]


def _action(one: Said) -> bool:
    assert one.span.truth is not None
    return action_in(one.answer) == one.span.truth.truth.target


def _colour(one: Said) -> str | None:
    assert one.span.truth is not None
    return colour_of(one.span.truth.truth)


def _balanced(yes: Sequence[tuple[bool | None, bool]]) -> float | None:
    shares = [
        _mean([answer == wanted for answer, wanted in yes if wanted == kind])
        for kind in (True, False)
    ]
    known = [one for one in shares if one is not None]
    return sum(known) / 2 if len(known) == 2 else None


def _bleu(said: Sequence[Said]) -> tuple[float | None, str | None]:
    """Returns corpus BLEU-4 against every form, 0..1, and its signature."""
    kept = [one for one in said if one.references]
    if not kept:
        return None, None
    from sacrebleu.metrics.bleu import BLEU

    most = max(len(one.references) for one in kept)
    streams = [
        [one.references[n] if n < len(one.references) else "" for one in kept] for n in range(most)
    ]
    metric = BLEU()
    score = metric.corpus_score([one.answer for one in kept], streams)
    return float(score.score) / 100, str(metric.get_signature())


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.median(known)) if known else None
