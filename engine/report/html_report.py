"""Writes a report as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.resources import RESOURCES

TEMPLATES = RESOURCES / "reports"

_TYPES = {".jpg": "image/jpeg", ".svg": "image/svg+xml"}


def write_html(path: Path, values: Mapping[str, Any], folder: Path) -> None:
    """Writes a document as HTML.

    Every value is escaped. The content security policy of the page forbids everything but its
    images, which are embedded, and its one style sheet, which is named by its hash.

    Args:
        path: the file to write.
        values: the document.
        folder: its folder `pictures` holds the images that the document names.

    Raises:
        OSError: the file cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    def data_of(name: str) -> str:
        file = folder / "pictures" / name
        encoded = base64.b64encode(file.read_bytes()).decode()
        return f"data:{_TYPES[file.suffix]};base64,{encoded}"

    stream = pages.get_template("report.html.jinja").stream(
        d=values, style=style, style_sha256=digest, data_of=data_of
    )
    # Piece by piece: with hundreds of images the whole page would be in memory several times.
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for piece in stream:
            file.write(piece)
