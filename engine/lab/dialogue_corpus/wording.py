"""Sentences for what is true of a span: at least six forms a part, and all forms as references.

Answers are made of these forms and of the words below only, so that a language model's vocabulary
can be listed (`vocabulary`) and an answer can be evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from string import Formatter
from typing import Any, Self

from engine.core.geometry import CELLS
from engine.core.questions import INTERVIEW
from engine.lab.dialogue_corpus.answer_words import ACTIONS, COLOURS
from engine.lab.dialogue_corpus.files.dialogue_files import CorpusTurn


@dataclass(frozen=True)
class SpanTruth:
    """What is true of a span.

    Attributes:
        target: action class of the abnormal target; None for a normal span.
        layout: the scene in a word; empty where it is not known, and then nothing is asked about
            it.
        grey: whether the video is without colour.
        people: how many others are in view; None where nobody counted, and then no answer mentions
            them.
        kind: kind of the target.
        appearance: what the target looks like, by part; the part `said` is a language model's
            description of it.
        from_cell: where the target is at the start.
        to_cell: where it is at the end.
        direction: direction of its motion on screen; empty when it stays where it is.
        corrected_answers: the answers that a person put in place of the forms, by part; a part
            without any is left out. Files call this `said`.
    """

    target: str | None
    layout: str
    grey: bool
    people: int | None
    kind: str = ""
    appearance: Mapping[str, str] = field(default_factory=dict)
    from_cell: str = ""
    to_cell: str = ""
    direction: str = ""
    corrected_answers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns plain JSON values under the names that files have."""
        values = asdict(self)
        values["said"] = values.pop("corrected_answers")
        return values

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Restores what `as_json` gave.

        Raises:
            TypeError: a name is unknown or missing.
        """
        values = dict(value)
        return cls(corrected_answers=values.pop("said", {}), **values)


_INTERVIEW = {question.part: question.text for question in INTERVIEW}

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "anomaly": (
        _INTERVIEW["anomaly"], "Is anything unusual going on?",
        "Do you see an anomaly?", "Does anything abnormal happen here?",
        "Is there something suspicious in this span?", "Anything out of the ordinary?",
    ),
    "target": (
        _INTERVIEW["target"], "What does the target look like?",
        "Describe the target.", "What is the appearance of the anomaly?",
        "Who or what is it?", "Which features does the target have?",
    ),
    "motion": (
        _INTERVIEW["motion"], "What is the target doing?", "How does it move?",
        "Describe its motion.", "What is happening to the target?", "What does it do?",
    ),
    "trajectory": (
        _INTERVIEW["trajectory"], "Where does it move from and to?", "Describe its trajectory.",
        "Where does it start and end?", "Which way does it take?", "From which place to which?",
    ),
    "environment": (
        _INTERVIEW["environment"], "What is the scene like?",
        "Describe the surroundings.", "Where does this take place?",
        "What does the place look like?", "Describe the background.",
    ),
    "narrative": (
        "What happens in the video?", "Describe the whole scene.", "Tell me what you see.",
        "Summarise the video.", "Give an account of this span.", "Describe the video.",
    ),
    "colour": (
        "What colour is its upper part?", "Which colour does the target have?",
        "What colour is it?",
    ),
    "start": ("Where was it first?", "Where does it come from?", "Where did it begin?"),
    "end": ("Where was it last?", "Where does it go to?", "Where did it end up?"),
    "absent": (
        "Is anyone {other}?", "Do you see someone {other}?", "Is the target {other}?",
        "Is something {other} there?", "Can you see anyone {other}?", "Is there anyone {other}?",
    ),
}  # fmt: skip
"""Forms of the questions, by part; the first form is the one that an evaluation asks."""

_NONE: Mapping[str, tuple[str, ...]] = {
    "anomaly": (
        "No, there is no anomaly.", "No, nothing unusual happens.", "No, all looks normal.",
        "No, I see no anomaly.", "No, nothing abnormal is there.", "No, it is all as usual.",
    ),
    "target": (
        "There is no anomaly target.", "No target stands out.", "There is nothing to describe.",
        "I see no anomaly target.", "No anomaly target is there.", "Nothing stands out here.",
    ),
    "motion": (
        "There is no anomaly target that moves.", "No target, so no motion to describe.",
        "Nothing moves in an unusual way.", "All motion is as usual.",
        "There is only usual motion.", "I see usual motion only.",
    ),
    "trajectory": (
        "There is no anomaly target to follow.", "No target, so no way to describe.",
        "Nothing stands out that moves anywhere.", "There is no trajectory to name.",
        "I see no target to follow.", "No anomaly target goes anywhere.",
    ),
}  # fmt: skip
_NARRATIVE_NONE = "It is {place}{people}. No anomaly is there."

_YES = (
    "Yes, there is an anomaly.", "Yes, something unusual happens.", "Yes, I see an anomaly.",
    "Yes, an anomaly is there.", "Yes, something abnormal happens.", "Yes, this is unusual.",
)  # fmt: skip
_TARGET = (
    "The target is {noun}.", "It is {noun}.", "I see {noun}.", "There is {noun}.",
    "The anomaly is {noun}.", "What stands out is {noun}.",
)  # fmt: skip
_MOTION = (
    "It is {action}{way}.", "The target is {action}{way}.", "It can be seen {action}{way}.",
    "The motion state is: {action}{way}.", "I see it {action}{way}.", "It keeps {action}{way}.",
)  # fmt: skip
_TRAJECTORY = (
    "From the {start} to the {end}.", "It moves from the {start} to the {end}.",
    "It goes from the {start} to the {end}.", "It starts at the {start} and ends at the {end}.",
    "Its way leads from the {start} to the {end}.", "From the {start} it gets to the {end}.",
)  # fmt: skip
_ENVIRONMENT = (
    "It is {place}{people}.", "The scene is {place}{people}.",
    "I see {place}{people}.", "This is {place}{people}.",
    "The video shows {place}{people}.", "The environment is {place}{people}.",
)  # fmt: skip
_START = ("At the {start}.", "It was first at the {start}.", "It begins at the {start}.")
_END = ("At the {end}.", "It was last at the {end}.", "It ends at the {end}.")
_COLOUR = ("It is {colour}.", "{Colour}.", "The colour is {colour}.")
_ABSENT_NO = ("No, I see no one {other}.", "No, nobody is {other}.", "No, there is none.")
_ABSENT_YES = ("Yes, it is {action}.", "Yes, I see it {action}.", "Yes, the target is {action}.")
_WAYS = {
    "right": " to the right", "left": " to the left", "up": " upwards", "down": " downwards",
    "up-right": " up and to the right", "up-left": " up and to the left",
    "down-right": " down and to the right", "down-left": " down and to the left",
}  # fmt: skip
_NOUNS = {"person": "person", "cyclist": "cyclist", "skater": "skater"}
_LAYOUTS = ("campus", "car park", "corridor", "hall", "park", "plaza", "square", "street")


def can_say(truth: SpanTruth, part: str) -> bool:
    """Returns whether enough is known to answer a part's question, and no review forbids it."""
    if part in truth.corrected_answers:
        return bool(truth.corrected_answers[part])
    if part == "narrative" and truth.corrected_answers:
        return False
    if part in ("environment", "narrative"):
        return bool(truth.layout)
    if truth.target is not None and part == "target":
        return bool(truth.appearance)
    return True


def interview(truth: SpanTruth) -> list[CorpusTurn]:
    """Returns the turns that are evaluated: the main questions with all their references.

    About a normal span there are two: whether there is an anomaly, and what the environment is.
    """
    parts = ["anomaly", "environment"]
    if truth.target is not None:
        parts = ["anomaly", "target", "motion", "trajectory", "environment"]
    return [
        CorpusTurn(part, QUESTIONS[part][0], references(truth, part))
        for part in parts
        if can_say(truth, part)
    ]


def references(truth: SpanTruth, part: str) -> tuple[str, ...]:
    """Returns every form of the true answer to a part's question."""
    if part in truth.corrected_answers:
        return tuple(truth.corrected_answers[part])
    words = _words(truth)
    if part == "environment":
        return _fill(_ENVIRONMENT, words)
    if truth.target is None:
        return _fill((_NARRATIVE_NONE,), words) if part == "narrative" else _NONE[part]
    targets, motions = _fill(_TARGET, words), _fill(_MOTION, words)
    trajectories, scenes = _fill(_TRAJECTORY, words), _fill(_ENVIRONMENT, words)
    if part == "anomaly":
        details = [p for p in ("target", "motion", "trajectory") if can_say(truth, p)]
        return _join(_YES, *(references(truth, detail) for detail in details))
    if part == "narrative":
        return _join(scenes, targets, motions, trajectories)
    simple = {"target": targets, "motion": motions, "trajectory": trajectories}
    follow_ups = {"colour": _COLOUR, "start": _START, "end": _END}
    return simple[part] if part in simple else _fill(follow_ups[part], words)


def absent_turn(truth: SpanTruth, other: str, form: int) -> CorpusTurn:
    """Returns a question about an action that may not be there.

    Args:
        truth: what is true of the span.
        other: the action class that the question is about.
        form: number of the question's form.
    """
    template = QUESTIONS["absent"][form % len(QUESTIONS["absent"])]
    question = template.replace("{other}", ACTIONS[other])
    words = {**_words(truth), "other": ACTIONS[other]}
    forms = _ABSENT_YES if truth.target == other else _ABSENT_NO
    return CorpusTurn("absent", question, _fill(forms, words))


def follow_up_parts(truth: SpanTruth) -> tuple[str, ...]:
    """Returns the parts that can be asked after the interview."""
    if truth.target is None:
        return ()
    return ("start", "end") if colour_of(truth) is None else ("colour", "start", "end")


def colour_of(truth: SpanTruth) -> str | None:
    """Returns the colour of the target's upper part, or of an object; None when it has none."""
    description = truth.appearance.get("upper") or _object_description(truth)
    return next((name for name in COLOURS if description.startswith(name)), None)


def vocabulary() -> list[str]:
    """Lists every word that an answer can hold, in alphabetical order."""
    forms = [*_YES, *_TARGET, *_MOTION, *_TRAJECTORY, *_ENVIRONMENT, *_START, *_END, *_COLOUR]
    forms += [
        *_ABSENT_NO,
        *_ABSENT_YES,
        _NARRATIVE_NONE,
        *(form for forms_of_part in _NONE.values() for form in forms_of_part),
    ]
    texts = ["".join(text for text, *_ in Formatter().parse(form)) for form in forms]
    texts += [*ACTIONS.values(), *COLOURS, *CELLS, *_WAYS.values(), *_LAYOUTS, *_NOUNS]
    texts += ["nobody else one other person two three several people in place a grey picture of"]
    texts += ["a an top coat and trousers shorts skirt with in"]
    texts += [
        "bag suitcase wheeled backpack box shoulder car van cart utility umbrella trolley dog"
    ]
    texts += ["bicycle skateboard skates pushchair"]
    letters = " ".join(texts).lower()
    words = "".join(letter if letter.isalpha() or letter == "-" else " " for letter in letters)
    return sorted(set(words.split()))


def _join(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Returns answers of several sentences: form n of each part, and mixed forms."""
    count = max(len(forms) for forms in parts)
    answers = []
    for shift in range(count):
        for n in range(count):
            sentences = (
                forms[(n + shift * index) % len(forms)] for index, forms in enumerate(parts)
            )
            answers.append(" ".join(sentences))
    return tuple(dict.fromkeys(answers))


def _fill(forms: tuple[str, ...], words: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(form.format_map(words) for form in forms)


def _words(truth: SpanTruth) -> dict[str, str]:
    colour = colour_of(truth) or "grey"
    way = _WAYS.get(truth.direction, " in place")
    scene = _with_article(truth.layout or "place")
    words = {
        "place": f"a grey picture of {scene}" if truth.grey else scene,
        "people": _people(truth.people),
    }
    if truth.target is None:
        return words
    return words | {
        "noun": noun_of(truth),
        "action": ACTIONS.get(truth.target, truth.target),
        "way": way,
        "start": truth.from_cell,
        "end": truth.to_cell,
        "colour": colour,
        "Colour": colour.capitalize(),
    }


def _people(count: int | None) -> str:
    if count is None:
        return ""
    if count <= 3:
        others = ("nobody else", "one other person", "two other people", "three other people")
        return f" with {others[count]}"
    return " with several other people"


def _object_description(truth: SpanTruth) -> str:
    return truth.appearance.get("vehicle") or truth.appearance.get("object") or ""


def noun_of(truth: SpanTruth) -> str:
    """Names an abnormal target by what it looks like."""
    description = _object_description(truth)
    if description:
        return _with_article(description)
    worn = truth.appearance
    if "said" in worn:
        return worn["said"]
    noun = _NOUNS.get(truth.kind, "person")
    if "garment" not in worn:
        upper, lower = worn.get("upper", "grey"), worn.get("lower", "grey")
        return f"a figure in {upper} above and {lower} below"
    coat = worn.get("garment") == "coat"
    upper = _with_article(f"{worn.get('upper', 'grey')} {'coat' if coat else 'top'}")
    garment = "trousers" if coat else worn.get("garment", "trousers")
    article = "a " if garment == "skirt" else ""
    text = f"a {noun} in {upper} and {article}{worn.get('lower', 'grey')} {garment}"
    bag = worn.get("bag", "none")
    carried = worn.get("with", "none") if bag == "none" else bag
    return text if carried == "none" else f"{text}, with {_with_article(carried)}"


def _with_article(noun: str) -> str:
    # "skates" is a plural.
    if noun.endswith("skates"):
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
