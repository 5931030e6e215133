"""The cache of features of training footage: computed once, quantised, and read at random."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from engine.core.errors import BadInputError, ResourceError
from engine.core.files import atomic_path
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.lab.datasets.rendered_footage import RenderedVideo
from engine.lab.parallel_tasks import map_in_processes
from engine.lab.training.window_samples import WindowSample, whole_video, window_samples
from engine.tvad.backbones.backbone import Backbone, Features

_FORMAT = 1  # of the files; another number gives other folders


@dataclass(frozen=True)
class FeatureRecipe:
    """Which features of a set of videos are cached.

    Attributes:
        backbone: name of the kind of backbone.
        seed: draws variations and the positions of windows.
        windows: windows of each video; 0 takes the whole video without variation.
        slices: slices of each window.
    """

    backbone: str
    seed: int
    windows: int
    slices: int

    @property
    def key(self) -> str:
        """Names the folder of the cache."""
        text = json.dumps([_FORMAT, self.backbone, self.seed, self.windows, self.slices])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_json(self) -> dict[str, object]:
        """Returns plain JSON values under the names that states of trainings have."""
        return {
            "backbone": self.backbone,
            "seed": self.seed,
            "windows": self.windows,
            "kept": self.slices,
        }


@dataclass(frozen=True, eq=False)
class CachedWindow:
    """A window as it was stored.

    Attributes:
        video: the video that it belongs to.
        maps: int8 [n, C_i, H_i, W_i], one for each of the four depths.
        scales: float32 [1, C_i, 1, 1], by which the values of each depth are multiplied.
        motion: float16 [n, M, h, w] or None.
        ids: uint8 [n, h, w] at a stride of 4 pixels of the picture.
        frames: int64 [n].
        picture: width and height of the picture that the backbone saw.
    """

    video: RenderedVideo
    maps: tuple[torch.Tensor, ...]
    scales: tuple[torch.Tensor, ...]
    motion: torch.Tensor | None
    ids: NDArray[np.uint8]
    frames: NDArray[np.int64]
    picture: tuple[int, int]

    @cached_property
    def features(self) -> Features:
        """The features of its slices, as the backbone gives them but rounded to bytes."""
        maps = (
            values.float() * scale for values, scale in zip(self.maps, self.scales, strict=True)
        )
        return Features(tuple(maps), None if self.motion is None else self.motion.float())


class FeatureCache:
    """The cached windows of some videos."""

    def __init__(
        self, folder: Path, recipe: FeatureRecipe, videos: Sequence[RenderedVideo]
    ) -> None:
        """Names the cache; nothing is read or written yet.

        Args:
            folder: folder of the caches of all recipes.
            recipe: which features are cached.
            videos: the videos whose features are cached.
        """
        self.folder = folder / recipe.key
        self.recipe = recipe
        self.videos = tuple(videos)
        self._windows: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._windows)

    def video(self, index: int) -> RenderedVideo:
        """Returns the video of window `index`."""
        return self.videos[self._windows[index][0]]

    def fill(
        self,
        make: Callable[[], Backbone],
        max_bytes: int,
        workers: int,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        """Computes what is missing, then lists the windows.

        Args:
            make: loads the backbone; called in each worker, so it must be picklable.
            max_bytes: size of the whole cache; windows of a video beyond its even share are left
                out.
            workers: number of processes.
            progress: told after each video.
            cancel: looked at between videos.

        Raises:
            ResourceError: the folder cannot be written.
            BadInputError: a video or its truth cannot be read.
            CancelledError: the user stopped.
        """
        missing = [i for i in range(len(self.videos)) if not self._path(i).is_file()]
        share = max_bytes // max(1, len(self.videos))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            done = len(self.videos) - len(missing)
            tasks = [(self.videos[i], self.recipe, self._path(i), share) for i in missing]
            make = partial(load_single_threaded, make)
            for _ in map_in_processes(make, _compute, tasks, workers, cancel):
                done += 1
                progress(Progress("computing features", done, len(self.videos), unit="videos"))
        except OSError as error:
            raise ResourceError(
                f"features cannot be kept ({error.strerror})", self.folder, "free some disk space"
            ) from error
        self._windows = [
            (index, window)
            for index in range(len(self.videos))
            for window in range(_count_windows(self._path(index)))
        ]

    def read(self, index: int) -> CachedWindow:
        """Reads window `index`.

        Raises:
            BadInputError: the file is damaged.
        """
        number, window = self._windows[index]
        path = self._path(number)
        try:
            with safe_open(path, "pt") as file:
                values = {
                    key.partition(".")[2]: file.get_tensor(key)
                    for key in file.keys()  # noqa: SIM118
                    if key.startswith(f"{window}.")
                }
            return _unpack_window(self.videos[number], values)
        except (OSError, KeyError, RuntimeError) as error:
            raise BadInputError(
                f"cached features are damaged ({error})", path, "delete the file"
            ) from error

    def _path(self, index: int) -> Path:
        video = self.videos[index]
        # Videos of two folders may have one name.
        root = zlib.crc32(str(video.path.parent.parent).encode())
        return self.folder / f"{root:08x}-{video.name}.safetensors"


def load_single_threaded(load: Callable[[], Backbone]) -> Backbone:
    """Loads a backbone and gives torch one thread from then on.

    For one of several processes; what it gives then does not depend on how many there are.
    """
    torch.set_num_threads(1)
    return load()


def _compute(
    backbone: Backbone, task: tuple[RenderedVideo, FeatureRecipe, Path, int], cancel: CancelToken
) -> None:
    video, recipe, path, share = task
    if recipe.windows:
        samples = window_samples(video, backbone, recipe.seed, recipe.windows, recipe.slices)
    else:
        samples = whole_video(video, backbone)
    tensors: dict[str, torch.Tensor] = {}
    size = 0
    for number, sample in enumerate(samples):
        packed = _pack_sample(sample)
        size += sum(tensor.numel() * tensor.element_size() for tensor in packed.values())
        if number and size > share:
            break
        tensors.update({f"{number}.{name}": tensor for name, tensor in packed.items()})
    with atomic_path(path) as part:
        save_file(tensors, part)


def _pack_sample(sample: WindowSample) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for depth, values in enumerate(sample.features.maps):
        if not bool(torch.isfinite(values).all()):
            raise BadInputError("features that are no numbers", "", "check the backbone's weights")
        scale = values.abs().amax((0, 2, 3), keepdim=True).clamp(min=1e-6) / 127
        tensors[f"map{depth}"] = torch.round(values / scale).to(torch.int8).contiguous().clone()
        tensors[f"scale{depth}"] = scale.clone()
    if sample.features.motion is not None:
        tensors["motion"] = sample.features.motion.to(torch.float16).contiguous().clone()
    tensors["ids"] = torch.from_numpy(sample.ids)
    tensors["frames"] = torch.from_numpy(sample.frames.astype(np.int64))
    tensors["picture"] = torch.tensor(sample.picture)
    return tensors


def _unpack_window(video: RenderedVideo, values: dict[str, torch.Tensor]) -> CachedWindow:
    width, height = (int(side) for side in values["picture"])
    return CachedWindow(
        video,
        tuple(values[f"map{depth}"] for depth in range(4)),
        tuple(values[f"scale{depth}"] for depth in range(4)),
        values.get("motion"),
        values["ids"].numpy(),
        values["frames"].numpy(),
        (width, height),
    )


def _count_windows(path: Path) -> int:
    with safe_open(path, "pt") as file:
        return sum(key.endswith(".frames") for key in file.keys())  # noqa: SIM118
