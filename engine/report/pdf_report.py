"""Writes a report as PDF/A-2b, or as images of its pages."""

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
    """Writes a document as PDF.

    Args:
        path: the file to write.
        values: the document.
        folder: a working folder; its folder `pictures` holds the images that the document names.
        cancel: is checked while Typst runs.
        progress: is called once before it runs.

    Raises:
        BadInputError: Typst refuses the document.
        ResourceError: the memory did not suffice.
        CancelledError: the user stopped.
    """
    typeset(path, TEMPLATE, values, folder, _PDF, cancel, progress)


def write_pages(
    values: Mapping[str, Any], folder: Path, cancel: CancelToken, progress: ProgressCallback
) -> list[Path]:
    """Writes the pages of a document as images for a preview; arguments as in `write_pdf`.

    Returns:
        The pages in order, in the folder.
    """
    # Typst replaces the braces by the number of the page.
    typeset(folder / "page-{0p}.png", TEMPLATE, values, folder, _PAGES, cancel, progress)
    return sorted(folder.glob("page-*.png"))
