"""Naming a lack of memory on a device, whichever way torch reports it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from engine.core.errors import ResourceError

# Parts of torch's messages that mean it, where the type of the error does not say so.
_SIGNS = ("can't allocate memory", "out of memory", "not enough memory", "alloc_cpu")


@contextlib.contextmanager
def named_shortage(what: str, device: str) -> Iterator[None]:
    """Turns a lack of memory inside it into an error that says what the memory was for.

    Args:
        what: what the memory was for, as `a picture of 640x480`.
        device: of torch.

    Raises:
        ResourceError: the device has no memory for it.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        short = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not short and not any(sign in str(error).lower() for sign in _SIGNS):
            raise
        remedy = "close other programs or use --device cpu"
        raise ResourceError(f"no memory for {what}", device, remedy) from error
