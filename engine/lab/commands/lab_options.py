"""Options that several commands of the laboratory have, and what is done with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import BadInputError

DatasetRoot = Annotated[Path, typer.Option("--root", metavar="DIR", help="The data set's folder.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Of everything drawn.")]
Threads = Annotated[
    int, typer.Option("--threads", metavar="N", help="Of the processor, while training.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where a training was stopped.")]
RuntimeName = Annotated[
    str, typer.Option("--runtime", metavar="NAME", help="auto, transformers or llama.cpp.")
]
SplitName = Annotated[
    str, typer.Option("--split", metavar="NAME", help="train, validation or test.")
]


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Refuses a number outside its range.

    Raises:
        BadInputError: it lies outside; both ends belong to the range.
    """
    if not low <= value <= high:
        raise BadInputError(f"{option} out of range", value, f"use {low} to {high}")


def command_without_paths() -> str:
    """Returns the command line for a pack: of absolute paths, which are private, only the name."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return " ".join(["main.py", *words])
