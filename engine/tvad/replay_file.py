"""A pack's sample of rendered traits as a file: a byte a number, one scale a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

REPLAY = "replay.safetensors"
"""Name of the file inside a pack."""

MOST_BYTES = 20 << 20
"""Bytes that it may take."""


def replay_bytes(traits: NDArray[np.float32], group: NDArray[np.uint8]) -> bytes:
    """Packs a sample: traits float32 [n, M] and their groups uint8 [n].

    Raises:
        BadInputError: it is larger than a pack may carry.
    """
    from safetensors.numpy import save

    if traits.size > MOST_BYTES:
        raise BadInputError("a replayed sample beyond 20 MB", len(traits), "take fewer cells")
    scale = np.maximum(np.abs(traits).max(0), np.float32(1e-6)) / np.float32(127)
    whole = np.round(traits / scale).astype(np.int8)
    return bytes(save({"group": group, "scale": scale.astype(np.float32), "traits": whole}))


def load_replay(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Loads a sample: traits float32 [n, M] and groups uint8 [n].

    Raises:
        BadInputError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
        whole, scale, group = found["traits"], found["scale"], found["group"]
        if whole.ndim != 2 or scale.shape != whole.shape[1:] or group.shape != whole.shape[:1]:
            raise ValueError("the shapes do not fit each other")
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BadInputError(
            f"a replayed sample that cannot be read ({str(error)[:80]})", path, "restore the pack"
        ) from error
    return whole.astype(np.float32) * scale, np.asarray(group, np.uint8)
