"""The order of pixels and patches in Qwen2.5-VL, and the way back to rasters."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.tvad.backbones.window_pictures import OPENAI_DEVIATION, OPENAI_MEAN


@dataclass(frozen=True)
class PatchLayout:
    """How the vision encoder cuts a picture into patches.

    Attributes:
        patch: edge of a patch in pixels.
        merge: edge, in patches, of what becomes one token of the language model.
        temporal: frames in a patch.
        window: edge of an attention window in pixels.
    """

    patch: int
    merge: int
    temporal: int
    window: int

    @property
    def factor(self) -> int:
        """What width and height must be multiples of, in pixels."""
        return self.patch * self.merge

    def grid(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Returns slices, rows and columns of patches."""
        return frames // self.temporal, height // self.patch, width // self.patch


def to_patches(frames: torch.Tensor, layout: PatchLayout) -> torch.Tensor:
    """Cuts frames into normalised patches in the order that the vision encoder wants.

    Args:
        frames: uint8 [T, H, W, 3], RGB.
        layout: how the encoder cuts them.

    Returns:
        float32 [patches, 3 * temporal * patch * patch]; four neighbours that are merged later
        follow one another.
    """
    steps, rows, columns = layout.grid(frames.shape[0], frames.shape[1], frames.shape[2])
    merge, patch = layout.merge, layout.patch
    mean = torch.tensor(OPENAI_MEAN, device=frames.device)
    deviation = torch.tensor(OPENAI_DEVIATION, device=frames.device)
    pixels = (frames.float() / 255.0 - mean) / deviation
    cut = pixels.reshape(
        steps, layout.temporal, rows // merge, merge, patch, columns // merge, merge, patch, 3
    )
    # slice, row of units, column of units, row in it, column in it, channel, frame, y, x
    ordered = cut.permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
    return ordered.reshape(steps * rows * columns, -1)


def to_raster(
    hidden: torch.Tensor, window_index: torch.Tensor, grid: tuple[int, int, int], merge: int
) -> torch.Tensor:
    """Undoes the order of attention windows and of merge units.

    Args:
        hidden: [patches, C], as a block gives them.
        window_index: [units], the units in the order of attention windows, from the encoder.
        grid: slices, rows and columns of patches.
        merge: edge of a unit in patches.

    Returns:
        [T', C, rows, columns] in raster order.
    """
    steps, rows, columns = grid
    units = hidden.reshape(-1, merge * merge, hidden.shape[-1])
    units = units[torch.argsort(window_index.to(hidden.device))]
    patches = units.reshape(steps, rows // merge, columns // merge, merge, merge, -1)
    return patches.permute(0, 5, 1, 3, 2, 4).reshape(steps, -1, rows, columns)
