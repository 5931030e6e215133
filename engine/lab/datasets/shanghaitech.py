"""ShanghaiTech Campus: thirteen cameras, test frames as images, ground truth as arrays.

Source: W. Liu et al., "Future Frame Prediction for Anomaly Detection", CVPR 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import Masks, NormalAnnotation, Video, check_split
from engine.lab.datasets.dataset_files import list_entries, load_array

_VIDEOS = frozenset({".avi", ".mp4"})


@dataclass(frozen=True)
class ArrayTruth:
    """Frame labels and pixel masks of one video in two `.npy` files.

    Attributes:
        name: the video, for messages.
        frame_path: [T], 1 = abnormal.
        pixel_path: [T, H, W], 1 = abnormal; None when it was not downloaded.
    """

    name: str
    frame_path: Path
    pixel_path: Path | None

    @cached_property
    def frames(self) -> int:
        """Number of labelled frames."""
        return len(load_array(self.frame_path, ndim=1))

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True = abnormal."""
        return np.asarray(load_array(self.frame_path, ndim=1) != 0, np.bool_)

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks | None:
        """Returns the pixel masks, or None when their file is not there.

        Raises:
            BadInputError: the file is damaged or of another length than the labels.
        """
        if self.pixel_path is None:
            return None
        array = load_array(self.pixel_path, ndim=3)
        if len(array) != n_frames:
            raise BadInputError(
                f"{len(array)} pixel masks but {n_frames} frame labels",
                self.pixel_path,
                "restore both files from the data set",
            )
        _, height, width = array.shape
        return Masks(
            self.name,
            n_frames,
            (width, height),
            lambda frame: np.asarray(array[frame] != 0, np.bool_),
        )

    def tracks(self, n_frames: int) -> None:
        """Returns None: masks say nothing about identity."""
        return None


@dataclass(frozen=True)
class ShanghaiTech:
    """ShanghaiTech Campus.

    Attributes:
        root: holds `training/videos` and `testing/frames`, `testing/test_frame_mask`,
            `testing/test_pixel_mask`.
    """

    root: Path

    @property
    def name(self) -> str:
        """The name `shanghaitech`."""
        return "shanghaitech"

    @property
    def splits(self) -> tuple[str, ...]:
        """Of train and test, those whose folder is there."""
        return ("train", "test") if (self.root / "training" / "videos").is_dir() else ("test",)

    def videos(self, split: str = "test") -> list[Video]:
        """Returns the videos of `train` (all normal) or `test`."""
        check_split(split, self.splits, self.root)
        if split == "train":
            return [
                Video(p.stem, _camera(p), p, NormalAnnotation(p.stem), derived_tracks=False)
                for p in self._training()
            ]
        folders = list_entries(self.root / "testing" / "frames")
        if not folders:
            raise BadInputError(
                "no videos", self.root / "testing" / "frames", "put the folders of frames here"
            )
        return [
            Video(folder.name, _camera(folder), folder, self._truth(folder), derived_tracks=True)
            for folder in folders
        ]

    def _training(self) -> list[Path]:
        folder = self.root / "training" / "videos"
        paths = list_entries(folder, _VIDEOS)
        if not paths:
            raise BadInputError("no videos", folder, "put the .avi files here")
        return paths

    def _truth(self, folder: Path) -> ArrayTruth:
        testing = self.root / "testing"
        frame_path = testing / "test_frame_mask" / f"{folder.name}.npy"
        pixel_path = testing / "test_pixel_mask" / f"{folder.name}.npy"
        if not frame_path.is_file():
            raise BadInputError(
                f"video {folder.name} has no ground truth", frame_path, "complete test_frame_mask/"
            )
        return ArrayTruth(folder.name, frame_path, pixel_path if pixel_path.is_file() else None)

    def normal(self, camera: str | None = None) -> list[Path]:
        """Returns the training videos of a camera (`01` … `13`) or of all."""
        if "train" not in self.splits:
            return []
        return [path for path in self._training() if camera in (None, _camera(path))]


def open_shanghaitech(root: Path) -> ShanghaiTech:
    """Opens ShanghaiTech Campus in the folder that holds its test frames.

    Raises:
        BadInputError: the folder of test frames is not there.
    """
    if not (root / "testing" / "frames").is_dir():
        raise BadInputError(
            "not a shanghaitech folder", root, "give the folder that holds testing/frames/"
        )
    return ShanghaiTech(root)


def _camera(path: Path) -> str:
    """The two digits that every name begins with, `01_0014` or `01_001.avi`."""
    digits = path.name[:2]
    if len(digits) != 2 or not digits.isdecimal():
        raise BadInputError(
            "the name does not begin with the camera's two digits", path, "name it as SS_VVVV"
        )
    return digits
