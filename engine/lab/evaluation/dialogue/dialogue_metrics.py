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
from engine.dialogue.answer_parsing import cells_in, yes_or_no
from engine.dialogue.conversation import Conversation
from engine.dialogue.dialogue_inputs import DialogueInputs, gather_inputs
from engine.dialogue.dialogue_model import DialogueModel
from engine.lab.dialogue_corpus.answer_words import action_in, colour_in
from engine.lab.dialogue_corpus.wording import QUESTIONS, SpanTruth, colour_of
from engine.lab.evaluation.dialogue.evaluated_spans import (
    OF_ANOTHER,
    ControlHeatmaps,
    EvaluatedSpan,
)
from engine.media import open_source
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.language.runtime import Sampling


@dataclass(frozen=True, eq=False)
class EvaluatedAnswer:
    """One answer beside what it should have been.

    Attributes:
        span: the span that the question is about.
        part: which part of the interview the question belongs to.
        question: the words of the question.
        reference: the form that was drawn from `references`; empty without any.
        references: all forms of the true facts.
        text: what the model answered.
        tokens: number of tokens of the answer.
        partner: the span whose heatmap the model was given; None for its own.
        first_token_s: seconds from question to first token.
        tokens_per_s: tokens a second after the first.
        prefix_s: seconds from choosing the span until its inputs were read.
    """

    span: EvaluatedSpan
    part: str
    question: str
    reference: str
    references: tuple[str, ...]
    text: str
    tokens: int
    partner: EvaluatedSpan | None
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
            "answer": self.text,
            "tokens": self.tokens,
        }


def ask_about_spans(
    model: DialogueModel,
    backbone: Backbone,
    spans: Sequence[EvaluatedSpan],
    heat: ControlHeatmaps,
    kind: str,
    blind: bool,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> list[EvaluatedAnswer]:
    """Holds a dialogue about every span.

    Args:
        model: the pack's language model with its parts.
        backbone: the backbone of the pack.
        spans: what the dialogues are about.
        heat: gives each span its heatmap.
        kind: which heatmap that is, one of `HEATMAPS`.
        blind: whether video and anomaly tokens are left out.
        progress: told after each dialogue.
        cancel: looked at between answers.
    """
    answers: list[EvaluatedAnswer] = []
    start_s = time.monotonic()
    for index, span in enumerate(spans):
        heat_of_span = heat.of(span)
        if heat_of_span is not None:
            if not blind:
                # An analysis is no part of the time that reading the evidence takes.
                heat_of_span([span.first])
            reading_start_s = time.monotonic()
            inputs = DialogueInputs(None, None)
            if not blind:
                with open_source(span.path, fps=25.0 if span.path.is_dir() else None) as source:
                    inputs = gather_inputs(
                        backbone, source, (span.first, span.last), heat_of_span, cancel
                    )
            conversation = Conversation(model.runtime, model.parts(inputs), cancel=cancel)
            prefix_s = time.monotonic() - reading_start_s
            partner = heat.partner(span) if kind in OF_ANOTHER else None
            answers += _dialogue(conversation, span, partner, prefix_s, cancel)
        rate = (index + 1) / max(1e-6, time.monotonic() - start_s)
        remaining_s = (len(spans) - index - 1) / rate
        progress(Progress("asking", index + 1, len(spans), rate, remaining_s, "dialogues"))
    return answers


def _dialogue(
    conversation: Conversation,
    span: EvaluatedSpan,
    partner: EvaluatedSpan | None,
    prefix_s: float,
    cancel: CancelToken,
) -> list[EvaluatedAnswer]:
    rng = np.random.default_rng([span.first, span.last])
    answers = []
    for turn in span.turns:
        cancel.check()
        answer = conversation.ask(turn.question, Sampling(), cancel=cancel)
        cancel.check()
        reference = str(rng.choice(turn.references)) if turn.references else ""
        answers.append(
            EvaluatedAnswer(
                span, turn.part, turn.question, reference, turn.references,
                answer.text, answer.tokens, partner,
                answer.first_token_s, answer.tokens_per_s, prefix_s,
            )
        )  # fmt: skip
    return answers


def summarise_answers(answers: Sequence[EvaluatedAnswer]) -> dict[str, Any]:
    """Computes the metrics that `evaluate --dialogue --json` has; undefined ones are None."""
    by_part = {part: [a for a in answers if a.part == part] for part in QUESTIONS}
    verdicts = [(yes_or_no(a.text), a.span.abnormal) for a in by_part["anomaly"]]
    with_cells = [a for a in by_part["trajectory"] if a.span.end_cells]
    swapped = [a for a in with_cells if a.partner is not None and a.partner.end_cells]
    metrics: dict[str, Any] = {
        "dialogues": len({id(a.span) for a in answers}),
        "answers": len(answers),
        "yes_no_accuracy": _mean([verdict == abnormal for verdict, abnormal in verdicts]),
        "balanced_accuracy": _balanced_accuracy(verdicts),
        "yes_share_abnormal": _mean(
            [verdict is True for verdict, abnormal in verdicts if abnormal]
        ),
        "from_exact": _mean([_names_cell(a, a.span, 0) for a in with_cells]),
        "to_exact": _mean([_names_cell(a, a.span, 1) for a in with_cells]),
        "from_swapped": _mean([_names_cell(a, a.partner, 0) for a in swapped]),
        "to_swapped": _mean([_names_cell(a, a.partner, 1) for a in swapped]),
        "action_exact": _mean(
            [
                action_in(a.text) == truth.target
                for a in by_part["motion"]
                if (truth := _target_truth(a)) is not None
            ]
        ),
        "colour_exact": _mean(
            [
                colour_in(a.text) == colour_of(truth)
                for a in by_part["target"]
                if (truth := _target_truth(a)) is not None and colour_of(truth) is not None
            ]
        ),
    }
    signature = None
    for part in ("target", "trajectory"):
        metrics[f"bleu4_{part}"], signature_of_part = _bleu(by_part[part])
        signature = signature or signature_of_part
    metrics["sacrebleu"] = signature
    metrics["prefix_s"] = _median([a.prefix_s for a in by_part["anomaly"]])
    metrics["first_token_s"] = _median([a.first_token_s for a in answers])
    metrics["tokens_per_s"] = _median([a.tokens_per_s for a in answers])
    return metrics


def write_answers(path: Path, answers: Sequence[EvaluatedAnswer]) -> None:
    """Writes one JSON line a turn.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(answer.as_json(), ensure_ascii=False) + "\n" for answer in answers]
    path.write_text("".join(lines), encoding="utf-8")


def _names_cell(answer: EvaluatedAnswer, span: EvaluatedSpan | None, end: int) -> bool:
    """Returns whether an answer names the true cell of *from* (`end` 0) or *to* (`end` 1)."""
    cells = cells_in(answer.text)
    true_cells = None if span is None else span.end_cells
    return cells is not None and true_cells is not None and cells[end] == true_cells[end]


def _target_truth(answer: EvaluatedAnswer) -> SpanTruth | None:
    """Returns the truth about the target of an abnormal span, where it is known."""
    span = answer.span
    return span.truth.truth if span.abnormal and span.truth is not None else None


def _balanced_accuracy(verdicts: Sequence[tuple[bool | None, bool]]) -> float | None:
    """Returns the mean of the accuracies on abnormal and on normal spans."""
    shares = [
        _mean([verdict == abnormal for verdict, abnormal in verdicts if abnormal == kind])
        for kind in (True, False)
    ]
    known = [share for share in shares if share is not None]
    return sum(known) / 2 if len(known) == 2 else None


def _bleu(answers: Sequence[EvaluatedAnswer]) -> tuple[float | None, str | None]:
    """Returns corpus BLEU-4 against every form, 0..1, and its signature."""
    comparable = [answer for answer in answers if answer.references]
    if not comparable:
        return None, None
    from sacrebleu.metrics.bleu import BLEU

    count = max(len(answer.references) for answer in comparable)
    streams = [
        [answer.references[n] if n < len(answer.references) else "" for answer in comparable]
        for n in range(count)
    ]
    metric = BLEU()
    score = metric.corpus_score([answer.text for answer in comparable], streams)
    return float(score.score) / 100, str(metric.get_signature())


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
