"""Typesets values with one of our templates, by Typst in a process of its own.

The compiler is native code that cannot be asked to stop; a process can be ended, and its memory is
gone with it. It reads one folder with the template, the values as JSON and pictures; fonts come
from the application only, and packages from nowhere.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError, ResourceError, brief_reason
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.export.printable_text import FONTS, with_fonts

_LONGEST_TEXT = 20_000
"""Characters of one text in a PDF, which bounds its pages; HTML and JSON have all of it."""
_CUT = "\n[cut here: {left:,} of {all:,} characters follow; the reports in HTML and JSON have all]"
_POLL_S = 0.1  # Seconds until a cancelled document is given up: not noticed by a person.


def typeset(
    path: Path,
    template: Path,
    values: Mapping[str, Any],
    folder: Path,
    form: Mapping[str, Any],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Typesets a document.

    Args:
        path: the file to write; `{0p}` in its name is replaced by the number of each page.
        template: a Typst file, which reads `document.json`.
        values: the values that become `document.json`.
        folder: a working folder, which holds the images that the values name.
        form: the form of the file, as options of Typst's compiler.
        cancel: is checked while Typst runs.
        progress: is called once before it runs.

    Raises:
        BadInputError: Typst refuses the document.
        ResourceError: the memory did not suffice.
        CancelledError: the user stopped.
    """
    (folder / "document.json").write_text(json.dumps(settable(values)), encoding="utf-8")
    shutil.copyfile(template, folder / template.name)
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_compile, args=(folder / template.name, path, dict(form), there), daemon=True
    )
    process.start()
    there.close()
    try:
        progress(Progress("typesetting", 0, 0, unit="pages"))
        while not here.poll(_POLL_S):
            cancel.check()
        failure = here.recv()
    except EOFError:
        raise ResourceError(
            "the page could not be set, its process ended", path, "close other programs"
        ) from None
    finally:
        if process.is_alive() and cancel.cancelled:
            process.kill()
        process.join()
        here.close()
    if failure:
        raise BadInputError(f"the page cannot be set ({failure})", path, "report it with the case")


def settable(value: Any) -> Any:  # noqa: ANN401
    """Returns a document whose texts are cut to a limit and have only characters of the fonts."""
    if isinstance(value, Mapping):
        return {name: settable(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [settable(entry) for entry in value]
    if not isinstance(value, str):
        return value
    left = len(value) - _LONGEST_TEXT
    if left > 0:
        value = value[:_LONGEST_TEXT] + _CUT.format(left=left, all=len(value))
    return with_fonts(value)


def _compile(source: Path, path: Path, form: dict[str, Any], answer: Connection) -> None:
    """Runs Typst in its process, and sends what failed; an empty text when nothing did."""
    import typst

    try:
        typst.compile(
            str(source),
            output=str(path),
            root=str(source.parent),
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            **form,
            package_path=str(source.parent / "none"),
            package_cache_path=str(source.parent / "none"),
        )
        answer.send("")
    except (typst.TypstError, OSError, RuntimeError, ValueError) as error:
        answer.send(brief_reason(error, 400))
    finally:
        answer.close()
