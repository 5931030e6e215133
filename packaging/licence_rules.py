"""The licences that parts of a bundle may be under: reading and applying `licences.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RULES = Path(__file__).with_name("licences.toml")
TEXTS = Path(__file__).with_name("licences")
_WORD = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True)
class Library:
    """A library that a wheel carries beside what it is named for.

    Attributes:
        wheel: name of the wheel; `*` for any.
        name: of the library.
        files: names of its files without what follows the first dash or dot.
        licence: SPDX expression.
        copyright: whose it is.
        source: where its source is.
    """

    wheel: str
    name: str
    files: tuple[str, ...]
    licence: str
    copyright: str
    source: str


@dataclass(frozen=True)
class Rules:
    """What is allowed, and what metadata does not say.

    Attributes:
        allowed: SPDX identifiers and exceptions that every part may be under.
        gpl: parts that may be under the GPL, with their licence.
        spdx: words of metadata -> SPDX.
        own: parts that come from no wheel and no package of the system -> SPDX.
        system: packages of the system -> SPDX.
        libraries: what wheels carry.
    """

    allowed: frozenset[str]
    gpl: Mapping[str, str]
    spdx: Mapping[str, str]
    own: Mapping[str, str]
    system: Mapping[str, str]
    libraries: tuple[Library, ...]

    def library(self, wheel: str, file: str) -> Library | None:
        """Returns the library that a file of a wheel is of; None when none is named."""
        stem = re.split(r"[-.]", file, maxsplit=1)[0]
        for library in self.libraries:
            if library.wheel in ("*", wheel) and stem in library.files:
                return library
        return None

    def problem(self, name: str, licence: str) -> str | None:
        """Returns what is wrong with the licence of a part; None when nothing is."""
        if not licence:
            return f"{name} has no licence that is known"
        if self.gpl.get(name) == licence or self._suffices(licence):
            return None
        return f"{name} is under {licence}, which licences.toml does not allow"

    def _suffices(self, expression: str) -> bool:
        words = iter(_WORD.findall(expression))
        try:
            return self._either(words)
        except (StopIteration, ValueError):
            return False

    def _either(self, words: Iterator[str]) -> bool:
        """Reads `A AND B OR C` up to its end or a closing bracket; AND binds closer."""
        any_of, all_of = False, True
        while True:
            word = next(words)
            terms = [word]
            good = self._either(words) if word == "(" else None
            follows = next(words, ")")
            if follows == "WITH":
                terms += ["WITH", next(words)]
                follows = next(words, ")")
            all_of = all_of and (good if good is not None else " ".join(terms) in self.allowed)
            if follows == "AND":
                continue
            any_of, all_of = any_of or all_of, True
            if follows == ")":
                return any_of
            if follows != "OR":
                raise ValueError(follows)


def read_rules(path: Path = RULES) -> Rules:
    """Reads the rules.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not sound.
        KeyError: an entry is missing.
    """
    rules = tomllib.loads(path.read_text(encoding="utf-8"))
    libraries = (
        Library(
            entry["wheel"], entry["name"], tuple(entry["files"]), entry["licence"],
            entry["copyright"], entry["source"],
        )
        for entry in rules["library"]
    )  # fmt: skip
    return Rules(
        frozenset(rules["allowed"]), rules["gpl"], rules["spdx"], rules["own"], rules["system"],
        tuple(libraries),
    )  # fmt: skip
