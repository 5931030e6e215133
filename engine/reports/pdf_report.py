"""A report as PDF/A-2b, or as pictures of its pages, set by Typst in a process of its own.

The compiler is native code that cannot be asked to stop; a process can be ended, and its memory is
gone with it. It reads one folder with the template, the document as JSON and the pictures; fonts
come from the application only, and packages from nowhere.
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
from engine.core.progress import CancelToken, Progress, Report
from engine.reports.wording import FONTS, with_fonts

TEMPLATE = Path(__file__).parents[2] / "resources" / "reports" / "report.typ"

_LONGEST_TEXT = 20_000
"""Characters of one text in a PDF; HTML and JSON have all of it."""
_CUT = "\n[cut here: {left:,} of {all:,} characters follow; the reports in HTML and JSON have all]"
_LOOK_S = 0.1
_PDF: dict[str, Any] = {"format": "pdf", "pdf_standards": ["a-2b"]}
_PAGES: dict[str, Any] = {"format": "png", "ppi": 96.0}


def write_pdf(
    path: Path,
    values: Mapping[str, Any],
    folder: Path,
    cancel: CancelToken,
    report: Report,
) -> None:
    """Sets a document.

    Args:
        path: the file to write.
        values: the document.
        folder: to work in; its folder `pictures` holds the pictures that the document names.
        cancel: looked at while it is set.
        report: told that it is being set.

    Raises:
        BadInputError: the document cannot be set.
        ResourceError: the memory did not suffice.
        CancelledError: the user stopped.
    """
    _set(path, values, folder, _PDF, cancel, report)


def write_pages(
    values: Mapping[str, Any], folder: Path, cancel: CancelToken, report: Report
) -> list[Path]:
    """Sets a document as pictures of its pages, to be looked at; arguments as in `write_pdf`.

    Returns:
        The pages in order, in the folder.
    """
    # Typst puts the number of the page between the braces.
    _set(folder / "page-{0p}.png", values, folder, _PAGES, cancel, report)
    return sorted(folder.glob("page-*.png"))


def _set(
    path: Path,
    values: Mapping[str, Any],
    folder: Path,
    form: dict[str, Any],
    cancel: CancelToken,
    report: Report,
) -> None:
    (folder / "document.json").write_text(json.dumps(settable(values)), encoding="utf-8")
    shutil.copyfile(TEMPLATE, folder / TEMPLATE.name)
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_compile, args=(folder, path, form, there), daemon=True
    )
    process.start()
    there.close()
    try:
        report(Progress("typesetting", 0, 0, unit="pages"))
        while not here.poll(_LOOK_S):
            cancel.check()
        said = here.recv()
    except EOFError:
        raise ResourceError(
            "the report could not be set, its process ended", path, "close other programs"
        ) from None
    finally:
        if process.is_alive() and cancel.cancelled:
            process.kill()
        process.join()
        here.close()
    if said:
        raise BadInputError(f"the report cannot be set ({said})", path, "report it with the case")


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


def _compile(folder: Path, path: Path, form: dict[str, Any], answer: Connection) -> None:
    """Runs in the process of its own; says what failed, or nothing."""
    import typst

    try:
        typst.compile(
            str(folder / TEMPLATE.name),
            output=str(path),
            root=str(folder),
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            **form,
            package_path=str(folder / "none"),
            package_cache_path=str(folder / "none"),
        )
        answer.send("")
    except (typst.TypstError, OSError, RuntimeError, ValueError) as error:
        answer.send(" ".join(str(error).split())[:400])
    finally:
        answer.close()
