"""UBnormal: rendered videos of 29 scenes with object masks and abnormal spans of objects.

Source: A. Acsintoae et al., "UBnormal: New Benchmark for Supervised Open-Set Video Anomaly
Detection", CVPR 2022.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.export.number_rows import read_rows
from engine.lab.datasets.components import largest_box
from engine.lab.datasets.dataset import ALL, Annotation, Masks, NormalAnnotation, Video, check_split
from engine.lab.datasets.dataset_files import image_size, list_entries, natural_key, read_ids
from engine.lab.datasets.ground_truth_tracks import GroundTruthTracks

SPLITS = ("train", "validation", "test")
_SPLIT_FILES = {
    "train": re.compile(r"(?:^|[^a-z])train(?:ing)?(?:[^a-z]|$)"),
    "validation": re.compile(r"(?:^|[^a-z])val(?:idation)?(?:[^a-z]|$)"),
    "test": re.compile(r"(?:^|[^a-z])test(?:ing)?(?:[^a-z]|$)"),
}
_COLUMNS = ("object_id", "start", "end")
_RESTORE = "restore this video's annotations from the data set"


@dataclass(frozen=True)
class ObjectSpans:
    """Abnormal spans of objects, and the masks in which they have their ids.

    Attributes:
        name: the video, for messages.
        folder: the annotation folder.
    """

    name: str
    folder: Path

    @cached_property
    def _spans(self) -> NDArray[np.int64]:
        """int64 [rows, 3]: object id, first frame, last frame (inclusive, 0-based)."""
        path = self.folder / f"{self.name}_tracks.txt"
        if not path.is_file():
            raise BadInputError("an abnormal video without tracks", path, _RESTORE)
        rows = read_rows(path, _COLUMNS, whole=3).astype(np.int64)
        if not len(rows):
            raise BadInputError("an abnormal video without tracks", path, _RESTORE)
        for number, (object_id, start, end) in enumerate(rows, start=1):
            if not 1 <= object_id <= 255 or end < start:
                raise BadInputError(
                    f"row {number} is no span of an object: {object_id},{start},{end}",
                    path,
                    _RESTORE,
                )
            if end >= self.frames + max(2, self.frames // 100):
                raise BadInputError(
                    f"row {number} ends at frame {end} but there are {self.frames} masks",
                    path,
                    _RESTORE,
                )
        return rows

    @cached_property
    def _images(self) -> dict[int, Path]:
        images = _mask_images(self.name, self.folder)
        if not images:
            raise BadInputError("no masks", self.folder, _RESTORE)
        return images

    @cached_property
    def frames(self) -> int:
        """Number of annotated frames: the last mask's number + 1."""
        return max(self._images) + 1

    def labels(self, n_frames: int) -> NDArray[np.bool_]:
        """Returns bool [n_frames], True inside a span."""
        labels = np.zeros(n_frames, np.bool_)
        for _, start, end in self._spans:
            labels[start : end + 1] = True
        return labels

    def _ids(self, frame: int) -> NDArray[np.uint8]:
        path = self._images.get(frame)
        if path is None:
            raise BadInputError(f"abnormal frame {frame} has no mask", self.folder, _RESTORE)
        return read_ids(path)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last frame of each row, in the order of the file."""
        return [(int(first), int(last)) for _, first, last in self._spans]

    @property
    def objects_of_rows(self) -> list[int]:
        """The object id of each row, in the order of the file."""
        return [int(object_id) for object_id in self._spans[:, 0]]

    def objects(self, frame: int) -> list[tuple[int, NDArray[np.bool_]]]:
        """Returns the abnormal objects of a frame: number of the row, bool [height, width].

        Raises:
            BadInputError: the mask is missing or damaged.
        """
        spans = self._spans
        inside = np.flatnonzero((spans[:, 1] <= frame) & (frame <= spans[:, 2]))
        if not inside.size:
            return []
        ids = self._ids(frame)
        return [(int(row), ids == spans[row, 0]) for row in inside]

    def masks(self, n_frames: int, size: tuple[int, int] | None) -> Masks:
        """Returns the pixels of the objects whose span contains the frame."""
        spans = self._spans
        size = image_size(next(iter(self._images.values())))
        empty = np.zeros(size[::-1], np.bool_)
        empty.setflags(write=False)

        def read(frame: int) -> NDArray[np.bool_]:
            inside = spans[(spans[:, 1] <= frame) & (frame <= spans[:, 2])]
            if not len(inside):
                return empty
            abnormal = np.zeros(256, np.bool_)
            abnormal[inside[:, 0]] = True
            return abnormal[self._ids(frame)]

        return Masks(self.name, n_frames, size, read)

    def tracks(self, n_frames: int) -> GroundTruthTracks:
        """Returns a track for each row; its boxes are those of the object's largest component.

        Raises:
            BadInputError: a mask is missing, or an object is in none of its masks.
        """
        spans = self._spans
        rows: list[tuple[float, ...]] = []
        tracks_with_box: set[int] = set()
        for frame in range(n_frames):
            inside = np.flatnonzero((spans[:, 1] <= frame) & (frame <= spans[:, 2]))
            if not inside.size:
                continue
            ids = self._ids(frame)
            for track in inside.tolist():
                box = largest_box(ids == spans[track, 0])
                if box is not None:
                    rows.append((track, frame, *box.tolist()))
                    tracks_with_box.add(track)
        for track in range(len(spans)):
            if track not in tracks_with_box:
                raise BadInputError(
                    f"object {spans[track, 0]} of row {track + 1} is in none of its masks",
                    self.folder / f"{self.name}_tracks.txt",
                    _RESTORE,
                )
        return GroundTruthTracks.from_rows(rows, self.folder)


def _mask_images(name: str, folder: Path) -> dict[int, Path]:
    pattern = re.compile(re.escape(name) + r"_([0-9]{1,9})_gt\.png")
    images = {}
    for path in list_entries(folder, frozenset({".png"})):
        match = pattern.fullmatch(path.name)
        if match is not None:
            images[int(match[1])] = path
    return dict(sorted(images.items()))


@dataclass(frozen=True)
class UBnormal:
    """UBnormal, or footage in its layout.

    Attributes:
        root: holds the folders `Scene1` …, and split files here, in `scripts` or in `splits`:
            text files with a video name a line, whose own names say train, validation or test.
    """

    root: Path

    @property
    def name(self) -> str:
        """The name `ubnormal`."""
        return "ubnormal"

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have files of names; `("all",)` when there are none."""
        files = self._split_files
        return tuple(split for split in SPLITS if split in files) or (ALL,)

    @cached_property
    def _split_files(self) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = {}
        for folder in (self.root, self.root / "scripts", self.root / "splits"):
            if not folder.is_dir():
                continue
            for path in list_entries(folder, frozenset({".txt"})):
                for split, pattern in _SPLIT_FILES.items():
                    if pattern.search(path.stem.lower()):
                        files.setdefault(split, []).append(path)
        return files

    @cached_property
    def _paths(self) -> dict[str, Path]:
        """Every video by name, scenes and names in numeric order."""
        paths: dict[str, Path] = {}
        for folder in list_entries(self.root):
            if not folder.name.startswith("Scene"):
                continue
            for path in list_entries(folder, frozenset({".mp4"})):
                if path.stem in paths:
                    raise BadInputError(
                        "two videos have the same name", path, f"keep it or {paths[path.stem]}"
                    )
                paths[path.stem] = path
        if not paths:
            raise BadInputError("no videos", self.root, "put them into Scene1/, Scene2/ …")
        return paths

    def videos(self, split: str = "test") -> list[Video]:
        """Returns the videos of a split, or all of them when there are no split files."""
        check_split(split, self.splits, self.root)
        paths = self._paths
        if self.splits == (ALL,):
            return [_video(name, path) for name, path in paths.items()]
        names = self._names(split)
        missing = [name for name in names if name not in paths]
        if missing:
            raise BadInputError(
                f"{len(missing)} of {len(names)} videos of the {split} split are missing, "
                f"first {missing[0]}",
                self.root,
                "complete the data set or take their names out of the split files",
            )
        return [_video(name, paths[name]) for name in names]

    def _names(self, split: str) -> list[str]:
        names: set[str] = set()
        for path in self._split_files[split]:
            try:
                lines = path.read_text(encoding="utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError):
                raise BadInputError(
                    "unreadable split file", path, "write a video name a line"
                ) from None
            for line in lines:
                if line.strip():
                    names.add(line.strip().replace("\\", "/").split("/")[-1].removesuffix(".mp4"))
        return sorted(names, key=lambda name: natural_key(Path(name)))

    def normal(self, camera: str | None = None) -> list[Path]:
        """Returns the training videos without abnormal spans, of a scene (`1` …) or of all.

        Without split files there is no training footage.
        """
        if "train" not in self.splits:
            return []
        return [
            video.path
            for video in self.videos("train")
            if camera in (None, video.camera) and isinstance(video.annotation, NormalAnnotation)
        ]


def open_ubnormal(root: Path) -> UBnormal:
    """Opens UBnormal, or footage in its layout, in the folder that holds its scenes.

    Raises:
        BadInputError: there are no folders of scenes.
    """
    if not any(folder.name.startswith("Scene") for folder in list_entries(root)):
        raise BadInputError("not a ubnormal folder", root, "give the folder that holds Scene1/")
    return UBnormal(root)


def _video(name: str, path: Path) -> Video:
    words = name.split("_")
    if len(words) < 3 or not words[2].isdecimal():
        raise BadInputError(
            "the third word of the name is not the scene's number",
            path,
            "name it as abnormal_scene_1_scenario_1",
        )
    return Video(name, words[2], path, _annotation(name, path), derived_tracks=False)


def _annotation(name: str, path: Path) -> Annotation:
    folder = path.with_name(f"{name}_annotations")
    tracks = folder / f"{name}_tracks.txt"
    # One video without its tracks must not keep the others from being read.
    abnormal = name.startswith("abnormal")
    if abnormal or (tracks.is_file() and len(read_rows(tracks, _COLUMNS, whole=3))):
        return ObjectSpans(name, folder)
    images = _mask_images(name, folder) if folder.is_dir() else {}
    size = image_size(next(iter(images.values()))) if images else None
    return NormalAnnotation(name, size=size)
