"""Evidence and cases among dropped files and folders, and their order."""

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
"""Endings by which videos in a dropped folder are recognised; a dropped file needs none."""


def in_time_order(paths: Sequence[Path]) -> list[Path]:
    """Sorts a recorder's files as people read their names: numbers by value, not by digit."""

    def key(path: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", path.name.casefold())
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]

    return sorted(paths, key=key)


def resolve_dropped(paths: Sequence[Path]) -> list[Path]:
    """Returns the evidence and the cases that dropped paths stand for.

    The database of a case stands for the case, because a file manager opens files. A folder of
    images is one piece of evidence. A folder without images stands for the videos in it, in time
    order; one with neither stays, so that it is refused by name.

    Args:
        paths: files and folders as they were dropped or chosen.
    """
    resolved: list[Path] = []
    for path in paths:
        resolved += _videos(path) or [_case_of(path)]
    return resolved


def _case_of(path: Path) -> Path:
    """Returns the case if the path is its database; otherwise the path itself."""
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
        videos = [file for file in path.iterdir() if file.suffix.lower() in VIDEOS]
        return in_time_order([file for file in videos if file.name[0] != "." and file.is_file()])
    except OSError:
        return []
