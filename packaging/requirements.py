"""Prints the requirements in `pyproject.toml`, one a line, with the extras named as arguments.

pip can install them only together with the project, which is not wanted: Sightline runs from its
folder, so that there is never a second, older copy of it in the virtual environment.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """Returns the requirements of the project and of some of its extras.

    Raises:
        KeyError: an extra that `pyproject.toml` does not name.
    """
    with pyproject.open("rb") as stream:
        project = tomllib.load(stream)["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return lines


if __name__ == "__main__":
    print("\n".join(requirements(Path("pyproject.toml"), sys.argv[1:])))
