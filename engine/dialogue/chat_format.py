"""The sequence that a language model reads: evidence first, then the turns so far.

Training and answering build it with the same lines, so that a model is asked as it was taught.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.tvad.language.runtime import EmbeddingPart, Part, TextPart

MOST_EVIDENCE = 300
"""Positions of the evidence, at most."""

_OPEN = "<|im_start|>user\n"
_ASKED = "<|im_end|>\n<|im_start|>assistant\n"
_ANSWERED = "<|im_end|>\n"
_VIDEO_OPEN, _VIDEO_CLOSE = "<|vision_start|>", "<|vision_end|>"


def evidence_parts(
    video: EmbeddingPart | None, anomaly: EmbeddingPart | None, vision_marks: bool = False
) -> list[Part]:
    """Returns what stands before every question: video tokens, then anomaly tokens.

    Args:
        video: None leaves it out, as in the blind control.
        anomaly: likewise.
        vision_marks: whether the model's own marks stand around video tokens.
    """
    parts: list[Part] = [TextPart(_OPEN, markup=True)]
    if video is not None:
        parts += (
            [TextPart(_VIDEO_OPEN, markup=True), video, TextPart(_VIDEO_CLOSE, markup=True)]
            if vision_marks
            else [video]
        )
    if anomaly is not None:
        parts.append(anomaly)
    return parts


def question_parts(question: str, first: bool) -> list[Part]:
    """Returns a question up to where the answer begins.

    Args:
        question: plain words; marks in it mean nothing.
        first: whether it follows the evidence, which opened the turn already.
    """
    opening: list[Part] = [] if first else [TextPart(_OPEN, markup=True)]
    return [*opening, TextPart(question), TextPart(_ASKED, markup=True)]


def answer_parts(answer: str) -> list[Part]:
    """Returns an answer with its end, as it stands before the next question."""
    return [TextPart(answer), TextPart(_ANSWERED, markup=True)]


def turn_parts(turns: Sequence[tuple[str, str]]) -> list[Part]:
    """Returns questions with their answers, from the first after the evidence."""
    parts: list[Part] = []
    for place, (question, answer) in enumerate(turns):
        parts += question_parts(question, place == 0) + answer_parts(answer)
    return parts
