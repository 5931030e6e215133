"""Writes rendered footage with several processes; what a stopped run left is kept."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.lab.parallel_tasks import map_in_processes
from engine.lab.synthesis.footage.random_footage import random_footage
from engine.lab.synthesis.footage.settings import random_setting
from engine.lab.synthesis.render_video import VideoSpec
from engine.lab.synthesis.write_videos import (
    SCENES_PER_SPLIT,
    SPLITS,
    check_picture,
    split_file,
    translated_errors,
    write_split,
    write_video,
)

VERSION = 2
"""Rises when a request no longer gives the same footage."""

_DRAW_VERSION = 1  # first word of every seed; another one draws another footage

_VIDEOS_PER_SCENE = 2  # a place is drawn once and filmed twice: its ground costs most of the time
_MAX_VIDEOS = _VIDEOS_PER_SCENE * SCENES_PER_SPLIT
_ABNORMAL_SHARE = 2 / 3  # a third of the videos is normal, as evaluation asks
_MAX_SETTINGS = 20  # places drawn for a video before the picture is called too small


@dataclass(frozen=True)
class FootageRequest:
    """What fixes a split of rendered footage bit for bit.

    Attributes:
        videos: how many.
        seed: of everything drawn.
        split: `train`, `validation` or `test`.
        size: even width and height in pixels.
        seconds: duration of each video; 8 to 12 s when None.
    """

    videos: int
    seed: int
    split: str = "test"
    size: tuple[int, int] = (640, 360)
    seconds: float | None = None

    def check(self) -> None:
        """Checks the values.

        Raises:
            BadInputError: one is out of range.
        """
        if self.split not in SPLITS:
            raise BadInputError("not a split", self.split, "use train, validation or test")
        if not 1 <= self.videos <= _MAX_VIDEOS:
            raise BadInputError(
                "number of videos out of range", self.videos, f"use 1 to {_MAX_VIDEOS}"
            )
        if self.seed < 0:
            raise BadInputError("a seed is negative", self.seed, "use 0 or more")
        check_picture(self.size, self.seconds)

    def scene(self, index: int) -> int:
        """Returns the number of the scene that video `index` shows; no two splits share one."""
        first = list(SPLITS).index(self.split) * SCENES_PER_SPLIT
        return first + index // _VIDEOS_PER_SCENE + 1

    def abnormal(self, index: int) -> bool:
        """Whether something goes wrong in video `index`; a third of them are normal."""
        return int((index + 1) * _ABNORMAL_SHARE + 1e-9) > int(index * _ABNORMAL_SHARE + 1e-9)

    def name(self, index: int) -> str:
        """Returns the name of video `index`."""
        kind = "abnormal" if self.abnormal(index) else "normal"
        return f"{kind}_scene_{self.scene(index)}_scenario_{index % _VIDEOS_PER_SCENE + 1}"

    def folder(self, to: Path, index: int) -> Path:
        """Returns the folder of video `index`."""
        return to / f"Scene{self.scene(index)}"

    def spec(self, index: int) -> VideoSpec:
        """Draws video `index`.

        Raises:
            BadInputError: no place has room for it.
        """
        key = [_DRAW_VERSION, self.seed, list(SPLITS).index(self.split), index // _VIDEOS_PER_SCENE]
        settings_rng = np.random.default_rng(key)
        rng = np.random.default_rng([*key, index % _VIDEOS_PER_SCENE + 1])
        for _ in range(_MAX_SETTINGS):
            setting = random_setting(settings_rng, self.split, self.size)
            with suppress(BadInputError):
                return random_footage(rng, setting, self.split, self.abnormal(index), self.seconds)
        problem = "no place has room for what should happen"
        raise BadInputError(problem, f"{self.size[0]}x{self.size[1]}", "use a larger --size")

    def noise_seed(self, index: int) -> int:
        """Returns the seed of the sensor's noise of video `index`."""
        rng = np.random.default_rng(
            [_DRAW_VERSION, self.seed, list(SPLITS).index(self.split), index, 9]
        )
        return int(rng.integers(2**31))

    def as_json(self) -> dict[str, Any]:
        """Returns the request as it is written beside the footage."""
        return asdict(self) | {"size": list(self.size), "version": VERSION}


@dataclass(frozen=True)
class RenderedSplit:
    """A split on disk.

    Attributes:
        to: its folder.
        videos: how many videos it has.
        abnormal_videos: how many of them show something abnormal.
        frames: of all videos.
        rendered_frames: of those rendered now; the rest was there.
        targets: number of targets by action class.
        slow_share: share of abnormal targets that are no faster than a brisk walker and no
            vehicles.
        wall_s: seconds that it took.
    """

    to: Path
    videos: int
    abnormal_videos: int
    frames: int
    rendered_frames: int
    targets: dict[str, int]
    slow_share: float
    wall_s: float

    def as_json(self) -> dict[str, Any]:
        """Returns the summary with `fps`, rendered frames a second."""
        rate = self.rendered_frames / self.wall_s if self.wall_s else 0.0
        fields = asdict(self) | {"to": str(self.to), "wall_s": round(self.wall_s, 3)}
        return fields | {"slow_share": round(self.slow_share, 3), "fps": round(rate, 1)}


def write_footage(
    to: Path,
    request: FootageRequest,
    processes: int = 1,
    progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> RenderedSplit:
    """Renders a split in UBnormal's layout with the truth of its targets as JSON.

    A stopped run of the same request goes on where it was; same request, same machine: same
    bytes, whatever the number of processes.

    Args:
        to: folder, made when missing; it may hold other splits.
        request: what to render.
        processes: how many videos are rendered at a time.
        progress: told after each video.
        cancel: looked at between frames.

    Raises:
        BadInputError: a value is out of range, `to` is a file, or holds another set of the split.
        ResourceError: the folder cannot be written, or a process died.
        CancelledError: the work was asked to stop.
    """
    request.check()
    if processes < 1:
        raise BadInputError("number of processes out of range", processes, "use 1 or more")
    _check_folder(to, request)
    cancel, began = cancel or CancelToken(), time.monotonic()
    with translated_errors(to):
        _claim(to, request)
        missing = [i for i in range(request.videos) if not _truth(to, request, i).exists()]
        meter = _ProgressMeter(progress, request.videos, len(missing))
        make = partial(_single_threaded, to, request)
        done = map_in_processes(make, _render, missing, processes, cancel)
        rendered = sum(meter.count_frames(frames) for frames in done)
        write_split(to, request.split, [request.name(i) for i in range(request.videos)])
        return _summary(to, request, rendered, time.monotonic() - began)


class _ProgressMeter:
    def __init__(self, progress: ProgressCallback, total: int, missing: int) -> None:
        self._progress, self._total, self._left = progress, total, missing
        self._began, self._frames, self._done = time.monotonic(), 0, 0

    def count_frames(self, frames: int) -> int:
        self._done += 1
        self._left -= 1
        self._frames += frames
        each = (time.monotonic() - self._began) / self._done
        done = self._total - self._left
        left = each * self._left
        self._progress(Progress("rendering", done, self._total, 0.0, left, "videos"))
        return frames


def _render(at: tuple[Path, FootageRequest], index: int, cancel: CancelToken) -> int:
    """Renders one video from its beginning and returns its frames."""
    to, request = at
    folder, name = request.folder(to, index), request.name(index)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / f"{name}_annotations", ignore_errors=True)
    spec = request.spec(index)
    return write_video(folder, name, spec, request.noise_seed(index), cancel).frames


def _single_threaded(to: Path, request: FootageRequest) -> tuple[Path, FootageRequest]:
    cv2.setNumThreads(1)
    return to, request


def _truth(to: Path, request: FootageRequest, index: int) -> Path:
    return request.folder(to, index) / f"{request.name(index)}_targets.json"


def _record(to: Path, split: str) -> Path:
    return to / f"rendered_{split}.json"


def _check_folder(to: Path, request: FootageRequest) -> None:
    if to.exists() and not to.is_dir():
        raise BadInputError("not a folder", to, "name a folder")
    record = _record(to, request.split)
    if record.exists():
        try:
            before = json.loads(record.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BadInputError("a record cannot be read", record, "name another folder") from error
        if before != request.as_json():
            problem = f"the folder holds another {request.split} split"
            raise BadInputError(problem, to, "name another folder, or repeat its own request")
        return
    existing = [split_file(to, request.split, kind) for kind in ("normal", "abnormal")]
    existing += [request.folder(to, index) for index in range(request.videos)]
    if any(path.exists() for path in existing):
        problem = f"the folder holds a {request.split} split of another origin"
        raise BadInputError(problem, to, "name another folder")


def _claim(to: Path, request: FootageRequest) -> None:
    to.mkdir(parents=True, exist_ok=True)
    text = json.dumps(request.as_json(), indent=1) + "\n"
    _record(to, request.split).write_text(text, encoding="utf-8")


def _summary(to: Path, request: FootageRequest, rendered: int, wall_s: float) -> RenderedSplit:
    frames, classes, slow = 0, Counter[str](), []
    abnormal_videos = 0
    for index in range(request.videos):
        truth = json.loads(_truth(to, request, index).read_text("utf-8"))
        frames += truth["frames"]
        abnormal_videos += any(target["abnormal"] for target in truth["targets"])
        for target in truth["targets"]:
            classes[target["class"]] += 1
            if target["abnormal"]:
                fast = target["motion"]["speed_m_s"] > 2.2 or target["kind"] == "vehicle"
                slow.append(not fast)
    share = float(np.mean(slow)) if slow else 0.0
    return RenderedSplit(
        to, request.videos, abnormal_videos, frames, rendered, dict(sorted(classes.items())),
        share, wall_s,
    )  # fmt: skip
