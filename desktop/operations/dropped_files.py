"""Which files are meant when files and folders are dropped, and in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.case import is_case
from engine.case.store.database import DATABASE
from engine.core.errors import MediaError

VIDEOS = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".divx", ".ts", ".m2ts", ".mts", ".mpg",
    ".mpeg", ".vob", ".wmv", ".asf", ".flv", ".3gp", ".dv", ".dav", ".h264", ".264", ".h265",
    ".265", ".hevc", ".mjpg", ".mjpeg",
})  # fmt: skip
"""Endings by which videos in a dropped folder are known; a dropped file needs none of them."""


def in_time_order(paths: Sequence[Path]) -> list[Path]:
    """Sorts a recorder's files as people read their names: numbers by value, not by digit."""

    def key(path: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", path.name.casefold())
        return [(0, int(one), "") if one.isdigit() else (1, 0, one) for one in parts if one]

    return sorted(paths, key=key)


def meant(paths: Sequence[Path]) -> list[Path]:
    """Returns the evidence and cases that paths stand for.

    The database of a case stands for the case, because a file manager opens files. A folder of
    images is one piece of evidence. A folder without images stands for the videos in it, in time
    order; one with neither stays, so that it is refused by name.

    Args:
        paths: files and folders as they were dropped or chosen.
    """
    found: list[Path] = []
    for path in paths:
        found += _videos(path) or [_case_of(path)]
    return found


def _case_of(path: Path) -> Path:
    """Returns the case whose database a path is; otherwise the path."""
    return path.parent if path.name == DATABASE and is_case(path.parent) else path


def _videos(path: Path) -> list[Path]:
    from engine.media.image_folder import image_files

    try:
        if not path.is_dir() or is_case(path):
            return []
        image_files(path)
    except MediaError:
        pass
    except OSError:
        return []
    else:
        return []
    try:
        inside = [one for one in path.iterdir() if one.suffix.lower() in VIDEOS]
        return in_time_order([one for one in inside if one.name[0] != "." and one.is_file()])
    except OSError:
        return []
