"""Stores indexes of files beside a case, so that evidence opens again without a full reading."""

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
from engine.core.files import write_atomically
from engine.core.stream import FrameIndex
from engine.media.packets import PacketTable

_LOG = logging.getLogger(__name__)
_VERSION = 1  # Of the layout of a file: part of its name, so that other versions are not read.
_MAX_FILES = 64  # Indexes that stay, a choice; the oldest are deleted.
_MAX_BYTES = 64 << 20  # Of a file that is read, a choice: bounds what a damaged file may take.
_INDEX_ARRAYS = ("pts", "keyframe", "duration")
_TABLE_COLUMNS = tuple(column.name for column in fields(PacketTable))


class IndexCache:
    """Frame indexes in a folder, one file each; everything in it may be deleted.

    A file is named after the path, size and time of change of the evidence. A file that cannot be
    read, or whose arrays do not fit together, is ignored. The index read last stays in memory, so
    that threads which open the same evidence share one; a lock guards it.

    Args:
        folder: made when the first index is stored.
        read: whether stored indexes are used; False has every file read and stores its index.
    """

    def __init__(self, folder: Path, read: bool = True) -> None:
        self._folder = folder
        self._read = read
        self._lock = threading.Lock()
        self._last: tuple[Path, tuple[FrameIndex, PacketTable]] | None = None

    def has(self, path: Path, stream: int) -> bool:
        """Whether there is an index of a stream with times of its own, without reading it."""
        file = self._file(path, stream, None)
        return self._read and file is not None and file.exists()

    def load(
        self, path: Path, stream: int, fps: Fraction | None
    ) -> tuple[FrameIndex, PacketTable] | None:
        """Returns the index of a video stream; None when there is none."""
        file = self._file(path, stream, fps)
        if not self._read or file is None:
            return None
        with self._lock:
            if self._last is None or self._last[0] != file:
                index = self._load(file)
                self._last = None if index is None else (file, index)
            return None if self._last is None else self._last[1]

    def _load(self, file: Path) -> tuple[FrameIndex, PacketTable] | None:
        try:
            if file.stat().st_size > _MAX_BYTES:
                return None
            head, _, blob = file.read_bytes().partition(b"\n")
            return _restore(json.loads(head), unpack_arrays(blob))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, SightlineError):
            _LOG.warning("the kept index %s is damaged and made again", file)
            return None

    def store(
        self, path: Path, stream: int, fps: Fraction | None, index: FrameIndex, table: PacketTable
    ) -> None:
        """Stores an index and deletes the oldest ones; a folder that cannot be written is left."""
        file = self._file(path, stream, fps)
        if file is None:
            return
        values = asdict(index)
        arrays = {f"index_{name}": values.pop(name) for name in _INDEX_ARRAYS}
        arrays |= {f"table_{name}": getattr(table, name) for name in _TABLE_COLUMNS}
        values["time_base"] = str(index.time_base)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(file, json.dumps(values).encode() + b"\n" + pack_arrays(arrays))
            files = sorted(self._folder.glob("*.index"), key=lambda path: path.stat().st_mtime_ns)
            for old in files[:-_MAX_FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _LOG.info("the index of %s is not kept: %s", path, error)

    def _file(self, path: Path, stream: int, fps: Fraction | None) -> Path | None:
        try:
            state = path.stat()
        except OSError:
            return None
        key = [_VERSION, str(path.absolute()), state.st_size, state.st_mtime_ns, stream, str(fps)]
        return self._folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.index"


def _restore(values: dict[str, Any], arrays: dict[str, Any]) -> tuple[FrameIndex, PacketTable]:
    """Returns index and table.

    Raises:
        ValueError: they do not fit together.
        KeyError, TypeError: something is missing or of another kind.
    """
    values["time_base"] = Fraction(values["time_base"])
    values["gaps"] = tuple((int(frame), float(missing)) for frame, missing in values["gaps"])
    index = FrameIndex(**values, **{name: arrays[f"index_{name}"] for name in _INDEX_ARRAYS})
    table = PacketTable(**{name: arrays[f"table_{name}"] for name in _TABLE_COLUMNS})
    frames, packets = len(index.pts), len(table.pts)
    entries = table.entry[table.entry >= 0]
    has_packet = np.zeros(frames, np.bool_)
    has_packet[entries[entries < frames]] = True
    sound = (
        frames > 0
        and values["time_base"] > 0
        and len(index.keyframe) == len(index.duration) == frames
        and all(len(getattr(table, name)) == packets for name in _TABLE_COLUMNS)
        and bool((np.diff(index.pts) > 0).all())
        and len(entries) == frames
        and bool(has_packet.all())
    )
    if not sound:
        raise ValueError("the index does not fit together")
    return index, table
