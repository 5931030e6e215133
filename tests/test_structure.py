"""The structure of the code: sizes, repeated names, and numbers with a reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.test_glossary import ROOT, application_files, require_none

# Names that stand for the subject of their folder (a command and its dialog) may repeat this often.
MAX_REPEATED_FILE_NAMES = 15
MAX_REPEATED_CLASS_NAMES = 5
# What fits on one screen, and how few functions need more than that.
MAX_FUNCTION_LINES = 50
MAX_LONG_FUNCTION_SHARE = 0.005
MAX_FILE_LINES = 400
MAX_MODULES_IN_FOLDER = 20

FOLDERS = ("engine", "desktop", "tests", "packaging")


def _is_settings(path: str) -> bool:
    """Settings modules explain every field in the docstring of their class."""
    pure = PurePosixPath(path)
    return pure.stem == "settings" or pure.stem.endswith("_settings") or "settings" in pure.parts


def _repeated(names: Iterable[tuple[str, str]]) -> list[str]:
    """Returns a line for each name that stands in several places, with those places."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for name, where in names:
        by_name[name].append(where)
    return [f"{name}: {', '.join(at)}" for name, at in sorted(by_name.items()) if len(at) > 1]


def test_every_module_level_number_outside_settings_has_its_reason_beside_it() -> None:
    require_none(
        (
            f"{source.where(number.line)} {number.name}"
            for source in application_files()
            if not _is_settings(source.path)
            for number in source.numbers
            if not number.has_reason
        ),
        "numbers have no comment on or above their line and no docstring under it",
    )


def test_few_file_names_repeat() -> None:
    paths = [PurePosixPath(source.path) for source in application_files()]
    repeated = _repeated((p.name, str(p)) for p in paths if p.name != "__init__.py")
    if len(repeated) > MAX_REPEATED_FILE_NAMES:
        require_none(repeated, f"file names repeat, {MAX_REPEATED_FILE_NAMES} may")


def test_few_class_names_repeat() -> None:
    repeated = _repeated(
        (bound.bare, source.where(bound.line))
        for source in application_files()
        for bound in source.bound
        if bound.kind == "class"
    )
    if len(repeated) > MAX_REPEATED_CLASS_NAMES:
        require_none(repeated, f"class names repeat, {MAX_REPEATED_CLASS_NAMES} may")


def test_few_functions_are_longer_than_a_screen() -> None:
    functions = [(source, one) for source in application_files() for one in source.functions]
    long = [
        f"{source.where(one.line)} {one.name}: {one.lines} lines"
        for source, one in functions
        if one.lines > MAX_FUNCTION_LINES
    ]
    if len(long) > MAX_LONG_FUNCTION_SHARE * len(functions):
        require_none(long, f"of {len(functions)} functions have over {MAX_FUNCTION_LINES} lines")


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {source.path: source.lines for source in application_files()}
    for folder in ("tests", "packaging"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            lengths[path.relative_to(ROOT).as_posix()] = len(text.splitlines())
    require_none(
        (f"{path}: {lines}" for path, lines in lengths.items() if lines > MAX_FILE_LINES),
        f"files have over {MAX_FILE_LINES} lines",
    )


def test_no_folder_holds_more_modules_than_can_be_surveyed() -> None:
    modules: defaultdict[str, int] = defaultdict(int)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "__init__.py":
                modules[path.parent.relative_to(ROOT).as_posix()] += 1
    require_none(
        (f"{name}: {count}" for name, count in modules.items() if count > MAX_MODULES_IN_FOLDER),
        f"folders hold more than {MAX_MODULES_IN_FOLDER} modules",
    )
