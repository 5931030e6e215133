"""The data sets by name: a new one is a file of its own and a line here.

It implements `Dataset` (`dataset.py`); one that lacks masks of some videos is named below as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import BadInputError
from engine.core.registry import Registry

if TYPE_CHECKING:
    # Help texts need the names of the data sets only, without NumPy.
    from engine.lab.datasets.dataset import Dataset

DATASETS: Registry[Callable[[Path], Dataset]] = Registry(
    {
        "ped1": "engine.lab.datasets.ucsd:open_ped1",
        "ped2": "engine.lab.datasets.ucsd:open_ped2",
        "avenue": "engine.lab.datasets.avenue:open_avenue",
        "shanghaitech": "engine.lab.datasets.shanghaitech:open_shanghaitech",
        "ubnormal": "engine.lab.datasets.ubnormal:open_ubnormal",
    }
)
"""Each entry opens its data set in a folder, or refuses a folder of another layout."""

_WITHOUT_FULL_MASKS = frozenset({"ped1"})
"""Data sets in which some videos lack masks, so that dialogues cannot be built from them."""

MASKED_DATASETS = tuple(
    name for name in reversed(list(DATASETS)) if name not in _WITHOUT_FULL_MASKS
)
"""Names of the data sets with masks for every video."""


def open_dataset(name: str, root: Path) -> Dataset:
    """Opens a benchmark; its videos are listed and read only when asked for.

    Args:
        name: one of `DATASETS`.
        root: the folder it lies in.

    Raises:
        BadInputError: the name is unknown, the folder is missing or has another layout.

    Example:
        >>> videos = open_dataset("ped2", Path("ped2")).videos("test")  # doctest: +SKIP
    """
    if name not in DATASETS:
        raise BadInputError("unknown data set", name, f"choose one of: {', '.join(DATASETS)}")
    if not root.is_dir():
        raise BadInputError("no such folder", root, "give the data set's folder with --root")
    return DATASETS[name](root)
