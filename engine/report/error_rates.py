"""Error rates of the channels, as `evaluate --rates` measured them on benchmarks (R11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError
from engine.core.resources import RESOURCES

RATES = RESOURCES / "reports" / "error_rates.json"
"""What is shipped; the command that made each figure stands in it."""


def known_rates(path: Path = RATES) -> tuple[dict[str, Any], ...]:
    """Returns the measurements, one for each channel and benchmark.

    Raises:
        BadInputError: the file of this installation cannot be read.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return tuple(dict(one) for one in said["rates"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            "the error rates of this installation cannot be read", path, "install it again"
        ) from error
