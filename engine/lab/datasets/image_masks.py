"""Ground truth as one black-and-white mask image beside each frame image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import Masks
from engine.lab.datasets.dataset_files import image_size, numbered_images, read_mask


@dataclass(frozen=True)
class ImageMasks:
    """Masks in a folder whose numbers are those of the frames in another folder.

    Frames and masks must match one to one: a frame without a mask would otherwise pass for a
    normal one.

    Attributes:
        name: the video, for messages.
        frame_folder: numbered frame images.
        mask_folder: numbered masks, white = abnormal.
    """

    name: str
    frame_folder: Path
    mask_folder: Path

    @cached_property
    def _paths(self) -> tuple[Path, ...]:
        frames, masks = numbered_images(self.frame_folder), numbered_images(self.mask_folder)
        for number in masks.keys() - frames.keys():
            raise BadInputError(
                "a mask without a frame", masks[number], f"complete {self.frame_folder}"
            )
        for number in frames.keys() - masks.keys():
            raise BadInputError(
                "a frame without a mask", frames[number], f"complete {self.mask_folder}"
            )
        return tuple(masks.values())

    @cached_property
    def frames(self) -> int:
        """Number of frames."""
        return len(self._paths)

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True where a mask has a white pixel."""
        return np.array([mask.any() for mask in self.masks(n_frames, None)], np.bool_)

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks:
        """Returns the masks, of the size of the first frame image."""
        paths = self._paths
        first_frame = next(iter(numbered_images(self.frame_folder).values()))
        return Masks(
            self.name, n_frames, image_size(first_frame), lambda frame: read_mask(paths[frame])
        )

    def tracks(self, n_frames: int) -> None:
        """Returns None: masks say nothing about identity."""
        return None
