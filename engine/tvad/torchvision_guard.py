"""Lets libraries import a torchvision whose compiled part does not fit this torch.

PyPI's torchvision beside a CPU build of torch lacks its two operators and then refuses to be
imported, and with it transformers' vision classes and peft. None of ours calls the operators;
declaring them is enough.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch

_declarations: list[Any] = []
"""What was declared, kept for as long as the process lives; None where nothing had to be."""


def guard_torchvision() -> None:
    """Declares `nms` and `qnms` when an installed torchvision cannot bring its own.

    Call it before anything imports transformers, peft or open_clip. Calling it again is free.
    """
    if _declarations:
        return
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _can_load_operators(Path(spec.origin).parent):
        _declarations.append(None)
        return
    library_class: Any = torch.library.Library
    library = library_class("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # The declarations live as long as this object.
    _declarations.append(library)


def _can_load_operators(folder: Path) -> bool:
    operators: Any = torch.ops
    for path in sorted(folder.glob("_C*")):
        try:
            operators.load_library(str(path))
        except (OSError, RuntimeError):
            continue
        return True
    return False
