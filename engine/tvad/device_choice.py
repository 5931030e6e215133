"""The device on which torch computes: what a person may name, and what is there."""

from __future__ import annotations

import torch

from engine.core.errors import BadInputError, ResourceError

# Digits in the number of a GPU: a longer one is a typing error, and no machine has as many.
_MAX_DIGITS = 3


def choose_device(requested: str) -> str:
    """Returns the device of torch to use.

    Args:
        requested: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: it is no device.
        ResourceError: there is no such device here.
    """
    if requested == "cpu":
        return "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if requested == "auto":
        return "cuda:0" if count else "cpu"
    kind, _, number = requested.partition(":")
    if kind != "cuda" or not number.isdecimal() or len(number) > _MAX_DIGITS:
        raise BadInputError("no such device", requested, "use auto, cpu or cuda:N")
    if int(number) >= count:
        raise ResourceError(f"no GPU {number} here", f"{count} found", "use --device cpu")
    return requested
