"""A conversation: what the model is told, what it forgets, and how much fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.core.questions import INTERVIEW
from engine.dialogue.answer_parsing import cells_in, yes_or_no
from engine.dialogue.chat_format import input_parts
from engine.dialogue.conversation import Conversation
from engine.tvad.language.runtime import EmbeddingPart, Part, Sampling, TextPart


class Parrot:
    """A runtime that holds parts and answers with how many turns it was told."""

    name = "transformers"
    width = 4

    def __init__(self, context: int = 400) -> None:
        self.context = context
        self.held: list[Part] = []

    @property
    def position(self) -> int:
        return sum(self.count(part) for part in self.held)

    def count(self, part: Part) -> int:
        return len(part.rows) if isinstance(part, EmbeddingPart) else len(part.text.split())

    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        assert self.position + sum(self.count(part) for part in parts) <= self.context
        self.held += parts

    def rewind(self, position: int) -> None:
        while self.position > position:
            self.held.pop()

    def generate(self, sampling: Sampling, cancel: CancelToken | None = None) -> Iterator[str]:
        text = "".join(part.text for part in self.held if isinstance(part, TextPart))
        yield f"told {text.count('assistant')}"


def _evidence(video: int = 32, anomaly: int = 140) -> list[Part]:
    return input_parts(
        EmbeddingPart(np.zeros((video, 4), np.float32), "video"),
        EmbeddingPart(np.zeros((anomaly, 4), np.float32), "anomaly"),
    )


def test_video_comes_before_anomaly_before_questions() -> None:
    runtime = Parrot()
    Conversation(runtime, _evidence()).ask(INTERVIEW[0].text, Sampling())
    kinds = [part.kind if isinstance(part, EmbeddingPart) else "text" for part in runtime.held]
    assert kinds[:3] == ["text", "video", "anomaly"]
    assert set(kinds[3:]) == {"text"}


def test_every_turn_is_told_again_until_the_context_is_full() -> None:
    runtime = Parrot(context=240)
    conversation = Conversation(runtime, _evidence())
    numbers, dropped = [], []
    for _ in range(8):
        answer = conversation.ask("one two three four five", Sampling(8))
        numbers.append(int(answer.text.split()[1]))
        dropped.append(answer.dropped_turns)
    assert numbers[:3] == [1, 2, 3]
    assert dropped[0] == 0
    assert dropped[-1] > 0
    assert [number + gone for number, gone in zip(numbers, dropped, strict=True)] == list(
        range(1, 9)
    )
    assert len(conversation.turns) == 8


def test_a_question_that_does_not_fit_alone_is_refused_and_the_rest_stays() -> None:
    conversation = Conversation(Parrot(context=240), _evidence())
    conversation.ask("one two", Sampling(8))
    with pytest.raises(BadInputError, match="does not fit"):
        conversation.ask("word " * 100, Sampling(8))
    assert len(conversation.turns) == 1
    assert conversation.ask("three", Sampling(8)).dropped_turns == 0


def test_evidence_beyond_three_hundred_positions_is_refused() -> None:
    Conversation(Parrot(), _evidence(video=150))
    with pytest.raises(BadInputError, match="evidence of 301"):
        Conversation(Parrot(), _evidence(video=160))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Yes, it is.", True), ("No.", False), (" yes", True), ("Nobody is there", None), ("", None)],
)
def test_yes_and_no_are_heard_at_the_start_only(text: str, expected: bool | None) -> None:
    assert yes_or_no(text) is expected


def test_cells_are_found_in_an_answer() -> None:
    text = "A person in a dark blue top is riding a bicycle from the Top Left to the middle centre."
    assert cells_in(text) == ("top left", "middle centre")
    assert cells_in("It stays at the bottom right.") == ("bottom right", "bottom right")
    assert cells_in("I do not know.") is None
