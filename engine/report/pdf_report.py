"""A report as PDF/A-2b, or as pictures of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.progress import CancelToken, ProgressCallback
from engine.core.resources import RESOURCES
from engine.export.typesetting import typeset

TEMPLATE = RESOURCES / "reports" / "report.typ"

_PDF: Mapping[str, Any] = {"format": "pdf", "pdf_standards": ["a-2b"]}
_PAGES: Mapping[str, Any] = {"format": "png", "ppi": 96.0}


def write_pdf(
    path: Path,
    values: Mapping[str, Any],
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Sets a document.

    Args:
        path: the file to write.
        values: the document.
        folder: to work in; its folder `pictures` holds the pictures that the document names.
        cancel: looked at while it is set.
        progress: told that it is being set.

    Raises:
        BadInputError: the document cannot be set.
        ResourceError: the memory did not suffice.
        CancelledError: the user stopped.
    """
    typeset(path, TEMPLATE, values, folder, _PDF, cancel, progress)


def write_pages(
    values: Mapping[str, Any], folder: Path, cancel: CancelToken, progress: ProgressCallback
) -> list[Path]:
    """Sets a document as pictures of its pages, to be looked at; arguments as in `write_pdf`.

    Returns:
        The pages in order, in the folder.
    """
    # Typst puts the number of the page between the braces.
    typeset(folder / "page-{0p}.png", TEMPLATE, values, folder, _PAGES, cancel, progress)
    return sorted(folder.glob("page-*.png"))
