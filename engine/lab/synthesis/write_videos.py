"""Writes rendered videos in UBnormal's layout, with a JSON of their targets beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken, Progress, ProgressCallback, silent
from engine.lab.synthesis.render_video import VideoSpec, render_video
from engine.lab.synthesis.scenario import random_scene, random_spec
from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.target_truth import Target, TruthRecorder

SPLITS = {"train": "training", "validation": "validation", "test": "test"}
"""Our names of the splits and those in UBnormal's file names."""

_VIDEOS_PER_SCENE = 4
SCENES_PER_SPLIT = 1000
"""Scenes are numbered from 1 in train, from 1001 in validation, from 2001 in test."""


@dataclass(frozen=True)
class WrittenVideo:
    """A video on disk.

    Attributes:
        name: its name in the split files.
        path: the mp4.
        frames: number of frames.
        targets: the truth about its actors.
    """

    name: str
    path: Path
    frames: int
    targets: tuple[Target, ...]


def write_dataset(
    to: Path,
    videos: int,
    seed: int,
    split: str = "test",
    abnormal_share: float = 2 / 3,
    size: tuple[int, int] = (640, 360),
    seconds: float | None = None,
    progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> list[WrittenVideo]:
    """Renders a set of videos in UBnormal's layout.

    `Scene{N}/{name}.mp4`, `Scene{N}/{name}_annotations/{name}_{frame:04d}_gt.png` and, for an
    abnormal video, `{name}_tracks.txt` among them; `Scene{N}/{name}_targets.json` with the truth
    in words; `{abnormal,normal}_{training,validation,test}_video_names.txt`. Scenes (cameras,
    textures, props) of different splits never coincide. Same arguments, same machine: same bytes.

    Args:
        to: folder, made when missing; no part of the split may lie in it yet.
        videos: how many.
        seed: of everything drawn.
        split: `train`, `validation` or `test`.
        abnormal_share: share of videos with an abnormal target, 0..1.
        size: even width and height in pixels, at least 64.
        seconds: duration of each video; 8 to 12 s when None.
        progress: told after each video.
        cancel: looked at between frames.

    Raises:
        BadInputError: an argument is out of range, `to` is a file, or holds a part of the split.
        ResourceError: the folder cannot be written.
        CancelledError: the work was asked to stop.
    """
    _check(to, videos, seed, split, abnormal_share)
    check_picture(size, seconds)
    cancel = cancel or CancelToken()
    written: list[WrittenVideo] = []
    with writing(to):
        to.mkdir(parents=True, exist_ok=True)
        for index in range(videos):
            draw = _Draw(seed, split, index)
            spec = draw.spec(abnormal_share, size, seconds)
            folder = to / f"Scene{draw.scene_number}"
            folder.mkdir(parents=True, exist_ok=True)
            written.append(write_video(folder, draw.name(spec), spec, draw.noise_seed, cancel))
            progress(Progress("rendering", index + 1, videos, unit="videos"))
        write_split(to, split, [video.name for video in written])
    return written


def check_picture(size: tuple[int, int], seconds: float | None) -> None:
    """Checks the size and duration of a video.

    Raises:
        BadInputError: the size is odd or under 64, or the duration outside 2..60 s.
    """
    if min(size) < 64 or size[0] % 2 or size[1] % 2:
        raise BadInputError(
            "a picture's size is odd or too small", f"{size[0]}x{size[1]}", "use even sizes from 64"
        )
    if seconds is not None and not 2 <= seconds <= 60:
        raise BadInputError("a duration lies outside 2..60 s", seconds, "use 2 to 60")


def _check(to: Path, videos: int, seed: int, split: str, abnormal_share: float) -> None:
    if split not in SPLITS:
        raise BadInputError("not a split", split, "use train, validation or test")
    if not 1 <= videos <= _VIDEOS_PER_SCENE * SCENES_PER_SPLIT:
        raise BadInputError(
            "number of videos out of range",
            videos,
            f"use 1 to {_VIDEOS_PER_SCENE * SCENES_PER_SPLIT}",
        )
    if seed < 0:
        raise BadInputError("a seed is negative", seed, "use 0 or more")
    if not 0 <= abnormal_share <= 1:
        raise BadInputError("a share lies outside 0..1", abnormal_share, "use 0 to 1")
    first = list(SPLITS).index(split) * SCENES_PER_SPLIT
    scenes = [to / f"Scene{first + n + 1}" for n in range(SCENES_PER_SPLIT)]
    files = [split_file(to, split, kind) for kind in ("normal", "abnormal")]
    if to.exists() and not to.is_dir():
        raise BadInputError("not a folder", to, "name a folder")
    if any(path.exists() for path in scenes + files):
        raise BadInputError(
            f"the folder holds a {split} split already, or a part of one", to, "name another folder"
        )


@dataclass(frozen=True)
class _Draw:
    """What the seed says about video `index` of a split."""

    seed: int
    split: str
    index: int

    @property
    def _key(self) -> list[int]:
        return [self.seed, list(SPLITS).index(self.split), self.index // _VIDEOS_PER_SCENE]

    @property
    def scene_number(self) -> int:
        return self._key[1] * SCENES_PER_SPLIT + self._key[2] + 1

    @property
    def noise_seed(self) -> int:
        return int(np.random.default_rng([*self._key, self.index, 1]).integers(2**31))

    def spec(
        self, abnormal_share: float, size: tuple[int, int], seconds: float | None
    ) -> VideoSpec:
        """Draws the video; abnormal ones lie evenly among the others."""
        scene = random_scene(np.random.default_rng(self._key), size)
        # The small number undoes rounding, as in 3 x 2/3.
        before, after = (int((self.index + n) * abnormal_share + 1e-9) for n in (0, 1))
        rng = np.random.default_rng([*self._key, self.index])
        return random_spec(rng, after > before, scene, seconds)

    def name(self, spec: VideoSpec) -> str:
        kind = "abnormal" if any(actor.abnormal for actor in spec.actors) else "normal"
        return f"{kind}_scene_{self.scene_number}_scenario_{self.index % _VIDEOS_PER_SCENE + 1}"


def write_video(
    folder: Path, name: str, spec: VideoSpec, seed: int, cancel: CancelToken | None = None
) -> WrittenVideo:
    """Renders one video with its annotations into a folder that exists.

    Args:
        folder: where.
        name: of the video; files are named after it.
        spec: what it shows.
        seed: of the sensor's noise.
        cancel: looked at between frames.

    Raises:
        CancelledError: the work was asked to stop.
        OSError: a file cannot be written.
    """
    annotations = folder / f"{name}_annotations"
    annotations.mkdir(exist_ok=True)
    recorder = TruthRecorder(spec.actors, spec.fps)
    path = folder / f"{name}.mp4"
    frames = _recorded(spec, seed, annotations / name, recorder, cancel or CancelToken())
    encode(path, frames, spec.fps, spec.size, spec.sensor.crf)
    targets = tuple(recorder.targets())
    rows = [(t.object_id, *span) for t in targets for span in t.abnormal_spans]
    if rows:
        text = "".join(f"{number},{first},{last}\n" for number, first, last in rows)
        (annotations / f"{name}_tracks.txt").write_text(text, encoding="ascii")
    # Last and at once: a video is whole when its targets are there.
    part = folder / f"{name}_targets.part"
    part.write_text(describe(name, spec, targets), encoding="utf-8")
    part.replace(folder / f"{name}_targets.json")
    return WrittenVideo(name, path, spec.frames, targets)


def _recorded(
    spec: VideoSpec, seed: int, stem: Path, recorder: TruthRecorder, cancel: CancelToken
) -> Iterator[Bytes]:
    for index, (rgb, ids) in enumerate(render_video(spec, seed)):
        cancel.check()
        recorder.add(index, ids)
        ok, data = cv2.imencode(".png", ids, [cv2.IMWRITE_PNG_COMPRESSION, 3])
        if not ok:
            raise ResourceError("an annotation cannot be encoded", stem, "free some memory")
        stem.with_name(f"{stem.name}_{index:04d}_gt.png").write_bytes(data.tobytes())
        yield rgb


def describe(name: str, spec: VideoSpec, targets: tuple[Target, ...]) -> str:
    """Returns the truth of a video as JSON text."""
    width, height = spec.size
    look = "grey" if spec.grey and not spec.sensor.colourless else spec.sensor.look
    truth = {
        "video": name,
        "frames": spec.frames,
        "fps": spec.fps,
        "size": [width, height],
        "scene": {"layout": spec.scene.layout, "grey": spec.grey, "look": look},
        "targets": [target.as_json() for target in targets],
    }
    return json.dumps(truth, indent=1) + "\n"


def encode(
    path: Path,
    frames: Iterator[Bytes],
    fps: int,
    size: tuple[int, int],
    crf: int = 20,
    portable: bool = True,
) -> None:
    """Writes H.264 in mp4, bit for bit the same for the same frames on the same machine.

    Args:
        path: the mp4, replaced when it exists.
        frames: uint8 [h, w, 3], RGB.
        fps: frames a second.
        size: even width and height in pixels.
        crf: x264's quality, lower is better.
        portable: whether x264 keeps to code that gives the same on every processor; its fastest
            code for macroblock trees differs even from run to run at some sizes.

    Raises:
        OSError: the file cannot be written.
    """
    # One encoding thread: x264's result depends on how many there are.
    options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
    if portable:
        options["x264-params"] = "cpu-independent=1"
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 2 * fps
        for rgb in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def split_file(to: Path, split: str, kind: str) -> Path:
    """Returns the file that names the `normal` or `abnormal` videos of a split."""
    return to / f"{kind}_{SPLITS[split]}_video_names.txt"


def write_split(to: Path, split: str, names: list[str]) -> None:
    """Writes the files that name the videos of a split."""
    for kind in ("normal", "abnormal"):
        lines = [f"{name}\n" for name in names if name.startswith(f"{kind}_")]
        split_file(to, split, kind).write_text("".join(lines), encoding="ascii")


@contextmanager
def writing(to: Path) -> Iterator[None]:
    """Turns a failure to write below `to` into a `ResourceError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(
            f"the data set cannot be written ({reason})", to, "name a folder with room"
        ) from error
