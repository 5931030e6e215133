"""The words of `docs/glossary.md` are the words of the code.

Every file is parsed once; what the tests need of it is kept as a `SourceFile`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What reads like a private dialect when it stands alone as a name, and what could stand in for it.
DIALECT = _word_set("said found kept place one taken told made given asked shown wanted")
SUBSTITUTES = _word_set("held noted seen")
# Of all bound names, the share that other code bases of this kind stay below.
MAX_DIALECT_SHARE = 0.01

# Irregular past participles. Those that are spelt like the verb (cut, put, read, run, set, split,
# spread) are left out: as the name of a function they are the verb.
PARTICIPLES = _word_set(
    """
    been begun bent blown born bought bound broken brought built burnt burst chosen dealt done
    drawn driven eased eaten fallen felt forgotten fought found frozen given gone grown heard
    held hidden kept known laid learnt led left lent lit lost made meant met paid ridden risen
    said seen sent shaken shown sold sought spent spoken spoilt stolen struck stuck sung sunk
    swept taken taught thought thrown told torn understood won worn woven written
    """
)
# Words that end like a participle and are none.
NOT_PARTICIPLES = _word_set(
    """
    bed bleed breed creed deed embed exceed feed greed hundred indeed need proceed red reed
    sacred seed shed shred sled speed steed succeed wed weed
    """
)
# Booleans of the standard library (`Future.cancelled`, `Future.done`, `IOBase.closed`): a method
# or a property that returns a bool may be named like them.
STDLIB_BOOLEANS = _word_set("cancelled closed done")

DESIGN_WORDS = re.split(
    ", ",
    "case, camera, examiner, evidence, stream, frame, PTS, run, window, cell, chunk, channel, "
    "heatmap, score, raw score, calibration, attribute, reason, region, trajectory, event, "
    "kind, statement, query, hit, bookmark, note, dialogue, turn, fact, citation, pack, "
    "backbone, prompt set, normal footage, audit entry, report, export",
)

_TERM = re.compile(r"\*\*(?P<term>[^*]+)\*\*:")
_AVOIDED = re.compile(r"`(?P<word>[^`]+)`(?: \((?P<note>[^)]*)\))?")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True)
class BoundName:
    """A name that a file binds."""

    name: str
    line: int
    kind: str
    is_boolean_method: bool = False

    @property
    def bare(self) -> str:
        return self.name.strip("_")


@dataclass(frozen=True)
class Span:
    """A function and how many lines it has."""

    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Number:
    """A numeric constant of a module."""

    name: str
    line: int
    has_reason: bool


@dataclass(frozen=True)
class SourceFile:
    """What the tests need of a file."""

    path: str
    lines: int
    bound: tuple[BoundName, ...]
    functions: tuple[Span, ...]
    numbers: tuple[Number, ...]

    def where(self, line: int) -> str:
        return f"{self.path}:{line}"


@dataclass(frozen=True)
class AvoidedWord:
    """A word of the glossary that names must not use."""

    term: str
    word: str
    whole_name_only: bool
    exceptions: tuple[str, ...]

    def occurs_in(self, name: str) -> bool:
        if self.whole_name_only:
            return name.strip("_").lower() == self.word
        return f"_{self.word}_" in f"_{'_'.join(split_name(name))}_"

    def excepts(self, name: str, path: str) -> bool:
        return any(
            fnmatchcase(path, f"{one}*" if one.endswith("/") else one)
            if "/" in one
            else fnmatchcase(name.strip("_"), one)
            for one in self.exceptions
        )


@cache
def split_name(name: str) -> tuple[str, ...]:
    """Splits a name at underscores and capital letters."""
    return tuple(word.lower() for word in _WORD.findall(name))


@cache
def application_files() -> tuple[SourceFile, ...]:
    """Reads every file of `engine` and `desktop`, and `main.py`."""
    paths = [path for folder in ("engine", "desktop") for path in (ROOT / folder).rglob("*.py")]
    return tuple(_read_source(path) for path in [*sorted(paths), ROOT / "main.py"])


def _read_source(path: Path) -> SourceFile:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    functions = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return SourceFile(
        path.relative_to(ROOT).as_posix(),
        len(text.splitlines()),
        (
            BoundName(path.parent.name if path.stem == "__init__" else path.stem, 1, "module"),
            *(bound for node in nodes for bound in _bound_names(node)),
        ),
        tuple(Span(n.name, n.lineno, (n.end_lineno or n.lineno) - n.lineno + 1) for n in functions),
        tuple(_numbers(tree, text.splitlines())),
    )


def _bound_names(node: ast.AST) -> Iterator[BoundName]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield BoundName(name, node.lineno, "variable")
        case ast.arg(arg=name):
            yield BoundName(name, node.lineno, "argument")
        case ast.ClassDef(name=name):
            yield BoundName(name, node.lineno, "class")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            in_class = [one.arg for one in node.args.args[:1]] == ["self"]
            is_boolean = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
            yield BoundName(node.name, node.lineno, "function", in_class and is_boolean)
        case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
            yield BoundName(name, node.lineno, "attribute")
        case ast.ExceptHandler(name=str(name)):
            yield BoundName(name, node.lineno, "alias")
        case ast.alias(asname=str(name)):
            yield BoundName(name, node.lineno, "alias")
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield BoundName(name, node.lineno, "alias")


def _numbers(tree: ast.Module, lines: list[str]) -> Iterator[Number]:
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not _is_number(node.value):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        above = lines[node.lineno - 2].strip() if node.lineno > 1 else ""
        code_end = (node.end_lineno or node.lineno) - 1
        remarks = [lines[code_end].encode()[node.end_col_offset or 0 :].decode().strip(), above]
        reason = any(one.startswith("#") and not _is_directive(one) for one in remarks)
        yield Number(ast.unparse(target), node.lineno, reason or _is_docstring(after))


def _is_number(value: ast.expr | None) -> bool:
    match value:
        case ast.Constant(value=bool()):
            return False
        case ast.Constant(value=int() | float()):
            return True
        case ast.UnaryOp(operand=operand):
            return _is_number(operand)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
        case ast.Tuple(elts=elements):
            return bool(elements) and all(map(_is_number, elements))
    return False


def _is_directive(comment: str) -> bool:
    return bool(re.match(r"#\s*(noqa|type:|fmt:|pragma)", comment))


def _is_docstring(node: ast.stmt | None) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


@cache
def glossary_terms() -> dict[str, tuple[str, str]]:
    """Reads the glossary: term -> its meaning, and what is to be avoided."""
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    terms: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(lines):
        if found := _TERM.fullmatch(line):
            meaning, avoided = [*lines[number + 1 : number + 3], "", ""][:2]
            terms[found["term"]] = (meaning, avoided)
    return terms


@cache
def avoided_words() -> tuple[AvoidedWord, ...]:
    """Reads the avoided words that stand in code form."""
    return tuple(
        AvoidedWord(
            term,
            match["word"],
            "only as the whole name" in (match["note"] or ""),
            tuple(re.findall(r"`([^`]+)`", match["note"] or "")),
        )
        for term, (_, avoided) in glossary_terms().items()
        for match in _AVOIDED.finditer(avoided)
    )


def is_participle(name: str) -> bool:
    """Tells whether a name is a past participle and nothing else."""
    words = split_name(name)
    if len(words) != 1 or words[0] in NOT_PARTICIPLES:
        return False
    word = words[0]
    return word.removeprefix("un") in PARTICIPLES or word in PARTICIPLES or word.endswith("ed")


def require_none(violations: Iterable[str], what: str) -> None:
    """Fails with the list of all violations."""
    listed = list(violations)
    if listed:
        pytest.fail(f"{len(listed)} {what}:\n" + "\n".join(listed), pytrace=False)


def test_glossary_gives_each_term_a_meaning_of_one_line_and_words_to_avoid() -> None:
    assert glossary_terms()
    require_none(
        (
            f"{term}: {meaning!r}, {avoided!r}"
            for term, (meaning, avoided) in glossary_terms().items()
            if not meaning.endswith(".") or not re.fullmatch(r"_Avoid_: .+\.", avoided)
        ),
        "terms without a meaning or without words to avoid",
    )


def test_glossary_holds_the_words_of_the_design() -> None:
    terms = {term.lower() for term in glossary_terms()}
    require_none((word for word in DESIGN_WORDS if word.lower() not in terms), "missing terms")


def test_glossary_lists_no_avoided_word_twice_and_each_as_names_are_split() -> None:
    words = [one.word for one in avoided_words()]
    assert words
    require_none((word for word in sorted(set(words)) if words.count(word) > 1), "words twice")
    require_none(
        (word for word in words if "_".join(split_name(word)) != word), "words no name can hold"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("_hot_part", "hot part"), ("TextUse", "text use"), ("loadGGUFFile", "load gguf file")],
)
def test_names_are_split_at_underscores_and_capitals(name: str, words: str) -> None:
    assert split_name(name) == tuple(words.split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("_shown", True), ("Opened", True), ("unmade", True), ("seed", False), ("read", False),
     ("kept_maps", False)],
)  # fmt: skip
def test_a_name_is_a_bare_participle_only_as_its_only_word(name: str, expected: bool) -> None:
    assert is_participle(name) is expected


def test_at_most_one_percent_of_bound_names_are_of_the_private_dialect() -> None:
    stored = [
        (source.where(bound.line), bound.bare)
        for source in application_files()
        for bound in source.bound
        if bound.kind in ("variable", "argument")
    ]
    dialect = [f"{where} {name}" for where, name in stored if name in DIALECT | SUBSTITUTES]
    share = len(dialect) / len(stored)
    if share > MAX_DIALECT_SHARE:
        require_none(dialect, f"of {len(stored)} bound names ({share:.1%}) are dialect")


def test_no_module_class_or_function_is_a_bare_past_participle() -> None:
    require_none(
        (
            f"{source.where(bound.line)} {bound.kind} {bound.name}"
            for source in application_files()
            for bound in source.bound
            if bound.kind in ("module", "class", "function")
            and is_participle(bound.name)
            and not (bound.is_boolean_method and bound.name in STDLIB_BOOLEANS)
        ),
        "modules, classes and functions are named with a past participle",
    )


def test_no_bound_name_uses_a_word_that_the_glossary_avoids() -> None:
    require_none(
        (
            f"{source.where(bound.line)} {bound.name} (avoid {word.word!r}: see {word.term!r})"
            for source in application_files()
            for bound in source.bound
            for word in avoided_words()
            if word.occurs_in(bound.name) and not word.excepts(bound.name, source.path)
        ),
        "names use an avoided word",
    )
