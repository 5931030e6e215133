"""Asks a language model what cannot be measured, and survives whatever it says."""

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
_TRIES = 3
_REFUSALS = ("i cannot", "i can't", "i'm sorry", "i am sorry", "unable to", "as an ai")


@dataclass(frozen=True)
class Form:
    """What an answer must hold.

    Attributes:
        fields: name -> the most letters it may have.
        words: what is asked.
    """

    fields: Mapping[str, int]
    words: str

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema that an answer is held to; what else it holds is not read."""
        fields = {
            name: {"type": "string", "minLength": 1, "maxLength": most}
            for name, most in self.fields.items()
        }
        return {"type": "object", "properties": fields, "required": list(fields)}

    @property
    def question(self) -> str:
        """The words with the schema."""
        return f"{self.words} {_ONLY}{json.dumps(self.schema)}"

    @property
    def most_tokens(self) -> int:
        """How long an answer may be: twice what the longest fitting one needs."""
        return sum(self.fields.values()) // 2


TARGET = Form(
    {"kind": 40, "appearance": 160, "action": 80},
    "The picture shows one target sharply; what is around it is blurred. Describe the target: "
    '"kind" (what it is, a word or two), "appearance" (clothes, colours, things carried), '
    '"action" (what it is doing, a few words).',
)
PLACE = Form(
    {"place": 60},
    'What place does the picture show? Say in "place" what it is, in a few words and without an '
    'article, as "car park" or "shopping street in the rain".',
)


@dataclass(frozen=True, eq=False)
class Asked:
    """A question about a target in a picture.

    Attributes:
        picture: with the target kept sharp, uint8 [H, W, 3], RGB.
        height: of the target in pixels of the picture.
        question: the words.
        most: tokens of the answer at most.
    """

    picture: NDArray[np.uint8]
    height: int
    question: str
    most: int


class Describer(Protocol):
    """A language model that sees pictures.

    Attributes:
        name: says which one it is, so that answers of another are not taken for its own.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    def say(self, asked: Asked, cancel: CancelToken | None) -> str:
        """Answers a question about a picture.

        Raises:
            ResourceError: the model cannot go on.
            CancelledError: it was asked to stop.
        """
        ...


def described(
    model: Describer,
    form: Form,
    picture: NDArray[np.uint8],
    height: int,
    cancel: CancelToken | None = None,
) -> tuple[dict[str, str] | None, Counter[str]]:
    """Asks about a picture until an answer fits, three times at most.

    Args:
        model: sees the picture.
        form: of the answer.
        picture: uint8 [H, W, 3], RGB.
        height: of what is asked about, in pixels of the picture.
        cancel: looked at between tokens.

    Returns:
        What the form names, None when no answer fitted; and counts: `fits`, or why an answer
        did not.

    Raises:
        ResourceError: the model cannot go on.
        CancelledError: it was asked to stop.
    """
    counts: Counter[str] = Counter()
    for attempt in range(_TRIES):
        question = (_AGAIN if attempt else "") + form.question
        answer, why = parsed(
            model.say(Asked(picture, height, question, form.most_tokens), cancel), form
        )
        counts[why or "fits"] += 1
        if answer is not None:
            return answer, counts
    return None, counts


def parsed(said: str, form: Form) -> tuple[dict[str, str] | None, str]:
    """Reads an answer; with None comes why it does not fit the form."""
    text = said.strip()
    if not text:
        return None, "empty"
    if any(one in text.lower().replace("’", "'") for one in _REFUSALS):
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
    answer = {}
    for name, most in form.fields.items():
        field = value.get(name)
        if not isinstance(field, str) or not field.strip():
            return None, f"without {name}"
        kept = " ".join(field.split())
        if len(kept) > most or not kept.isprintable():
            return None, f"{name} too long or unprintable"
        answer[name] = kept
    return answer, ""
