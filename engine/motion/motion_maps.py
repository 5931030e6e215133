"""Raw motion maps: what a chunk stores, from which every score can be derived again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError

SPEED_UNIT = 0.5
"""Pixels of the analysis picture a second in one step of the stored velocities."""


@dataclass(frozen=True, eq=False)
class MotionMaps:
    """Motion of consecutive analysed frames over a grid of cells.

    Attributes:
        foreground: uint8 [n, R, C], foreground pixels in the cell, 0..cell².
        vx: int16 [n, R, C], mean velocity of the foreground to the right, `SPEED_UNIT` px/s.
        vy: int16 [n, R, C], mean velocity of the foreground downwards, likewise.
        camera: float32 [n, 2], motion of the whole picture, px/s; zero for a still camera.
        lighting_change: bool [n], frames in which the light changed at once; their foreground is
            not trusted.
        background: uint8 [H/4, W/4], the chunk's own median, for abandoned and removed objects.
    """

    foreground: NDArray[np.uint8]
    vx: NDArray[np.int16]
    vy: NDArray[np.int16]
    camera: NDArray[np.float32]
    lighting_change: NDArray[np.bool_]
    background: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.foreground)

    def encode(self) -> bytes:
        """Packs the maps into a compressed blob; equal maps give equal bytes.

        Velocities are stored only where there is foreground: a third of the plain arrays' size.
        """
        present = self.foreground > 0
        # A second axis, because arrays of one are stored as differences, which noise inflates.
        return pack_arrays(
            {
                "shape": np.array(self.foreground.shape, np.int32),
                "present": np.packbits(present),
                "foreground": self.foreground[present][:, None],
                "vx": self.vx[present][:, None],
                "vy": self.vy[present][:, None],
                "camera": self.camera,
                "unsteady": self.lighting_change,
                "background": self.background,
            },
            level=6,
        )

    @classmethod
    def decode(cls, blob: bytes) -> MotionMaps:
        """Unpacks what `encode` wrote.

        Raises:
            BadInputError: the blob is damaged.
        """
        arrays = unpack_arrays(blob)
        try:
            return cls._from_arrays(arrays)
        except (KeyError, ValueError) as error:
            raise BadInputError(
                "stored motion maps are damaged", str(error), "verify the case"
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> MotionMaps:
        frames, rows, columns = (int(side) for side in arrays["shape"])
        size, packed = (frames, rows, columns), arrays["present"]
        # Checked first, because NumPy would make up missing bits, however many.
        if min(size) < 0 or len(packed) != -(-math.prod(size) // 8):
            raise ValueError("the shape does not fit")
        bits = np.unpackbits(packed, count=math.prod(size))
        present = bits.astype(np.bool_).reshape(size)
        maps = cls(
            _fill_cells(arrays["foreground"], present),
            _fill_cells(arrays["vx"], present),
            _fill_cells(arrays["vy"], present),
            arrays["camera"],
            arrays["unsteady"],
            arrays["background"],
        )
        if maps.camera.shape != (frames, 2) or maps.lighting_change.shape != (frames,):
            raise ValueError("the number of frames does not fit")
        if maps.background.ndim != 2:
            raise ValueError("the background is no picture")
        return maps

    def part(self, start: int, stop: int) -> MotionMaps:
        """Returns the maps of frames start..stop-1 (views, not copies)."""
        return MotionMaps(
            self.foreground[start:stop],
            self.vx[start:stop],
            self.vy[start:stop],
            self.camera[start:stop],
            self.lighting_change[start:stop],
            self.background,
        )


def _fill_cells(values: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
    """Puts values [k, 1] into the cells where `present`, zeros elsewhere."""
    if values.shape != (np.count_nonzero(present), 1):
        raise ValueError("the number of cells does not fit")
    full = np.zeros(present.shape, values.dtype)
    full[present] = values[:, 0]
    return full
