"""Prompt sets: normal and abnormal things in words, at three nested levels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml

from engine.core.errors import BadInputError, brief_reason
from engine.core.files import open_regular_file
from engine.core.json_input import REFUSE_UNKNOWN, JsonFault, Rule, read_json

MAX_PROMPTS = 64
"""Prompts that one set may hold on each side; every one costs a text embedding and a map."""

MAX_PROMPT_LENGTH = 120
"""Characters of a prompt at word level, so that its sentence fits every text encoder."""

_MAX_TEMPLATE_LENGTH = 160  # Characters of a template, so that its sentence fits likewise.
_MAX_BYTES = 64 << 10  # Size of a file of prompts; a full set has about 16 KB.
_MAX_NODES = 2_000  # Values and marks of a YAML file; a full set has some hundred.
_MAX_DEPTH = 8  # Lists and mappings of a YAML file inside one another; a set has two.
_QUOTE_LENGTH = 40  # Characters of a value that an error shows, so that it stays one short line.
_HOLE = "{}"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_CORRECT = "correct the prompts"


class _PromptError(ValueError):
    """A text of a prompt set is not as it must be; the remedy says what to do about it."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def _check_text(value: object, max_length: int) -> str:
    """Returns text in composed form, with single spaces and none around it."""
    if not isinstance(value, str):
        raise _PromptError(f"is not text ({_quote(value)})", "put it in quotes")
    if not value.strip():
        raise _PromptError("is empty", "write it or remove it")
    if not value.isprintable():
        raise _PromptError("has control characters", "remove them")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if len(text) > max_length:
        raise _PromptError(f"has {len(text)} characters, {max_length} are allowed", "shorten it")
    return text


def _check_prompt(value: object) -> str:
    text = _check_text(value, MAX_PROMPT_LENGTH)
    if _HOLE in text:
        raise _PromptError(f"holds {_HOLE}", "only templates have it")
    return text


def _check_template(value: object) -> str:
    text = _check_text(value, _MAX_TEMPLATE_LENGTH)
    if text.count(_HOLE) != 1:
        raise _PromptError(f"without exactly one {_HOLE}", f"write {_HOLE} where the prompt goes")
    return text


def _check_language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError("is no language")
    return value


_Prompts = tuple[Annotated[str, Rule(_check_prompt, before=True)], ...]
_Template = Annotated[str, Rule(_check_template, before=True)]


@dataclass(frozen=True)
class Templates:
    """How a word becomes a phrase and the phrase a sentence; `{}` is where it goes.

    Attributes:
        phrase: wraps the word.
        sentence: wraps the phrase.
    """

    __pydantic_config__ = REFUSE_UNKNOWN

    phrase: _Template = "surveillance video of {}"
    sentence: _Template = "A short surveillance clip where {} occurs."


@dataclass(frozen=True)
class PromptSet:
    """The prompts of the text channel: what it looks for, and what is normal.

    Attributes:
        language: of the prompts, as `en`.
        normal: prompts at word level, at least one.
        abnormal: prompts at word level, at least one; none of them in `normal`.
        templates: make the two longer levels.
    """

    __pydantic_config__ = REFUSE_UNKNOWN

    language: Annotated[str, Rule(_check_language)]
    normal: _Prompts
    abnormal: _Prompts
    templates: Annotated[
        Templates, Rule(lambda value: Templates() if value is None else value, before=True)
    ] = field(default_factory=Templates)

    def as_json(self) -> dict[str, Any]:
        """Returns plain values that `parse_prompts` reads again."""
        return {**asdict(self), "normal": list(self.normal), "abnormal": list(self.abnormal)}


def expand(word: str, templates: Templates) -> tuple[str, str, str]:
    """Returns the three nested levels of a prompt: word, phrase, sentence.

    Example:
        >>> expand("person jumping", Templates())[2]
        'A short surveillance clip where surveillance video of person jumping occurs.'
    """
    phrase = templates.phrase.replace(_HOLE, word)
    return word, phrase, templates.sentence.replace(_HOLE, phrase)


def load_prompts(path: Path) -> PromptSet:
    """Reads a prompt set from a YAML file.

    Raises:
        BadInputError: the file cannot be read, is no plain YAML (aliases and tags are refused),
            or holds no sound prompt set; the error names the prompt.
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        what = f"prompts cannot be read ({error.strerror})"
        raise BadInputError(what, path, "check the file") from error
    if len(data) > _MAX_BYTES:
        raise BadInputError("prompts of more than 64 KB", path, "shorten them")
    return parse_prompts(_plain_yaml(data, path), path)


def parse_prompts(values: object, where: object = "") -> PromptSet:
    """Makes a prompt set of plain values, as a file or a request brings them.

    Args:
        values: a mapping with `language`, `normal`, `abnormal` and perhaps `templates`.
        where: the file, for errors.

    Raises:
        BadInputError: something is missing, of another type, empty, over-long, has control
            characters, or stands twice; the error names it.
    """
    try:
        prompts = read_json(PromptSet, values)
    except JsonFault as fault:
        what, remedy = _refusal(fault)
        raise BadInputError(what, where, remedy) from fault
    usual = _check_words(prompts.normal, "normal", where)
    abnormal = _check_words(prompts.abnormal, "abnormal", where)
    for key, word in abnormal.items():
        if key in usual:
            what = f"prompt {_quote(word)} is both normal and abnormal"
            raise BadInputError(what, where, "remove it from one set")
    return prompts


def dump_prompts(prompts: PromptSet) -> str:
    """Returns a prompt set as YAML that `load_prompts` reads again."""
    text: str = yaml.safe_dump(prompts.as_json(), allow_unicode=True, sort_keys=False, width=100)
    return text


def _refusal(fault: JsonFault) -> tuple[str, str]:
    """Returns what is wrong with a prompt set, and what to do about it."""
    remedy = getattr(fault.cause, "remedy", _CORRECT)
    match fault.path:
        case ():
            return "no prompt set", "write language, normal and abnormal"
        case ("language",):
            return "prompts without a language", "name one, as: language: en"
        case ("normal" | "abnormal" as side,):
            return f"{side} is no list of prompts", _CORRECT
        case ("normal" | "abnormal" as side, int(index)):
            return f"{side} prompt {index + 1} {fault.reason}", remedy
        case ("templates", name) if fault.cause is not None:
            return f"template {name} {fault.reason}", remedy
        case ("templates", *_):
            return "templates are not phrase and sentence", _CORRECT
    return f"unknown entry {_quote(fault.path[0])} in prompts", _CORRECT


def _check_words(words: Sequence[str], side: str, where: object) -> dict[str, str]:
    """Returns the prompts of one side by the form in which equal ones are equal."""
    if not words:
        raise BadInputError(f"no {side} prompt", where, "write at least one")
    if len(words) > MAX_PROMPTS:
        raise BadInputError(f"more than {MAX_PROMPTS} {side} prompts", where, "remove some")
    by_key: dict[str, str] = {}
    for word in words:
        if _key(word) in by_key:
            what = f"{side} prompt {_quote(word)} stands twice"
            raise BadInputError(what, where, "remove one")
        by_key[_key(word)] = word
    return by_key


def _key(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _quote(value: object) -> str:
    text = str(value)
    return f'"{text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1] + "…"}"'


def _plain_yaml(data: bytes, path: Path) -> object:
    """Parses YAML without aliases and with single keys.

    Aliases are refused while the file is still a flat row of events: a few of them, nested, can
    stand for more than any memory holds.
    """
    try:
        text = data.decode("utf-8")
        _check_events(text, path)
        _check_keys(yaml.compose(text, Loader=yaml.SafeLoader), path)
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        reason = brief_reason(error)
        raise BadInputError(f"prompts that are no YAML ({reason})", path, _CORRECT) from error


def _check_events(text: str, path: Path) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if getattr(event, "anchor", None) is not None:
            raise BadInputError("prompts with an alias or anchor", path, "write them out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise BadInputError(f"prompts with a tag ({tag})", path, "write plain text")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH or count > _MAX_NODES:
            raise BadInputError("prompts nested too deeply or too many", path, "shorten them")


def _check_keys(node: Any, path: Path) -> None:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise BadInputError(f"entry {_quote(key)} stands twice", path, "remove one")
        for _, inner in node.value:
            _check_keys(inner, path)
