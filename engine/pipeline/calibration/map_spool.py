"""Raw maps in a temporary file, so that measured footage can be gone through again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from engine.core.files import Closing
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.text.text_maps import TextMaps
from engine.motion.motion_maps import MotionMaps


class MapSpool(Closing):
    """Raw maps of one piece of footage on disk, compressed, in the order they were added."""

    def __init__(self) -> None:
        """Opens a file without a name in the system's temporary folder."""
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        self._entries: list[tuple[int, int, NDArray[np.float64]]] = []
        self._texts: list[bytes] = []

    def add(
        self, maps: MotionMaps, seconds: NDArray[np.float64], text: TextMaps | None = None
    ) -> None:
        """Adds a block: its maps, stream times float64 [n] and maps of the text channel."""
        blob = maps.encode()
        if text is not None:
            self._texts.append(text.encode())
        self._file.seek(0, 2)
        self._entries.append((self._file.tell(), len(blob), seconds))
        self._file.write(blob)

    def blocks(self) -> Iterator[MotionBlock]:
        """Yields the blocks in order."""
        for offset, size, seconds in self._entries:
            self._file.seek(offset)
            yield MotionMaps.decode(self._file.read(size)), seconds

    def texts(self) -> Iterator[TextMaps]:
        """Yields the maps of the text channel, block by block; nothing without that channel."""
        yield from map(TextMaps.decode, self._texts)

    def close(self) -> None:
        """Removes the file."""
        self._file.close()
