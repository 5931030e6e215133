"""Asks a language model what cannot be measured, and checks every answer against a form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken

_ONLY = "Answer with one JSON object of this schema and nothing else: "
_AGAIN = "That was not what was asked for. "
_MAX_TRIES = 3  # of a question: the second and the third say that the answer did not fit
_REFUSALS = ("i cannot", "i can't", "i'm sorry", "i am sorry", "unable to", "as an ai")


@dataclass(frozen=True)
class DescriptionForm:
    """What an answer must hold.

    Attributes:
        fields: how many characters each named text may have.
        words: the question.
    """

    fields: Mapping[str, int]
    words: str

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer; what else an answer holds is not read."""
        fields = {
            name: {"type": "string", "minLength": 1, "maxLength": max_length}
            for name, max_length in self.fields.items()
        }
        return {"type": "object", "properties": fields, "required": list(fields)}

    @property
    def question(self) -> str:
        """The question with the schema of the answer."""
        return f"{self.words} {_ONLY}{json.dumps(self.schema)}"

    @property
    def max_tokens(self) -> int:
        """The longest answer: about twice the tokens that the longest texts need."""
        return sum(self.fields.values()) // 2


TARGET = DescriptionForm(
    {"kind": 40, "appearance": 160, "action": 80},
    "The picture shows one target sharply; what is around it is blurred. Describe the target: "
    '"kind" (what it is, a word or two), "appearance" (clothes, colours, things carried), '
    '"action" (what it is doing, a few words).',
)
SURROUNDINGS = DescriptionForm(
    {"place": 60},
    'What place does the picture show? Say in "place" what it is, in a few words and without an '
    'article, as "car park" or "shopping street in the rain".',
)


@dataclass(frozen=True, eq=False)
class DescriptionQuestion:
    """A question about a target in an image.

    Attributes:
        image: uint8 [H, W, 3], RGB, with only the target sharp.
        height: height of the target in pixels of the image.
        question: the words of the question.
        max_tokens: how long the answer may be.
    """

    image: NDArray[np.uint8]
    height: int
    question: str
    max_tokens: int


class Describer(Protocol):
    """A language model that sees images.

    Attributes:
        name: which model it is, so that answers of another one are not used for it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    def say(self, question: DescriptionQuestion, cancel: CancelToken | None) -> str:
        """Answers a question about an image.

        Raises:
            ResourceError: the model cannot go on.
            CancelledError: it was asked to stop.
        """
        ...


def describe(
    model: Describer,
    form: DescriptionForm,
    image: NDArray[np.uint8],
    height: int,
    cancel: CancelToken | None = None,
) -> tuple[dict[str, str] | None, Counter[str]]:
    """Asks about an image until an answer fits, three times at most.

    Args:
        model: the language model.
        form: what the answer must hold.
        image: uint8 [H, W, 3], RGB.
        height: height of what the question is about, in pixels of the image.
        cancel: looked at between tokens.

    Returns:
        The texts that the form names, None when no answer fitted; and counts: `fits`, or why an
        answer did not.

    Raises:
        ResourceError: the model cannot go on.
        CancelledError: it was asked to stop.
    """
    counts: Counter[str] = Counter()
    for attempt in range(_MAX_TRIES):
        question = (_AGAIN if attempt else "") + form.question
        answer = model.say(DescriptionQuestion(image, height, question, form.max_tokens), cancel)
        values, why = parse_answer(answer, form)
        counts[why or "fits"] += 1
        if values is not None:
            return values, counts
    return None, counts


def parse_answer(answer: str, form: DescriptionForm) -> tuple[dict[str, str] | None, str]:
    """Reads an answer; beside None stands why it does not fit the form."""
    text = answer.strip()
    if not text:
        return None, "empty"
    if any(refusal in text.lower().replace("’", "'") for refusal in _REFUSALS):
        return None, "refused"
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        return None, "no JSON"
    if end < start:
        return None, "cut off"
    try:
        value = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None, "malformed"
    if not isinstance(value, dict):
        return None, "malformed"
    values = {}
    for name, max_length in form.fields.items():
        field = value.get(name)
        if not isinstance(field, str) or not field.strip():
            return None, f"without {name}"
        line = " ".join(field.split())
        if len(line) > max_length or not line.isprintable():
            return None, f"{name} too long or unprintable"
        values[name] = line
    return values, ""
