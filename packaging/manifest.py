"""Writes the manifest of a built application: version, commit and the hash of every other file.

    PYTHONPATH=. python packaging/manifest.py dist/sightline

`sightline selftest` compares the application with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from engine.core.build import MANIFEST
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
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one != manifest)
    said = {
        "format": 1,
        "version": VERSION,
        "commit": commit,
        "files": {one.relative_to(folder).as_posix(): hash_file(one)["sha256"] for one in files},
    }
    manifest.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return manifest


def built_commit(root: Path) -> str:
    """Names the commit of the sources; `-changed` follows when they are not those of the commit.

    Raises:
        subprocess.CalledProcessError: the folder is no working tree of git.
    """

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "HEAD") + ("-changed" if changed else "")


if __name__ == "__main__":
    try:
        print(f"manifest: {write_manifest(Path(sys.argv[1]), built_commit(ROOT))}")
    except (subprocess.CalledProcessError, FileNotFoundError):
        sys.exit(f"error: no commit to name, {ROOT}, build from a clone made with git")
