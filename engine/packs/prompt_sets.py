"""Prompt sets: what is normal and what is abnormal, in words, at three nested levels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.core.errors import BadInputError

MOST_PROMPTS = 64
"""Prompts that one set may hold."""

LONGEST_PROMPT = 120
"""Characters of a prompt at word level, so that its sentence fits every text encoder."""

_LONGEST_TEMPLATE = 160
_MOST_BYTES = 64 << 10
_MOST_NODES = 2_000
_DEEPEST = 8
_HOLE = "{}"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_KNOWN = ("language", "normal", "abnormal", "templates")
_CORRECT = "correct the prompts"


@dataclass(frozen=True)
class Templates:
    """How a word becomes a phrase and the phrase a sentence; `{}` is where it goes.

    Attributes:
        phrase: wraps the word.
        sentence: wraps the phrase.
    """

    phrase: str = "surveillance video of {}"
    sentence: str = "A short surveillance clip where {} occurs."


@dataclass(frozen=True)
class PromptSet:
    """What the text channel looks for, and what it takes for usual.

    Attributes:
        language: of the prompts, as `en`.
        normal: prompts at word level, at least one.
        abnormal: prompts at word level, at least one; none of them in `normal`.
        templates: make the two longer levels.
    """

    language: str
    normal: tuple[str, ...]
    abnormal: tuple[str, ...]
    templates: Templates = field(default_factory=Templates)

    def as_json(self) -> dict[str, Any]:
        """Returns plain values that `parse_prompts` reads again."""
        return {
            "language": self.language,
            "normal": list(self.normal),
            "abnormal": list(self.abnormal),
            "templates": {"phrase": self.templates.phrase, "sentence": self.templates.sentence},
        }


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
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        what = f"prompts cannot be read ({error.strerror})"
        raise BadInputError(what, path, "check the file") from error
    if len(data) > _MOST_BYTES:
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
    if not isinstance(values, Mapping):
        raise BadInputError("no prompt set", where, "write language, normal and abnormal")
    for name in values:
        if name not in _KNOWN:
            raise BadInputError(f"unknown entry {_shown(name)} in prompts", where, _CORRECT)
    language = values.get("language")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise BadInputError("prompts without a language", where, "name one, as: language: en")
    normal = _words(values.get("normal"), "normal", where)
    abnormal = _words(values.get("abnormal"), "abnormal", where)
    usual = {_key(word) for word in normal}
    for word in abnormal:
        if _key(word) in usual:
            what = f"prompt {_shown(word)} is both normal and abnormal"
            raise BadInputError(what, where, "remove it from one set")
    return PromptSet(language, normal, abnormal, _templates(values.get("templates"), where))


def dump_prompts(prompts: PromptSet) -> str:
    """Returns a prompt set as YAML that `load_prompts` reads again."""
    text: str = yaml.safe_dump(prompts.as_json(), allow_unicode=True, sort_keys=False, width=100)
    return text


def _words(value: object, name: str, where: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise BadInputError(f"{name} is no list of prompts", where, _CORRECT)
    if not value:
        raise BadInputError(f"no {name} prompt", where, "write at least one")
    if len(value) > MOST_PROMPTS:
        raise BadInputError(f"more than {MOST_PROMPTS} {name} prompts", where, "remove some")
    words: list[str] = []
    seen: set[str] = set()
    for place, item in enumerate(value, 1):
        word = _line(item, f"{name} prompt {place}", LONGEST_PROMPT, where)
        if _key(word) in seen:
            what = f"{name} prompt {_shown(word)} stands twice"
            raise BadInputError(what, where, "remove one")
        seen.add(_key(word))
        words.append(word)
    return tuple(words)


def _templates(value: object, where: object) -> Templates:
    if value is None:
        return Templates()
    if not isinstance(value, Mapping) or not set(value) <= {"phrase", "sentence"}:
        raise BadInputError("templates are not phrase and sentence", where, _CORRECT)
    made = {}
    for name, item in value.items():
        text = _line(item, f"template {name}", _LONGEST_TEMPLATE, where)
        if text.count(_HOLE) != 1:
            what = f"template {name} without exactly one {_HOLE}"
            raise BadInputError(what, where, f"write {_HOLE} where the prompt goes")
        made[str(name)] = text
    return Templates(**made)


def _line(item: object, name: str, longest: int, where: object) -> str:
    """Returns text in composed form, with single spaces and none around it."""
    if not isinstance(item, str):
        raise BadInputError(f"{name} is not text ({_shown(item)})", where, "put it in quotes")
    if not item.strip():
        raise BadInputError(f"{name} is empty", where, "write it or remove it")
    if not item.isprintable():
        raise BadInputError(f"{name} has control characters", where, "remove them")
    text = " ".join(unicodedata.normalize("NFC", item).split())
    if len(text) > longest:
        what = f"{name} has {len(text)} characters, {longest} are allowed"
        raise BadInputError(what, where, "shorten it")
    if name.startswith(("normal", "abnormal")) and _HOLE in text:
        raise BadInputError(f"{name} holds {_HOLE}", where, "only templates have it")
    return text


def _key(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _shown(item: object) -> str:
    text = str(item)
    return f'"{text if len(text) <= 40 else text[:39] + "…"}"'


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
        reason = " ".join(str(error).split())[:160]
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
        if depth > _DEEPEST or count > _MOST_NODES:
            raise BadInputError("prompts nested too deeply or too many", path, "shorten them")


def _check_keys(node: Any, path: Path) -> None:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise BadInputError(f"entry {_shown(key)} stands twice", path, "remove one")
        for _, inner in node.value:
            _check_keys(inner, path)
