"""Writes the manifest of a built application: version, commit and the hash of every other file.

    PYTHONPATH=. python packaging/manifest.py dist/sightline
    PYTHONPATH=. python packaging/manifest.py --compare dist/sightline OTHER/sightline

`sightline selftest` compares the application with it. The second compares two builds by theirs; the
exit code is 1 when they differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.core.build import MANIFEST, Build, read_build
from engine.core.errors import BadInputError
from engine.core.version import VERSION
from engine.media import hash_file

ROOT = Path(__file__).resolve().parent.parent


def write_manifest(folder: Path, commit: str) -> Path:
    """Writes the manifest of the application in a folder.

    Args:
        folder: with the executable and `_internal/`.
        commit: full name of the commit it was built from.

    Returns:
        The file.

    Raises:
        MediaError: a file cannot be read.
    """
    manifest = folder / "_internal" / MANIFEST
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != manifest)
    values = {
        "format": 1,
        "version": VERSION,
        "commit": commit,
        "files": {path.relative_to(folder).as_posix(): hash_file(path)["sha256"] for path in files},
    }
    manifest.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return manifest


def built_commit(root: Path) -> str:
    """Returns the commit of the sources; `-changed` follows when they are not those of the commit.

    Raises:
        subprocess.CalledProcessError: the folder is no working tree of git.
    """

    def git(*words: str) -> str:
        result = subprocess.run(
            ["git", "-C", str(root), *words], check=True, capture_output=True, text=True
        )
        return result.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "HEAD") + ("-changed" if changed else "")


def compare_builds(first: Build, second: Build) -> Iterator[str]:
    """Yields a line for the commits, if they differ, and one for each file that does."""
    if (first.version, first.commit) != (second.version, second.commit):
        yield f"{first.version} {first.commit} is not {second.version} {second.commit}"
    for name in sorted(first.files.keys() | second.files.keys()):
        if name not in first.files or name not in second.files:
            yield f"{name} is only in {(first if name in first.files else second).folder}"
        elif first.files[name] != second.files[name]:
            yield f"{name} differs"


def main(words: list[str]) -> int:
    """Writes a manifest, or compares two; returns the exit code."""
    if words[0] == "--compare":
        first, second = (
            read_build(Path(word) / "_internal" / MANIFEST, Path(word)) for word in words[1:3]
        )
        lines = list(compare_builds(first, second))
        print("\n".join([*lines, f"{len(lines)} differences in {len(first.files):,} files"]))
        return 1 if lines else 0
    print(f"manifest: {write_manifest(Path(words[0]), built_commit(ROOT))}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BadInputError as error:
        sys.exit(f"error: {error.line()}")
    except (subprocess.CalledProcessError, FileNotFoundError):
        sys.exit(f"error: no commit to name, {ROOT}, build from a clone made with git")
