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
from engine.core.files import write_atomically
from engine.core.progress import CancelToken
from engine.lab.synthesis.render_video import VideoSpec, render_video
from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.target_truth import RenderedTarget, TruthRecorder

SPLITS = {"train": "training", "validation": "validation", "test": "test"}
"""Our names of the splits and those in UBnormal's file names."""

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
    targets: tuple[RenderedTarget, ...]


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
    frames = _record_frames(spec, seed, annotations / name, recorder, cancel or CancelToken())
    encode(path, frames, spec.fps, spec.size, spec.sensor.crf)
    targets = tuple(recorder.targets())
    rows = [(t.object_id, *span) for t in targets for span in t.abnormal_spans]
    if rows:
        text = "".join(f"{number},{first},{last}\n" for number, first, last in rows)
        (annotations / f"{name}_tracks.txt").write_text(text, encoding="ascii")
    # Last and at once: a video is whole when its targets are there.
    truth = describe(name, spec, targets)
    write_atomically(folder / f"{name}_targets.json", truth.encode("utf-8"))
    return WrittenVideo(name, path, spec.frames, targets)


def _record_frames(
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


def describe(name: str, spec: VideoSpec, targets: tuple[RenderedTarget, ...]) -> str:
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
) -> None:
    """Writes H.264 in mp4, bit for bit the same for the same frames on the same machine.

    Args:
        path: the mp4, replaced when it exists.
        frames: uint8 [h, w, 3], RGB.
        fps: frames a second.
        size: even width and height in pixels.
        crf: x264's quality, lower is better.

    Raises:
        OSError: the file cannot be written.
    """
    # x264's result depends on the number of threads, and its fastest code for macroblock trees
    # differs even from run to run at some sizes.
    options = {
        "crf": str(crf), "preset": "veryfast", "threads": "1", "x264-params": "cpu-independent=1",
    }  # fmt: skip
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
def translated_errors(to: Path) -> Iterator[None]:
    """Turns a failure to write below `to` into a `ResourceError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(
            f"the data set cannot be written ({reason})", to, "name a folder with room"
        ) from error
