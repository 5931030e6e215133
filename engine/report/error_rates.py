"""Reads the error rates of the channels that `evaluate --rates` measured on benchmarks (R11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError
from engine.core.resources import RESOURCES

RATES = RESOURCES / "reports" / "error_rates.json"
"""The shipped file; it names the command that measured each figure."""


def known_rates(path: Path = RATES) -> tuple[dict[str, Any], ...]:
    """Returns the error rates, one record for each channel and benchmark.

    Raises:
        BadInputError: the file of this installation cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return tuple(dict(rate) for rate in values["rates"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            "the error rates of this installation cannot be read", path, "install it again"
        ) from error
