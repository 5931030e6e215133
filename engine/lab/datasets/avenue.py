"""CUHK Avenue: AVI videos with pixel ground truth in MATLAB files.

Source: C. Lu, J. Shi, J. Jia, "Abnormal Event Detection at 150 FPS in MATLAB", ICCV 2013.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import Masks, NormalAnnotation, Video, check_split
from engine.lab.datasets.dataset_files import list_entries
from engine.lab.datasets.matfile import read_cells

_VIDEOS = frozenset({".avi", ".mp4"})


@dataclass(frozen=True)
class VolLabel:
    """The `volLabel` of one video: a mask for each frame, read from the file whenever it is needed.

    Attributes:
        name: the video, for messages.
        path: the `.mat` file.
    """

    name: str
    path: Path

    def _load(self) -> list[NDArray[np.generic]]:
        masks = read_cells(self.path, "volLabel")
        if not masks:
            raise BadInputError(
                "volLabel has no masks", self.path, "restore this file from the data set"
            )
        return masks

    @cached_property
    def frames(self) -> int:
        """Number of masks."""
        return len(self._load())

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True where a mask has a pixel that is not 0."""
        return np.array([mask.any() for mask in self._load()], np.bool_)

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks:
        """Returns the masks."""
        loaded = self._load()
        height, width = loaded[0].shape
        return Masks(self.name, n_frames, (width, height), lambda frame: loaded[frame] != 0)

    def tracks(self, n_frames: int) -> None:
        """Returns None: masks say nothing about identity."""
        return None


@dataclass(frozen=True)
class Avenue:
    """CUHK Avenue.

    Attributes:
        root: holds `training_videos`, `testing_videos` and `ground_truth_demo`.
    """

    root: Path

    @property
    def name(self) -> str:
        """The name `avenue`."""
        return "avenue"

    @property
    def splits(self) -> tuple[str, ...]:
        """Of train and test, those whose folder is there."""
        return ("train", "test") if (self.root / "training_videos").is_dir() else ("test",)

    def videos(self, split: str = "test") -> list[Video]:
        """Returns the videos of `train` (all normal) or `test`."""
        check_split(split, self.splits, self.root)
        if split == "train":
            return [
                Video(path.stem, self.name, path, NormalAnnotation(path.stem), derived_tracks=False)
                for path in self._paths("training_videos")
            ]
        return [
            Video(path.stem, self.name, path, self._truth(path), derived_tracks=True)
            for path in self._paths("testing_videos")
        ]

    def _paths(self, folder: str) -> list[Path]:
        paths = list_entries(self.root / folder, _VIDEOS)
        if not paths:
            raise BadInputError("no videos", self.root / folder, "put the .avi files here")
        return paths

    def _truth(self, path: Path) -> VolLabel:
        digits = re.findall(r"[0-9]+", path.stem)
        number = int(digits[-1]) if digits else path.stem
        folder = self.root / "ground_truth_demo" / "testing_label_mask"
        truth = folder / f"{number}_label.mat"
        if not truth.is_file():
            raise BadInputError(
                f"video {path.stem} has no ground truth", truth, "unpack ground_truth_demo beside"
            )
        return VolLabel(path.stem, truth)

    def normal(self, camera: str | None = None) -> list[Path]:
        """Returns the training videos; there is one camera, named `avenue`."""
        if "train" not in self.splits or camera not in (None, self.name):
            return []
        return self._paths("training_videos")


def open_avenue(root: Path) -> Avenue:
    """Opens CUHK Avenue in the folder that holds its test videos.

    Raises:
        BadInputError: the folder of test videos is not there.
    """
    if not (root / "testing_videos").is_dir():
        raise BadInputError(
            "not an avenue folder", root, "give the folder that holds testing_videos/"
        )
    return Avenue(root)
