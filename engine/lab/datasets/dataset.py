"""What every benchmark offers: videos with labels, masks and tracks, read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks

ALL = "all"
"""Name of the only split of a data set without split files."""


@dataclass(frozen=True)
class Masks:
    """The pixel ground truth of a video, one frame at a time.

    Attributes:
        name: the video, for messages.
        count: number of frames.
        size: width and height in pixels.
        read: gives the mask of a frame, bool [height, width], True = abnormal.
    """

    name: str
    count: int
    size: tuple[int, int]
    read: Callable[[int], NDArray[np.bool_]]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, frame: int) -> NDArray[np.bool_]:
        """Returns the mask of a frame, bool [height, width], True = abnormal.

        Raises:
            IndexError: there is no such frame.
            BadInputError: the mask is missing, unreadable or of another size.
        """
        if not 0 <= frame < self.count:
            raise IndexError(frame)
        mask = self.read(frame)
        width, height = self.size
        if mask.shape != (height, width):
            raise BadInputError(
                f"the mask of frame {frame} is {mask.shape[1]}x{mask.shape[0]} pixels "
                f"instead of {width}x{height}",
                self.name,
                "restore this file from the data set",
            )
        return mask

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (self[frame] for frame in range(self.count))


class Annotation(Protocol):
    """The ground truth of one video, as one benchmark stores it.

    `frames` is the number of annotated frames, or None when the video itself decides. Loaders
    raise BadInputError when a file is missing or damaged.
    """

    @property
    def frames(self) -> int | None:
        """Number of annotated frames; None when the video itself decides."""
        ...

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True = abnormal; `n_frames` equals `frames` if that is known."""
        ...

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks | None:
        """Returns the masks, or None when there is no pixel ground truth."""
        ...

    def tracks(self, n_frames: int) -> GroundTruthTracks | None:
        """Returns the benchmark's own tracks, or None when it has none."""
        ...


@dataclass(frozen=True)
class Video:
    """One video of a benchmark.

    An annotation may be up to 2 frames or 1 % longer or shorter than the video, because decoders
    disagree about last frames: missing frames then count as normal and surplus ones are left out,
    which `length_note` states. More is an error.

    Attributes:
        name: unique within the data set.
        camera: the camera (scene) it was taken with.
        path: a video file or a folder of numbered images.
        annotation: its ground truth.
        derived_tracks: whether the benchmark has no tracks, so that they are made from masks.
    """

    name: str
    camera: str
    path: Path
    annotation: Annotation
    derived_tracks: bool

    def frames(self, n_frames: int | None = None) -> int:
        """Returns the number of frames to evaluate.

        Args:
            n_frames: frames of the video itself, when the caller knows.

        Raises:
            BadInputError: nobody knows, or video and annotation differ by more than 2 frames
                and 1 %.
        """
        own = self.annotation.frames
        if n_frames is None:
            if own is None:
                raise BadInputError(
                    "the number of frames is unknown without annotation",
                    self.name,
                    "open the video and pass its number of frames",
                )
            return own
        if own is not None and abs(own - n_frames) > max(2, n_frames // 100):
            raise BadInputError(
                f"{own} annotated frames but {n_frames} frames of video",
                self.path,
                "check that video and annotation belong together and are complete",
            )
        return n_frames

    def length_note(self, n_frames: int) -> str:
        """States how the annotation was fitted to the video's length; empty when it fits."""
        own = self.annotation.frames
        if own is None or own == n_frames:
            return ""
        if own < n_frames:
            return (
                f"{self.name}: the last {n_frames - own} frames are not annotated, taken as normal"
            )
        return f"{self.name}: the last {own - n_frames} annotated frames are not in the video"

    def labels(self, n_frames: int | None = None) -> NDArray[np.bool_]:
        """Returns frame labels, bool [n], True = abnormal.

        Args:
            n_frames: frames of the video itself; needed when there is no annotation.

        Raises:
            BadInputError: the length is unknown or does not fit, or the annotation is damaged.
        """
        n_frames = self.frames(n_frames)
        own = self._own(n_frames)
        labels = np.zeros(n_frames, np.bool_)
        labels[: min(own, n_frames)] = self.annotation.labels(own)[:n_frames]
        return labels

    def masks(
        self, n_frames: int | None = None, size: tuple[int, int] | None = None
    ) -> Masks | None:
        """Returns pixel ground truth, frame by frame; None when the benchmark has none.

        Args:
            n_frames: frames of the video itself; needed when there is no annotation.
            size: width and height of the video's decoded frames; needed when there is no
                annotation, otherwise compared with the masks.

        Raises:
            BadInputError: length or size is unknown or does not fit, or a file is damaged.
        """
        n_frames = self.frames(n_frames)
        own = self._own(n_frames)
        masks = self.annotation.masks(own, size)
        if masks is None:
            return None
        if size is not None and masks.size != size:
            raise BadInputError(
                f"masks are {masks.size[0]}x{masks.size[1]} pixels but frames {size[0]}x{size[1]}",
                self.path,
                "use footage and masks of the same size",
            )
        if own == n_frames:
            return masks

        def read(frame: int) -> NDArray[np.bool_]:
            if frame < own:
                return masks.read(frame)
            return np.zeros(masks.size[::-1], np.bool_)

        return Masks(self.name, n_frames, masks.size, read)

    def tracks(self, n_frames: int | None = None) -> GroundTruthTracks | None:
        """Returns the benchmark's own tracks; None when it has none (see `derived_tracks`).

        Raises:
            BadInputError: the length is unknown or does not fit, or the annotation is damaged.
        """
        n_frames = self.frames(n_frames)
        tracks = self.annotation.tracks(self._own(n_frames))
        return None if tracks is None else tracks.until(n_frames)

    def _own(self, n_frames: int) -> int:
        own = self.annotation.frames
        return n_frames if own is None else own


@dataclass(frozen=True)
class NormalAnnotation:
    """Ground truth of a video in which nothing is abnormal.

    Attributes:
        name: the video, for messages.
        frames: number of frames; None when the video itself decides.
        size: width and height of the frames, where the benchmark tells it.
    """

    name: str
    frames: int | None = None
    size: tuple[int, int] | None = None

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], all False."""
        return np.zeros(n_frames, np.bool_)

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks:
        """Returns masks without abnormal pixels.

        Raises:
            BadInputError: neither the benchmark nor the caller knows the size of the frames.
        """
        size = self.size or size
        if size is None:
            raise BadInputError(
                "the size of the frames is unknown without masks",
                self.name,
                "open the video and pass the size of its frames",
            )
        empty = np.zeros(size[::-1], np.bool_)
        empty.setflags(write=False)
        return Masks(self.name, n_frames, size, lambda _frame: empty)

    def tracks(self, n_frames: int) -> GroundTruthTracks:
        """Returns no tracks."""
        return GroundTruthTracks.from_rows([])


class Dataset(Protocol):
    """A benchmark in a folder."""

    @property
    def name(self) -> str:
        """Name of the benchmark, as `open_dataset` takes it."""
        ...

    @property
    def root(self) -> Path:
        """The folder it lies in."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits it has, of train, validation and test; `("all",)` without split files."""
        ...

    def videos(self, split: str = "test") -> list[Video]:
        """Returns the videos of a split in a fixed order; with one split, all for any name.

        Raises:
            BadInputError: there is no such split, or files of it are missing.
        """
        ...

    def normal(self, camera: str | None = None) -> list[Path]:
        """Returns the training footage without anomalies, of one camera or of all.

        Raises:
            BadInputError: files of the training footage are missing.
        """
        ...


def check_split(split: str, splits: tuple[str, ...], root: Path) -> None:
    """Refuses a split that a data set does not have.

    Raises:
        BadInputError: `split` is not in `splits`, unless there is only the split `all`.
    """
    if split not in splits and splits != (ALL,):
        raise BadInputError(
            f"no split {split!r} here", root, f"choose one of: {', '.join(splits) or 'none'}"
        )


def select_videos(dataset: Dataset, split: str, names: Sequence[str] | None) -> list[Video]:
    """Returns the named videos of a split, or all, in the split's order.

    Raises:
        BadInputError: a name is not in the split.
    """
    videos = dataset.videos(split)
    if names is None:
        return videos
    unknown = set(names) - {video.name for video in videos}
    if unknown:
        raise BadInputError(
            f"no video {min(unknown)!r} in the {split} split",
            dataset.root,
            f"choose from: {', '.join(video.name for video in videos[:12])}"
            + (" …" if len(videos) > 12 else ""),
        )
    return [video for video in videos if video.name in set(names)]
