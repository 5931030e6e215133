"""Asks a language model what cannot be measured, and survives whatever it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.progress import CancelToken
from engine.datasets.dialogues.building.sightings import Sighting

FIELDS: Mapping[str, int] = {"kind": 40, "appearance": 160, "action": 80}
"""What an answer must hold, with the most letters of each."""

QUESTION = (
    "The picture shows one target sharply; what is around it is blurred. Describe the target. "
    "Answer with one JSON object and nothing else, with these keys: "
    '"kind" (what it is, a word or two), "appearance" (clothes, colours, things carried), '
    '"action" (what it is doing, a few words).'
)
AGAIN = "That was not what was asked for. " + QUESTION
_TRIES = 3
_BLUR = 0.03
_MARGIN = 0.08
_REFUSALS = ("i cannot", "i can't", "i'm sorry", "i am sorry", "unable to", "as an ai")


class Describer(Protocol):
    """A language model that sees pictures."""

    def say(
        self, picture: NDArray[np.uint8], question: str, most: int, cancel: CancelToken | None
    ) -> str:
        """Answers a question about a picture uint8 [H, W, 3], RGB, in at most `most` tokens."""
        ...


def highlighted(image: NDArray[np.uint8], sighting: Sighting) -> NDArray[np.uint8]:
    """Keeps a target sharp over a background blurred by a Gaussian (method, data pipeline).

    Args:
        image: uint8 [H, W, 3], RGB.
        sighting: in that frame.
    """
    height, width = image.shape[:2]
    blurred = cv2.GaussianBlur(image, (0, 0), max(2.0, _BLUR * width))
    box = sighting.box
    mask = np.zeros((height, width), np.float32)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = sighting.mask
    # The edge of the mask belongs to the target: what it holds reaches a little over it.
    grow = max(1, round(_MARGIN * max(box.w, box.h)))
    mask = np.asarray(cv2.dilate(mask, np.ones((2 * grow + 1,) * 2, np.uint8)), np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), grow)[..., None]
    return np.asarray(np.round(image * soft + blurred * (1 - soft)), np.uint8)


def described(
    model: Describer,
    picture: NDArray[np.uint8],
    counts: Counter[str],
    cancel: CancelToken | None = None,
) -> dict[str, str] | None:
    """Asks about a target until an answer fits, three times at most.

    Args:
        model: sees the picture.
        picture: with the target kept sharp, uint8 [H, W, 3], RGB.
        counts: is added to: `fits`, or why an answer did not fit.
        cancel: looked at between tokens.

    Returns:
        What `FIELDS` names; None when no answer fitted.
    """
    for attempt in range(_TRIES):
        said = model.say(picture, AGAIN if attempt else QUESTION, most_tokens(), cancel)
        answer, why = parsed(said)
        counts[why or "fits"] += 1
        if answer is not None:
            return answer
    return None


def most_tokens() -> int:
    """Returns how long an answer may be: twice what the longest fitting one needs."""
    return sum(FIELDS.values()) // 2


def parsed(said: str) -> tuple[dict[str, str] | None, str]:
    """Reads an answer; with None comes why it does not fit."""
    text = said.strip()
    if not text:
        return None, "empty"
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        refused = any(one in text.lower() for one in _REFUSALS)
        return None, "refused" if refused else "no JSON"
    if end < start:
        return None, "cut off"
    try:
        value = json.loads(text[start : end + 1])
    except ValueError:
        return None, "malformed"
    if not isinstance(value, dict):
        return None, "malformed"
    answer = {}
    for name, most in FIELDS.items():
        field = value.get(name)
        if not isinstance(field, str) or not field.strip():
            return None, f"without {name}"
        kept = " ".join(field.split())
        if len(kept) > most or not kept.isprintable():
            return None, f"{name} too long or unprintable"
        answer[name] = kept
    return answer, ""
