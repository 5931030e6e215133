"""How often a channel is wrong at the score at which an event starts, and a file of such rates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError
from engine.core.files import reason_of, write_atomically

_KEY = ("channel", "dataset", "split", "calibrate")


def error_rates(
    labels: Sequence[NDArray[np.bool_]], scores: Sequence[NDArray[np.floating]], threshold: float
) -> dict[str, Any]:
    """Counts wrong frames at a threshold.

    Args:
        labels: a bool [n] a video, True = abnormal.
        scores: a float [n] a video, 0..1.
        threshold: a frame with at least this score counts as standing out.

    Returns:
        `threshold`, `false_alarm_rate` (share of normal frames that stand out), `miss_rate` (share
        of abnormal frames that do not); a rate is None where there is no such frame.
    """
    truth = np.concatenate([np.zeros(0, np.bool_), *labels])
    hot = np.concatenate([np.zeros(0, np.float32), *scores]) >= threshold
    return {
        "threshold": threshold,
        "false_alarm_rate": _share(hot[~truth]),
        "miss_rate": _share(~hot[truth]),
    }


def store_rates(path: Path, new: Mapping[str, Any]) -> None:
    """Puts a measurement into a file of error rates, in place of one of the same kind.

    Args:
        path: a JSON file; made when missing.
        new: the measurement; `channel`, `dataset`, `split` and `calibrate` say which it is.

    Raises:
        BadInputError: there is another kind of file.
        ResourceError: the file cannot be written.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["rates"] if path.exists() else []
        others = [rate for rate in stored if any(rate[field] != new[field] for field in _KEY)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError("not a file of error rates", path, "name another file") from error
    rates = sorted([*others, dict(new)], key=lambda rate: [rate[field] for field in _KEY])
    text = json.dumps({"rates": rates}, indent=1, allow_nan=False)
    try:
        write_atomically(path, f"{text}\n".encode())
    except OSError as error:
        raise ResourceError(
            f"cannot be written ({reason_of(error)})", path, "name another file"
        ) from error


def _share(flags: NDArray[np.bool_]) -> float | None:
    return round(float(flags.mean()), 6) if flags.size else None
