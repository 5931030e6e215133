"""Runs a command and turns every failure into one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import typer
from typer._click.core import Command, Context
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from engine.cli.output import set_quiet
from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError, SightlineError
from engine.core.files import is_disk_full
from engine.core.registry import Registry

_HELP = """Reviews surveillance footage offline: scores frames for anomaly, shows where and why.

Start with a video and a case folder:

    main.py analyze VIDEO --case NAME.case

    main.py events --case NAME.case

Exit codes: 0 done · 1 the answer is negative · 2 bad input · 3 cancelled · 4 resources missing.
"""


COMMANDS: Registry[Callable[..., Any]] = Registry(
    {
        "analyze": "engine.cli.analyze:command",
        "analyse": "engine.cli.analyze:command",
        "events": "engine.cli.events:command",
        "ask": "engine.cli.ask:command",
        "report": "engine.cli.report:command",
        "export": "engine.cli.export:command",
        "archive": "engine.cli.archive:command",
        "unpack": "engine.cli.unpack:command",
        "verify": "engine.cli.verify:command",
        "log": "engine.cli.log:command",
        "evaluate": "engine.lab.commands.evaluate:command",
        "synth": "engine.lab.commands.synth:command",
        "find": "engine.cli.find:command",
        "teach": "engine.cli.teach:command",
        "selftest": "engine.cli.selftest:command",
        "problem": "engine.cli.problem:command",
        "registries": "engine.cli.registries:command",
        "packs": "engine.cli.packs:build",
        "train": "engine.lab.commands.train:build",
        "dialogues": "engine.lab.commands.dialogues:build",
    }
)
"""Every command by its function, in the order of the help."""

GROUPS = frozenset({"packs", "train", "dialogues"})
"""Names of which the function returns a group of commands."""

HIDDEN = frozenset({"analyse", "registries"})
"""Names that work and are not listed."""


class _Commands(Mapping[str, Command]):
    """The commands as typer runs them; each is imported when it is looked up."""

    def __getitem__(self, name: str) -> Command:
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    def list_commands(self, ctx: Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        return _command(cmd_name) if cmd_name in COMMANDS else None


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: without the program's name; `--debug` and `--quiet` may stand anywhere.

    Returns:
        The exit code.
    """
    words, debug = _remove_option(list(arguments), "--debug")
    words, quiet = _remove_option(words, "--quiet")
    set_quiet(quiet)
    try:
        result = _commands()(args=words or ["--help"], prog_name=program(), standalone_mode=False)
        if not words:
            remedy = f"begin with: {program()} analyze VIDEO --case NAME.case"
            raise BadInputError("no command named", "", remedy)
        return result if isinstance(result, int) else 0
    except BaseException as error:
        if debug:
            traceback.print_exc()
        return _report_failure(error)


def _command(name: str) -> Command:
    """Makes a command; its help names the program as it is called here."""
    if name in GROUPS:
        command = get_command(COMMANDS[name]())
    else:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, hidden=name in HIDDEN)(COMMANDS[name])
        command = get_command(app)
    command.name = name
    waiting = [command]
    while waiting:
        inner = waiting.pop()
        inner.help = _name_program(inner.help or "")
        waiting += getattr(inner, "commands", {}).values()
    return command


def _commands() -> TyperGroup:
    commands = cast(dict[str, Command], _Commands())
    return _Group(commands=commands, help=_name_program(_HELP), rich_markup_mode=None)


def _name_program(text: str) -> str:
    return text.replace("main.py", program())


def _remove_option(words: list[str], option: str) -> tuple[list[str], bool]:
    """Returns the words without an option, and whether it was among them."""
    end = words.index("--") if "--" in words else len(words)
    others = [word for word in words[:end] if word != option]
    return others + words[end:], len(others) < end


def _report_failure(error: BaseException) -> int:
    """Prints what failed in one line and returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 2
    if isinstance(error, typer.Exit):
        return error.exit_code
    line, code = _error_line(error)
    sys.stderr.write(f"error: {line}\n")
    return code


def _error_line(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SightlineError):
        return error.line(), error.exit_code
    if isinstance(error, TyperException):
        what = _one_line(error.format_message()).rstrip(".")
        return BadInputError(what, "", f"see {program()} --help").line(), 2
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return "cancelled, what was committed is kept, run again to resume", 3
    if isinstance(error, MemoryError):
        return "not enough memory, close other programs or use a larger --stride", 4
    if isinstance(error, OSError):
        return _system_error(error)
    what = f"internal error ({_one_line(repr(error))})"
    return SightlineError(what, "", "run again with --debug and report it").line(), 2


def _system_error(error: OSError) -> tuple[str, int]:
    where = os.fsdecode(error.filename) if error.filename else ""
    what = error.strerror or type(error).__name__
    if is_disk_full(error) or error.errno in (errno.EMFILE, errno.ENOMEM):
        return ResourceError(what.lower(), where, "free some and run again").line(), 4
    return SightlineError(what.lower(), where, "check the path").line(), 2


def _one_line(text: str) -> str:
    return " ".join(text.split())
