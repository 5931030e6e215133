"""The questions of the interview, and the form of those that a person types.

The window asks them in this order. The forms in which a language model learned them stand in
`engine/lab/dialogue_corpus/wording.py`; it answers what it was trained on.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from engine.core.errors import BadInputError

MAX_LETTERS = 2000
"""Letters of a question; longer ones are refused, because the model could not hold them."""

_SPACES = "\t\n\r"


@dataclass(frozen=True)
class Question:
    """A question with the part of the evidence it is about.

    Attributes:
        part: `anomaly`, `target`, `motion`, `trajectory` or `environment`.
        text: the words.
    """

    part: str
    text: str


INTERVIEW: tuple[Question, ...] = (
    Question("anomaly", "Is there any anomaly in the video?"),
    Question("target", "Describe anomaly target features."),
    Question("motion", "What is the motion state?"),
    Question("trajectory", "From where to where?"),
    Question("environment", "Please describe the environment of the video."),
)
"""The questions of the method, in their order."""


def clean_question(text: str) -> str:
    """Returns a question as one line without control characters and with single spaces.

    Letters of every script stay, in their order; what only steers the direction of a line is
    taken out, because it could make an answer read as something else.

    Raises:
        BadInputError: nothing is left, or it is too long.
    """
    if len(text) > MAX_LETTERS:
        raise BadInputError(
            f"a question of {len(text):,} letters", "", f"ask in at most {MAX_LETTERS:,}"
        )
    letters = "".join(map(_clean_letter, unicodedata.normalize("NFC", text)))
    line = " ".join(letters.split())
    if not line:
        raise BadInputError("an empty question", "", "write what you want to know")
    return line


def _clean_letter(letter: str) -> str:
    if letter in _SPACES:
        return " "
    # Cc: control, Cf: invisible and direction marks, Cs: halves of letters, Co: private.
    if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co"):
        return letter
    # Joiners belong to the spelling of some scripts.
    return letter if letter in "\u200c\u200d" else ""
