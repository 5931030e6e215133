"""The build of an application: the manifest that lies among its files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import BadInputError
from engine.core.resources import ROOT

MANIFEST = "manifest.json"
"""Name of the manifest, which lies beside `resources/` in a built application."""


@dataclass(frozen=True)
class Build:
    """A built application.

    Attributes:
        version: of Sightline.
        commit: full name of the commit it was built from; ends in `-changed` when the sources
            were not those of the commit.
        folder: the folder of the application.
        files: SHA-256 of every file but the manifest, by path inside the folder.
    """

    version: str
    commit: str
    folder: Path
    files: Mapping[str, str]


def is_built() -> bool:
    """Returns whether this is a built application, and not the sources run by Python."""
    return bool(getattr(sys, "frozen", False))


def program() -> str:
    """Returns how a command line begins: `sightline`, or `main.py` when run from its sources."""
    return "sightline" if is_built() else "main.py"


def this_build() -> Build | None:
    """Returns the build of this application; None when it runs from its sources.

    Raises:
        BadInputError: the manifest of a built application is missing or damaged.
    """
    return read_build(ROOT / MANIFEST, Path(sys.executable).parent) if is_built() else None


def read_build(manifest: Path, folder: Path) -> Build:
    """Reads the manifest of the application in a folder.

    Raises:
        BadInputError: it is missing or damaged.
    """
    try:
        values = json.loads(manifest.read_text("utf-8"))
        files = {str(name): str(sha256) for name, sha256 in values["files"].items()}
        return Build(str(values["version"]), str(values["commit"]), folder, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"the manifest of the program cannot be read ({error})", manifest, "install again"
        ) from error
