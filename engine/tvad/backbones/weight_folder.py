"""Folders of base weights that a user points at: looked through before any library reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError, ResourceError
from engine.packs.pack import check_weights

Shape = tuple[int, ...]

MAX_BLOCKS = 512
"""Blocks of a transformer that a configuration may ask for: the largest published have a quarter of
that, and a damaged one must not make the program build millions."""

# Bytes that are read of a configuration; published ones have a few thousand.
_MAX_CONFIG_BYTES = 1 << 20
# Characters of a library's message that still read well behind our own.
_MAX_MESSAGE = 200
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_NAME_IT = "name the folder as it was published, with its config and safetensors"


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Reads the configuration of a model.

    Args:
        folder: of the model.
        name: of the file in it.

    Raises:
        ResourceError: the folder or the file is missing.
        BadInputError: the file is no JSON object.
    """
    path = folder / name
    if not path.is_file():
        raise ResourceError(f"no {name} in the folder of a backbone", folder, _NAME_IT)
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MAX_CONFIG_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInputError(f"a configuration that is no JSON ({error})", path, _NAME_IT) from error
    if not isinstance(value, dict):
        raise BadInputError("a configuration that is no object", path, _NAME_IT)
    return value


def stored_shapes(folder: Path) -> dict[str, Shape]:
    """Returns name -> shape of every tensor in the safetensors files of a folder.

    Raises:
        BadInputError: there are none, only pickles, or one is damaged.
    """
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = any(path.suffix in _PICKLES for path in folder.iterdir())
        what = "only pickled weights, which are never loaded" if pickled else "no weights"
        raise BadInputError(f"{what} in the folder of a backbone", folder, _NAME_IT)
    shapes: dict[str, Shape] = {}
    for path in files:
        check_weights(path)
        try:
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118 (it is no mapping)
                    shapes[name] = tuple(file.get_slice(name).get_shape())
        except (OSError, SafetensorError) as error:
            raise BadInputError(
                f"damaged weights ({error})", path, "copy the file again"
            ) from error
    return shapes


def check_shapes(
    expected: Mapping[str, Shape],
    stored: Mapping[str, Shape],
    folder: Path,
    names: Callable[[str], tuple[str, ...]],
) -> None:
    """Makes sure that the weights are those of the model the configuration describes.

    Args:
        expected: name -> shape of each tensor of the model.
        stored: name -> shape of each tensor in the files.
        folder: of the files, for errors.
        names: returns the names under which a tensor may be stored.

    Raises:
        BadInputError: a tensor is missing or has another shape; the error names the first.
    """
    for name, shape in expected.items():
        actual = next((stored[alias] for alias in names(name) if alias in stored), None)
        if actual is None:
            what = f"a backbone folder without {name}, which its config asks for"
            raise BadInputError(what, folder, _NAME_IT)
        if actual != shape:
            what = f"a backbone folder whose {name} is {_size(actual)}, its config says"
            raise BadInputError(f"{what} {_size(shape)}", folder, _NAME_IT)


def four_depths(blocks: int, folder: Path) -> tuple[int, int, int, int]:
    """Returns the blocks whose outputs are the four depths, counted from 1: 1, 8, 16, 32 of 32.

    Raises:
        BadInputError: there are too few blocks for four depths.
    """
    depths = 1, round(blocks / 4), round(blocks / 2), blocks
    if len(set(depths)) < 4:
        raise BadInputError(
            f"a vision encoder of {blocks} blocks", folder, "use one of six or more"
        )
    return depths


def one_line(error: BaseException) -> str:
    """Returns the message of a library's error on one line, at most 200 characters."""
    text = re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 1] + "…"


def _size(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "one number"
