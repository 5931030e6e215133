"""A pack's sample of rendered cell features as a file: a byte a number, one scale a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

REPLAY = "replay.safetensors"
"""Name of the file inside a pack."""

_MAX_BYTES = 20 << 20
"""Bytes of cell features that a pack may carry; a choice that keeps them small beside its base
weights."""

_STEPS = np.float32(127)  # of a number to either side of zero: what fits a signed byte
_MIN_SCALE = np.float32(1e-6)  # keeps a column that is zero everywhere from dividing by zero


def replay_bytes(cell_features: NDArray[np.float32], group: NDArray[np.uint8]) -> bytes:
    """Packs a sample: cell features float32 [n, M] and their groups uint8 [n].

    Raises:
        BadInputError: it is larger than a pack may carry.
    """
    from safetensors.numpy import save

    if cell_features.size > _MAX_BYTES:
        what = "a replayed sample beyond 20 MB"
        raise BadInputError(what, len(cell_features), "take fewer cells")
    scale = np.maximum(np.abs(cell_features).max(0), _MIN_SCALE) / _STEPS
    whole = np.round(cell_features / scale).astype(np.int8)
    return bytes(save({"group": group, "scale": scale.astype(np.float32), "traits": whole}))


def load_replay(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Loads a sample: cell features float32 [n, M] and groups uint8 [n].

    Raises:
        BadInputError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
        whole, scale, group = (tensors[name] for name in ("traits", "scale", "group"))
        if whole.ndim != 2 or scale.shape != whole.shape[1:] or group.shape != whole.shape[:1]:
            raise ValueError("the shapes do not fit each other")
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BadInputError(
            f"a replayed sample that cannot be read ({str(error)[:80]})", path, "restore the pack"
        ) from error
    return whole.astype(np.float32) * scale, np.asarray(group, np.uint8)
