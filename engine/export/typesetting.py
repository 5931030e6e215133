"""Sets values with a template of our own, by Typst in a process of its own.

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

from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.export.printable_text import FONTS, with_fonts

_LONGEST_TEXT = 20_000
"""Characters of one text in a PDF; HTML and JSON have all of it."""
_CUT = "\n[cut here: {left:,} of {all:,} characters follow; the reports in HTML and JSON have all]"
_LOOK_S = 0.1


def typeset(
    path: Path,
    template: Path,
    values: Mapping[str, Any],
    folder: Path,
    form: Mapping[str, Any],
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Sets a document.

    Args:
        path: the file to write; of several pages, `{0p}` in its name is the number of each.
        template: in Typst; reads `document.json`.
        values: become `document.json`.
        folder: to work in; holds the pictures that the values name.
        form: of the file: options of Typst's compiler.
        cancel: looked at while it is set.
        progress: told that it is being set.

    Raises:
        BadInputError: the document cannot be set.
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
        while not here.poll(_LOOK_S):
            cancel.check()
        said = here.recv()
    except EOFError:
        raise ResourceError(
            "the page could not be set, its process ended", path, "close other programs"
        ) from None
    finally:
        if process.is_alive() and cancel.cancelled:
            process.kill()
        process.join()
        here.close()
    if said:
        raise BadInputError(f"the page cannot be set ({said})", path, "report it with the case")


def settable(value: Any) -> Any:  # noqa: ANN401
    """Returns a document whose texts are not too long and have only letters of the fonts."""
    if isinstance(value, Mapping):
        return {name: settable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [settable(one) for one in value]
    if not isinstance(value, str):
        return value
    left = len(value) - _LONGEST_TEXT
    if left > 0:
        value = value[:_LONGEST_TEXT] + _CUT.format(left=left, all=len(value))
    return with_fonts(value)


def _compile(source: Path, path: Path, form: dict[str, Any], answer: Connection) -> None:
    """Runs in the process of its own; says what failed, or nothing."""
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
        answer.send(" ".join(str(error).split())[:400])
    finally:
        answer.close()
