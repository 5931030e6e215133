"""Reads and writes rows of numbers in text files, as benchmarks store tracks and regions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

_MAX_VALUE = 2.0**53  # Up to here every whole number is exact in a float64.


def read_rows(path: Path, columns: tuple[str, ...], whole: int) -> NDArray[np.float64]:
    """Reads rows of comma- or space-separated numbers; blank lines are skipped.

    Args:
        path: the text file; it may be empty.
        columns: the names of the columns, which give the length of a row and stand in errors.
        whole: number of leading columns that must be whole numbers (`2.000000e+00` is one).

    Returns:
        float64 [rows, columns], in the order of the file.

    Raises:
        BadInputError: the file cannot be read, or a line is not such a row (its number is named).
    """
    rows: list[list[float]] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    rows.append(_parse(line, f"{path} line {number}", columns, whole))
    except UnicodeDecodeError:
        raise BadInputError("not a text file", path, _remedy(columns)) from None
    except OSError as error:
        raise BadInputError(
            f"cannot be read ({error.strerror})", path, "check the path and its permissions"
        ) from None
    return np.array(rows, np.float64).reshape(-1, len(columns))


def _parse(line: str, where: str, columns: tuple[str, ...], whole: int) -> list[float]:
    fields = line.replace(",", " ").split()
    if len(fields) != len(columns):
        raise BadInputError(
            f"a row has {len(fields)} numbers instead of {len(columns)}", where, _remedy(columns)
        )
    values = []
    for name, field in zip(columns, fields, strict=True):
        try:
            value = float(field)
        except ValueError:
            value = math.nan
        if not abs(value) <= _MAX_VALUE:
            raise BadInputError(f"{name} is not a number", where, _remedy(columns))
        values.append(value)
    for name, value in zip(columns[:whole], values, strict=False):
        if value != int(value) or value < 0:
            raise BadInputError(
                f"{name} is {value:g}, not a whole number from 0", where, _remedy(columns)
            )
    return values


def _remedy(columns: tuple[str, ...]) -> str:
    return f"write rows as {','.join(columns)}"


def check_boxes(boxes: NDArray[np.float64], where: object) -> None:
    """Raises an error for boxes whose corners are swapped.

    Args:
        boxes: float64 [n, 4], inclusive corners x_min, y_min, x_max, y_max in pixels.
        where: the file or video, for the message.

    Raises:
        BadInputError: x_max < x_min or y_max < y_min somewhere; the row is named.
    """
    swapped = np.flatnonzero((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if swapped.size:
        raise BadInputError(
            f"box {swapped[0] + 1} ends before it starts",
            where,
            "write x_min,y_min,x_max,y_max with inclusive corners",
        )


def write_rows(path: Path, *parts: NDArray[np.int64] | NDArray[np.float64]) -> None:
    """Writes columns side by side as comma-separated rows, so that reading gives the same numbers.

    Args:
        path: the file to write; an existing one is replaced.
        parts: arrays [rows, any], put side by side in this order.

    Raises:
        BadInputError: the file cannot be written.
    """
    lines = []
    for row in zip(*(part.tolist() for part in parts), strict=True):
        lines.append(",".join(_text(value) for part in row for value in part) + "\n")
    try:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInputError(
            f"cannot be written ({error.strerror})", path, "choose a folder you may write to"
        ) from None


def _text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
