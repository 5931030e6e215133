"""Opens a benchmark by name."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import BadInputError
from engine.lab.datasets.avenue import Avenue
from engine.lab.datasets.dataset import Dataset
from engine.lab.datasets.shanghaitech import ShanghaiTech
from engine.lab.datasets.ubnormal import UBnormal
from engine.lab.datasets.ucsd import Ucsd

NAMES = ("ped1", "ped2", "avenue", "shanghaitech", "ubnormal")


def open_dataset(name: str, root: Path) -> Dataset:
    """Opens a benchmark; its videos are listed and read only when asked for.

    Args:
        name: one of `NAMES`.
        root: the folder it lies in.

    Raises:
        BadInputError: the name is unknown, the folder is missing or has another layout.

    Example:
        >>> videos = open_dataset("ped2", Path("ped2")).videos("test")  # doctest: +SKIP
    """
    if name not in NAMES:
        raise BadInputError("unknown data set", name, f"choose one of: {', '.join(NAMES)}")
    if not root.is_dir():
        raise BadInputError("no such folder", root, "give the data set's folder with --root")
    if name == "avenue":
        return Avenue.open(root)
    if name == "shanghaitech":
        return ShanghaiTech.open(root)
    if name == "ubnormal":
        return UBnormal.open(root)
    return Ucsd.open(name, root)
