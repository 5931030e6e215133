"""The analysis picture and its grid of cells, and how they lie on decoded pixels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.geometry import Box


@dataclass(frozen=True)
class Grid:
    """The size of the analysis picture and the cells that are laid over it.

    Attributes:
        width: width of the analysis picture, a multiple of `cell`.
        height: height of the analysis picture, a multiple of `cell`.
        cell: edge of a cell in analysis pixels.
        source_width: decoded width in pixels.
        source_height: decoded height in pixels.
    """

    width: int
    height: int
    cell: int
    source_width: int
    source_height: int

    @classmethod
    def fit(cls, source_width: int, source_height: int, area: int, cell: int) -> Grid:
        """Chooses the largest analysis picture of at most `area` pixels, never upscaled."""
        scale = min(1.0, (area / (source_width * source_height)) ** 0.5)
        width = max(cell, int(source_width * scale) // cell * cell)
        height = max(cell, int(source_height * scale) // cell * cell)
        return cls(width, height, cell, source_width, source_height)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the analysis picture."""
        return self.width, self.height

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return self.height // self.cell

    @property
    def columns(self) -> int:
        """Columns of cells."""
        return self.width // self.cell

    @property
    def scale_x(self) -> float:
        """Decoded pixels per cell, horizontally."""
        return self.source_width / self.columns

    @property
    def scale_y(self) -> float:
        """Decoded pixels per cell, vertically."""
        return self.source_height / self.rows

    def box(self, row_min: int, column_min: int, row_max: int, column_max: int) -> Box:
        """Turns inclusive cell corners into a box of decoded pixels."""
        return Box.from_corners(
            int(column_min * self.scale_x),
            int(row_min * self.scale_y),
            min(self.source_width, round((column_max + 1) * self.scale_x)) - 1,
            min(self.source_height, round((row_max + 1) * self.scale_y)) - 1,
        )
