"""UCSD Ped1 and Ped2: folders of numbered images with a mask image a frame.

Source: V. Mahadevan et al., "Anomaly Detection in Crowded Scenes", CVPR 2010.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import Annotation, NormalAnnotation, Video, check_split
from engine.lab.datasets.dataset_files import image_size, list_entries, numbered_images
from engine.lab.datasets.image_masks import ImageMasks

_SPANS = re.compile(r"gt_frame\s*=\s*\[([^\]]*)\]")
_SPAN = re.compile(r"(\d{1,9})(?:\s*:\s*(\d{1,9}))?")


@dataclass(frozen=True)
class FrameSpans:
    """Ground truth of frames without masks, as the `.m` file of the original archive lists it.

    Attributes:
        name: the video, for messages.
        frame_folder: numbered frame images.
        spans: first and last abnormal frame of each span, 1-based and inclusive.
    """

    name: str
    frame_folder: Path
    spans: tuple[tuple[int, int], ...]

    @cached_property
    def frames(self) -> int:
        """Number of frames."""
        return len(numbered_images(self.frame_folder))

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True inside the spans.

        Raises:
            BadInputError: a span lies outside the video.
        """
        labels = np.zeros(n_frames, np.bool_)
        for first, last in self.spans:
            if not 1 <= first <= last <= n_frames:
                raise BadInputError(
                    f"abnormal frames {first}:{last} in a video of {n_frames} frames",
                    self.frame_folder,
                    "restore the .m file and the frames from the data set",
                )
            labels[first - 1 : last] = True
        return labels

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> None:
        """Returns None: the spans say nothing about pixels."""
        return None

    def tracks(self, n_frames: int) -> None:
        """Returns None: the spans say nothing about regions."""
        return None


@dataclass(frozen=True)
class Ucsd:
    """Ped1 or Ped2, in the layout of the original archive or of the common repack.

    Attributes:
        name: `ped1` or `ped2`.
        root: the folder that holds `Train` and `Test`, or `training` and `testing`.
        repacked: whether it is the latter.
    """

    name: str
    root: Path
    repacked: bool

    @property
    def splits(self) -> tuple[str, ...]:
        """Of train and test, those whose folder is there."""
        return tuple(split for split in ("train", "test") if self._folder(split).is_dir())

    def _folder(self, split: str) -> Path:
        if self.repacked:
            return self.root / ("training" if split == "train" else "testing") / "frames"
        return self.root / ("Train" if split == "train" else "Test")

    def _folders(self, split: str) -> list[Path]:
        folders = [f for f in list_entries(self._folder(split)) if not f.name.endswith("_gt")]
        if not folders:
            raise BadInputError(
                "no videos", self._folder(split), "put the folders of numbered images here"
            )
        return folders

    def videos(self, split: str = "test") -> list[Video]:
        """Returns the videos of `train` (all normal) or `test`."""
        check_split(split, self.splits, self.root)
        folders = self._folders(split)
        spans = self._spans(len(folders)) if split == "test" else ()
        return [
            Video(
                folder.name,
                self.name,
                folder,
                self._annotation(split, folder, spans[index] if spans else None),
                derived_tracks=split == "test",
            )
            for index, folder in enumerate(folders)
        ]

    def _annotation(
        self, split: str, folder: Path, spans: tuple[tuple[int, int], ...] | None
    ) -> Annotation:
        if split == "train":
            images = numbered_images(folder)
            first = next(iter(images.values()))
            return NormalAnnotation(folder.name, len(images), image_size(first))
        if self.repacked:
            masks = self.root / "testing" / "masks" / folder.name
        else:
            masks = folder.with_name(f"{folder.name}_gt")
        if spans is not None and not masks.is_dir():
            return FrameSpans(folder.name, folder, spans)
        return ImageMasks(folder.name, folder, masks)

    def _spans(self, videos: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Reads the abnormal spans of each test video; most of Ped1's have no masks."""
        path = self._folder("test") / f"UCSD{self.name}.m"
        if self.repacked or not path.is_file():
            return ()
        text = path.read_text(encoding="utf-8", errors="replace")
        spans_by_video = tuple(
            tuple((int(a), int(b or a)) for a, b in _SPAN.findall(spans))
            for spans in _SPANS.findall(text)
        )
        if len(spans_by_video) != videos:
            raise BadInputError(
                f"it lists {len(spans_by_video)} videos but {videos} are here",
                path,
                "complete the data set",
            )
        return spans_by_video

    def normal(self, camera: str | None = None) -> list[Path]:
        """Returns the training videos' folders; there is one camera, named as the data set."""
        if "train" not in self.splits or camera not in (None, self.name):
            return []
        return self._folders("train")


def open_ped1(root: Path) -> Ucsd:
    """Opens UCSD Ped1; refuses as `open_ped2` does."""
    return _open("ped1", root)


def open_ped2(root: Path) -> Ucsd:
    """Opens UCSD Ped2 in its own folder or in the one above `UCSDped1` and `UCSDped2`.

    Raises:
        BadInputError: neither the layout of the archive nor that of the repack is there.
    """
    return _open("ped2", root)


def _open(name: str, root: Path) -> Ucsd:
    """Finds out which of the two layouts is there."""
    for folder in (root, root / f"UCSD{name}"):
        if (folder / "Test").is_dir() or (folder / "Train").is_dir():
            return Ucsd(name, folder, repacked=False)
        if (folder / "testing" / "frames").is_dir() or (folder / "training" / "frames").is_dir():
            return Ucsd(name, folder, repacked=True)
    raise BadInputError(
        f"not a {name} folder", root, "give the folder that holds Test/ or testing/frames/"
    )
