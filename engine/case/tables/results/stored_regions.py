"""Regions as rows and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.case.store import row_fields as fields
from engine.case.store.database import Row, Value
from engine.core.findings import Region
from engine.core.geometry import Box

COLUMNS = (
    "run_id", "frame", "pts", "x", "y", "w", "h", "score", "trajectory", "mask_rows",
    "mask_columns", "mask",
)  # fmt: skip
"""Columns of the table `region` in the order of `to_rows`."""


@dataclass(frozen=True)
class RegionRow:
    """A stored region."""

    id: int
    run_id: int
    region: Region


def to_rows(run_id: int, regions: Sequence[Region]) -> Iterator[list[Value]]:
    """Yields the rows of regions; masks as bits, row by row."""
    for region in regions:
        box = region.box
        rows, columns = region.mask.shape
        yield [
            run_id, int(region.frame), int(region.pts),
            int(box.x), int(box.y), int(box.w), int(box.h), fields.to_real(region.score),
            None if region.trajectory is None else int(region.trajectory),
            int(rows), int(columns),
            np.packbits(np.ascontiguousarray(region.mask, bool)).tobytes(),
        ]  # fmt: skip


def read_row(row: Row) -> RegionRow:
    """Restores a region; raises ValueError when its mask is damaged."""
    rows, columns = fields.integer(row, "mask_rows"), fields.integer(row, "mask_columns")
    packed = np.frombuffer(fields.blob(row, "mask"), np.uint8)
    if min(rows, columns) < 0 or -(-rows * columns // 8) != len(packed):
        raise ValueError("a mask of another size")
    mask = np.unpackbits(packed, count=rows * columns).astype(bool).reshape(rows, columns)
    region = Region(
        frame=fields.integer(row, "frame"),
        pts=fields.integer(row, "pts"),
        box=Box(*(fields.integer(row, name) for name in "xywh")),
        score=fields.real(row, "score"),
        mask=mask,
        trajectory=fields.integer_or_none(row, "trajectory"),
    )
    return RegionRow(fields.integer(row, "id"), fields.integer(row, "run_id"), region)
