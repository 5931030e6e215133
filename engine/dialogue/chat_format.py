"""The sequence that a language model reads: the dialogue inputs first, then the turns so far.

Training and answering build it with the same functions, so that a model is asked as it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.tvad.language.runtime import EmbeddingPart, Part, TextPart

MAX_POSITIONS = 300
"""Positions that dialogue inputs may take in the context of the language model.

A design limit: the inputs of the shipped pack take 175 (docs/experiments/dialogue.md).
"""

_USER_START = "<|im_start|>user\n"
_ASSISTANT_START = "<|im_end|>\n<|im_start|>assistant\n"
_ASSISTANT_END = "<|im_end|>\n"
_VIDEO_START, _VIDEO_END = "<|vision_start|>", "<|vision_end|>"


def input_parts(
    video: EmbeddingPart | None, anomaly: EmbeddingPart | None, vision_marks: bool = False
) -> list[Part]:
    """Returns what precedes the first question: video tokens, then anomaly tokens.

    Args:
        video: the video tokens; None leaves them out, as in the blind control.
        anomaly: the anomaly tokens; None leaves them out.
        vision_marks: whether the model's own vision marks enclose the video tokens.
    """
    parts: list[Part] = [TextPart(_USER_START, markup=True)]
    if video is not None:
        parts += (
            [TextPart(_VIDEO_START, markup=True), video, TextPart(_VIDEO_END, markup=True)]
            if vision_marks
            else [video]
        )
    if anomaly is not None:
        parts.append(anomaly)
    return parts


def question_parts(question: str, first: bool) -> list[Part]:
    """Returns a question up to where the answer begins.

    Args:
        question: plain words; chat marks in it have no effect.
        first: whether it follows the dialogue inputs, which opened the user's turn already.
    """
    opening: list[Part] = [] if first else [TextPart(_USER_START, markup=True)]
    return [*opening, TextPart(question), TextPart(_ASSISTANT_START, markup=True)]


def answer_parts(answer: str) -> list[Part]:
    """Returns an answer with its end mark, as it precedes the next question."""
    return [TextPart(answer), TextPart(_ASSISTANT_END, markup=True)]


def turn_parts(turns: Sequence[tuple[str, str]]) -> list[Part]:
    """Returns questions with their answers; the first of them follows the dialogue inputs."""
    parts: list[Part] = []
    for number, (question, answer) in enumerate(turns):
        parts += question_parts(question, number == 0) + answer_parts(answer)
    return parts
