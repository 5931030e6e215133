"""Indexes of files kept beside a case, so that evidence opens again without being read through."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import SightlineError
from engine.core.stream import FrameIndex
from engine.media.packets import PacketTable

_LOG = logging.getLogger(__name__)
_VERSION = 1
_MOST_FILES = 64
_MOST_BYTES = 64 << 20
_ARRAYS = ("pts", "keyframe", "duration")


class IndexCache:
    """Frame indexes in a folder, one file each; everything in it may be deleted.

    A file is found by the path, size and time of change of the evidence. What cannot be read, or
    does not fit together, counts as not there. The index read last stays in memory, so that threads
    which open the same file share one; it is locked for that.

    Args:
        folder: made when the first index is kept.
        read: whether kept indexes are used; False reads every file through and keeps its index.
    """

    def __init__(self, folder: Path, read: bool = True) -> None:
        self._folder = folder
        self._read = read
        self._lock = threading.Lock()
        self._last: tuple[Path, tuple[FrameIndex, PacketTable]] | None = None

    def has(self, path: Path, stream: int) -> bool:
        """Whether an index of a stream with times of its own is kept, without reading it."""
        file = self._file(path, stream, None)
        return self._read and file is not None and file.exists()

    def load(
        self, path: Path, stream: int, fps: Fraction | None
    ) -> tuple[FrameIndex, PacketTable] | None:
        """Returns the index of a video stream; None when it is not kept."""
        file = self._file(path, stream, fps)
        if not self._read or file is None:
            return None
        with self._lock:
            if self._last is None or self._last[0] != file:
                found = self._load(file)
                self._last = None if found is None else (file, found)
            return None if self._last is None else self._last[1]

    def _load(self, file: Path) -> tuple[FrameIndex, PacketTable] | None:
        try:
            if file.stat().st_size > _MOST_BYTES:
                return None
            head, _, blob = file.read_bytes().partition(b"\n")
            return _restored(json.loads(head), unpack_arrays(blob))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, SightlineError):
            _LOG.warning("the kept index %s is damaged and made again", file)
            return None

    def keep(
        self, path: Path, stream: int, fps: Fraction | None, index: FrameIndex, table: PacketTable
    ) -> None:
        """Keeps an index; the oldest ones give way. A folder that cannot be written keeps none."""
        file = self._file(path, stream, fps)
        if file is None:
            return
        values = asdict(index)
        arrays = {f"index_{name}": values.pop(name) for name in _ARRAYS}
        arrays |= {f"table_{one.name}": getattr(table, one.name) for one in fields(table)}
        values["time_base"] = str(index.time_base)
        part = file.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(json.dumps(values).encode() + b"\n" + pack_arrays(arrays))
            part.replace(file)
            kept = sorted(self._folder.glob("*.index"), key=lambda one: one.stat().st_mtime_ns)
            for old in kept[:-_MOST_FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _LOG.info("the index of %s is not kept: %s", path, error)

    def _file(self, path: Path, stream: int, fps: Fraction | None) -> Path | None:
        try:
            state = path.stat()
        except OSError:
            return None
        what = [_VERSION, str(path.absolute()), state.st_size, state.st_mtime_ns, stream, str(fps)]
        return self._folder / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]}.index"


def _restored(values: dict[str, Any], arrays: dict[str, Any]) -> tuple[FrameIndex, PacketTable]:
    """Returns index and table.

    Raises:
        ValueError: they do not fit together.
        KeyError, TypeError: something is missing or of another kind.
    """
    values["time_base"] = Fraction(values["time_base"])
    values["gaps"] = tuple((int(frame), float(missing)) for frame, missing in values["gaps"])
    index = FrameIndex(**values, **{name: arrays[f"index_{name}"] for name in _ARRAYS})
    table = PacketTable(**{one.name: arrays[f"table_{one.name}"] for one in fields(PacketTable)})
    frames, packets = len(index.pts), len(table.pts)
    entries = table.entry[table.entry >= 0]
    named = np.zeros(frames, np.bool_)
    named[entries[entries < frames]] = True
    sound = (
        frames > 0
        and values["time_base"] > 0
        and len(index.keyframe) == len(index.duration) == frames
        and all(len(getattr(table, one.name)) == packets for one in fields(table))
        and bool((np.diff(index.pts) > 0).all())
        and len(entries) == frames
        and bool(named.all())
    )
    if not sound:
        raise ValueError("the index does not fit together")
    return index, table
