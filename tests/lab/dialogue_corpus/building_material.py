"""Miniature benchmarks with targets that are large enough to be measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.core.geometry import Box
from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest, build_frames
from engine.lab.dialogue_corpus.building.timeline_stage import build_checks, build_timelines
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, encode_mask
from tests.clips import write_video

WIDTH, HEIGHT, COUNT = 96, 64, 100
RED, BLUE, GROUND = (168, 40, 42), (52, 96, 172), (122, 124, 128)


def left_of(frame: int) -> int:
    """The left edge of the one who goes right, stops for 1.4 seconds and goes back."""
    return 4 + min(frame, 40) - max(0, frame - 75)


def body(frame: int) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[20:44, left_of(frame) : left_of(frame) + 8] = True
    return mask


def picture(frame: int) -> NDArray[np.uint8]:
    image = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    mask = body(frame)
    image[mask] = BLUE
    upper = mask.copy()
    upper[32:] = False
    image[upper] = RED
    return image


def grey_picture(frame: int) -> NDArray[np.uint8]:
    shades = picture(frame).mean(2, keepdims=True)
    return np.asarray(np.repeat(shades, 3, axis=2), np.uint8)


def write_ubnormal(root: Path, rows: str = "2,0,99\n", grey: bool = False) -> Path:
    """Two scenes, each with a video in which object 2 crosses, stops and goes back."""
    show = grey_picture if grey else picture
    for scene in (1, 2):
        name = f"abnormal_scene_{scene}_scenario_1"
        folder = root / f"Scene{scene}"
        folder.mkdir(parents=True)
        write_video(folder / f"{name}.mp4", [show(frame) for frame in range(COUNT)])
        masks = folder / f"{name}_annotations"
        masks.mkdir()
        for frame in range(COUNT):
            ids = body(frame).astype(np.uint8) * 2
            Image.fromarray(ids).save(masks / f"{name}_{frame:04d}_gt.png")
        (masks / f"{name}_tracks.txt").write_text(rows)
    return root


def write_shanghaitech(root: Path) -> Path:
    """One test video as images, with masks that know no identity."""
    frames = root / "testing" / "frames" / "01_0014"
    frames.mkdir(parents=True)
    for frame in range(COUNT):
        Image.fromarray(picture(frame)).save(frames / f"{frame:03d}.jpg", quality=95)
    masks = np.array([body(frame) for frame in range(COUNT)], np.uint8)
    for name, values in (("frame", masks.any((1, 2)).astype(np.int8)), ("pixel", masks)):
        folder = root / "testing" / f"test_{name}_mask"
        folder.mkdir()
        np.save(folder / "01_0014.npy", values)
    return root


def run_to_checks(request: BuildRequest) -> None:
    """Runs the first three stages."""
    build_frames(request)
    build_timelines(request.folder)
    build_checks(request.folder)


def record(
    frame: int,
    centre: tuple[float, float],
    *,
    speed: float | None = 0.8,
    direction: str = "right",
    upper: str = "red",
    lower: str = "blue",
    description: dict[str, str] | None = None,
) -> FrameRecord:
    """A record of a target 40 pixels tall whose middle is at a place."""
    box = Box(round(centre[0]) - 10, round(centre[1]) - 20, 20, 40)
    mask = encode_mask(np.ones((box.h, box.w), np.bool_))
    return FrameRecord("v", "c", 1, frame, box, mask, "middle centre", 0.1, upper, lower, speed,
                       direction, description)  # fmt: skip
