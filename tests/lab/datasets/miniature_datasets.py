"""Writes miniature copies of each benchmark's layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray
from PIL import Image

SIZE = (12, 8)
"""Width and height of every miniature frame."""


def square(x: int, y: int, side: int = 3) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE[::-1], np.bool_)
    mask[y : y + side, x : x + side] = True
    return mask


NOTHING = np.zeros(SIZE[::-1], np.bool_)
MASKS = [NOTHING, NOTHING, *(square(x, 2) for x in range(1, 7)), NOTHING, NOTHING]
"""Ten frames; a target crosses from the third to the eighth."""
LABELS = [mask.any() for mask in MASKS]


def write_image(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path)


def write_frames(folder: Path, numbers: Sequence[int], pattern: str) -> None:
    for number in numbers:
        write_image(folder / pattern.format(number), np.zeros(SIZE[::-1], np.uint8))


def repacked_ped(root: Path) -> Path:
    """The common repack, with 1-bit PNG masks and an unpadded, irregular tenth frame."""
    write_frames(root / "training/frames/01", range(4), "{:03d}.jpg")
    for video in ("01", "02", "10"):
        write_frames(root / "testing/frames" / video, range(10), "{:03d}.jpg")
        for number, mask in enumerate(MASKS):
            write_image(root / f"testing/masks/{video}/{number:03d}.png", mask)
    return root


def original_ped(root: Path) -> Path:
    """The original archive, numbered from 1, with .bmp masks and files that do not belong."""
    write_frames(root / "Train/Train001", range(1, 5), "{:03d}.tif")
    for video in ("Test001", "Test002"):
        write_frames(root / "Test" / video, range(1, 11), "{:03d}.tif")
        (root / "Test" / video / ".DS_Store").write_bytes(b"x")
        (root / "Test" / video / "._001.tif").write_bytes(b"x")
    for number, mask in enumerate(MASKS, start=1):
        write_image(root / f"Test/Test001_gt/{number:03d}.bmp", mask.astype(np.uint8) * 255)
        write_image(root / f"Test/Test002_gt/{number:03d}.bmp", mask)
    return root


def avenue(root: Path, masks: Sequence[NDArray[np.bool_]] = MASKS) -> Path:
    for folder, count in (("training_videos", 2), ("testing_videos", 11)):
        (root / folder).mkdir(parents=True)
        for number in range(1, count + 1):
            (root / folder / f"{number:02d}.avi").touch()
    labels = root / "ground_truth_demo/testing_label_mask"
    labels.mkdir(parents=True)
    cells = np.empty((1, len(masks)), object)
    for index, mask in enumerate(masks):
        cells[0, index] = mask.astype(np.uint8)
    for number in range(1, 12):
        scipy.io.savemat(labels / f"{number}_label.mat", {"volLabel": cells})
    return root


def shanghaitech(root: Path) -> Path:
    (root / "training/videos").mkdir(parents=True)
    for name in ("01_001", "01_002", "13_007"):
        (root / f"training/videos/{name}.avi").touch()
    for folder in ("test_frame_mask", "test_pixel_mask"):
        (root / "testing" / folder).mkdir(parents=True)
    for name in ("01_0014", "13_0001"):
        write_frames(root / "testing/frames" / name, range(10), "{}.jpg")
        np.save(root / f"testing/test_frame_mask/{name}.npy", np.array(LABELS, np.int8))
        np.save(root / f"testing/test_pixel_mask/{name}.npy", np.array(MASKS, np.uint8))
    return root


def ubnormal_video(root: Path, name: str, rows: str | None, ids: NDArray[np.uint8] | None) -> Path:
    """Writes a video of UBnormal; `ids` is uint8 [n, H, W], `rows` the text of the tracks file."""
    scene = root / f"Scene{name.split('_')[2]}"
    annotations = scene / f"{name}_annotations"
    scene.mkdir(parents=True, exist_ok=True)
    (scene / f"{name}.mp4").touch()
    for frame, pixels in enumerate(() if ids is None else ids):
        write_image(annotations / f"{name}_{frame:04d}_gt.png", pixels)
    if rows is not None:
        (annotations / f"{name}_tracks.txt").write_text(rows)
    return scene


def object_ids() -> NDArray[np.uint8]:
    """Ten frames: object 2 crosses and leaves a crumb, object 7 stands still throughout."""
    ids = np.zeros((10, *SIZE[::-1]), np.uint8)
    for frame in range(10):
        ids[frame][square(min(frame, 7), 1)] = 2
        ids[frame][square(8, 5)] = 7
        ids[frame, 7, 0] = 2
    return ids


def ubnormal(root: Path) -> Path:
    for name in ("abnormal_scene_1_scenario_2", "abnormal_scene_10_scenario_1_fog"):
        ubnormal_video(root, name, "2.000000e+00,3.0e+00,5.0e+00\n\n", object_ids())
    ubnormal_video(root, "normal_scene_1_scenario1_9", None, None)
    ubnormal_video(root, "normal_scene_10_scenario_3_smoke", None, object_ids())
    return root
