"""Runs a command and turns every failure into one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from engine.cli import (
    analyze,
    archive,
    ask,
    dialogues,
    evaluate,
    events,
    export,
    find,
    log,
    packs,
    problem,
    report,
    selftest,
    synth,
    teach,
    train,
    unpack,
    verify,
)
from engine.cli.output import set_quiet
from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError, SightlineError

_HELP = """Reviews surveillance footage offline: scores frames for anomaly, shows where and why.

Start with a video and a case folder:

    main.py analyze VIDEO --case NAME.case

    main.py events --case NAME.case

Exit codes: 0 done · 1 the answer is negative · 2 bad input · 3 cancelled · 4 resources missing.
"""


def build() -> typer.Typer:
    """Makes the command line with all its commands."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=None)
    app.command("analyze")(analyze.command)
    app.command("analyse", hidden=True)(analyze.command)
    app.command("events")(events.command)
    app.command("ask")(ask.command)
    app.command("report")(report.command)
    app.command("export")(export.command)
    app.command("archive")(archive.command)
    app.command("unpack")(unpack.command)
    app.command("verify")(verify.command)
    app.command("log")(log.command)
    app.command("evaluate")(evaluate.command)
    app.add_typer(packs.build(), name="packs")
    app.add_typer(train.build(), name="train")
    app.add_typer(dialogues.build(), name="dialogues")
    app.command("synth")(synth.command)
    app.command("find")(find.command)
    app.command("teach")(teach.command)
    app.command("selftest")(selftest.command)
    app.command("problem")(problem.command)
    return app


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: without the program's name; `--debug` and `--quiet` may stand anywhere.

    Returns:
        The exit code.
    """
    words, debug = _taken_out(list(arguments), "--debug")
    words, quiet = _taken_out(words, "--quiet")
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
        return _failed(error)


def _commands() -> TyperGroup:
    """Makes the commands; their help names the program as it is called here."""
    whole = get_command(build())
    assert isinstance(whole, TyperGroup)
    waiting = [whole]
    while waiting:
        one = waiting.pop()
        one.help = (one.help or "").replace("main.py", program())
        waiting += getattr(one, "commands", {}).values()
    return whole


def _taken_out(words: list[str], option: str) -> tuple[list[str], bool]:
    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != option]
    return kept + words[end:], len(kept) < end


def _failed(error: BaseException) -> int:
    """Says what failed in one line and returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 2
    if isinstance(error, typer.Exit):
        return error.exit_code
    line, code = _described(error)
    sys.stderr.write(f"error: {line}\n")
    return code


def _described(error: BaseException) -> tuple[str, int]:
    if isinstance(error, SightlineError):
        return error.line(), error.exit_code
    if isinstance(error, TyperException):
        said = _one_line(error.format_message()).rstrip(".")
        return BadInputError(said, "", f"see {program()} --help").line(), 2
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
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM):
        return ResourceError(what.lower(), where, "free some and run again").line(), 4
    return SightlineError(what.lower(), where, "check the path").line(), 2


def _one_line(text: str) -> str:
    return " ".join(text.split())
