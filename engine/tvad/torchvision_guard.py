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

_kept: list[Any] = []


def guard_torchvision() -> None:
    """Declares `nms` and `qnms` when an installed torchvision cannot bring its own.

    Call it before anything imports transformers, peft or open_clip. Calling it again is free.
    """
    if _kept:
        return
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _loads(Path(spec.origin).parent):
        _kept.append(None)
        return
    make: Any = torch.library.Library
    library = make("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # The declarations live as long as this object.
    _kept.append(library)


def _loads(folder: Path) -> bool:
    operators: Any = torch.ops
    for path in sorted(folder.glob("_C*")):
        try:
            operators.load_library(str(path))
        except (OSError, RuntimeError):
            continue
        return True
    return False
