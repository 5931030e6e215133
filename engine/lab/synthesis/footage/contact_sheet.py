"""Draws a contact sheet of a split.

Run: `python -m engine.lab.synthesis.footage.contact_sheet ROOT FILE.jpg [SPLIT]`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from engine.core.build import program
from engine.core.errors import BadInputError
from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.write_videos import split_file

_TILE = (320, 180)  # pixels of one frame: four beside each other fit a page of a document
_COLUMNS = 4  # frames beside each other
_ABNORMAL_RGB = (255, 64, 48)  # red, as the overlays of the application
_ODD_RGB = (96, 220, 96)  # green, well apart from red on any ground


def contact_sheet(root: Path, split: str = "test", max_videos: int = 20) -> Bytes:
    """Draws one frame of each of the first videos, with what its targets do.

    Args:
        root: a folder that `synth` wrote.
        split: `train`, `validation` or `test`.
        max_videos: how many videos at most.

    Returns:
        RGB, uint8 [h, w, 3]: abnormal targets boxed in red, normal ones that do not simply walk
        named in green.

    Raises:
        BadInputError: the split is not there.
    """
    names: list[str] = []
    for kind in ("abnormal", "normal"):
        names_path = split_file(root, split, kind)
        if not names_path.exists():
            remedy = f"render it with {program()} synth"
            raise BadInputError(f"no {split} split there", root, remedy)
        names += names_path.read_text("ascii").split()
    names.sort(key=lambda name: [int(word) for word in name.split("_") if word.isdigit()])
    tiles = [_tile(root, name) for name in names[:max_videos]]
    columns = min(_COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(np.vstack(rows), dtype=np.uint8)


def _tile(root: Path, name: str) -> Bytes:
    folder = root / f"Scene{name.split('_')[2]}"
    truth = json.loads((folder / f"{name}_targets.json").read_text("utf-8"))
    frame = _busiest(truth)
    rgb = _frame(folder / f"{name}.mp4", frame)
    path = folder / f"{name}_annotations" / f"{name}_{frame:04d}_gt.png"
    ids = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), dtype=np.uint8)
    rgb = np.asarray(cv2.resize(rgb, _TILE, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    for target in truth["targets"]:
        mask = np.asarray(ids == target["object_id"], dtype=np.uint8)
        if mask.any():
            _mark(rgb, mask, target, frame)
    return rgb


def _busiest(truth: dict[str, Any]) -> int:
    """Returns the frame in which most targets are abnormal; the middle one when none is."""
    spans = [span for target in truth["targets"] for span in target["abnormal_spans"]]
    counts = np.zeros(truth["frames"], dtype=int)
    for first, last in spans:
        counts[first : last + 1] += 1
    best = np.flatnonzero(counts == counts.max())
    return int(best[len(best) // 2])


def _frame(path: Path, number: int) -> Bytes:
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    raise BadInputError("a video is shorter than its truth", path, "render it anew")


def _mark(rgb: Bytes, mask: Bytes, target: dict[str, Any], frame: int) -> None:
    share = (_TILE[0] / mask.shape[1], _TILE[1] / mask.shape[0])
    x, y, width, height = cv2.boundingRect(mask)
    left, top = int(x * share[0]) - 2, int(y * share[1]) - 2
    right, bottom = int((x + width) * share[0]) + 2, int((y + height) * share[1]) + 2
    doing = next(name for name, a, b in target["class_spans"] if a <= frame <= b) if (
        target["first_frame"] <= frame <= target["last_frame"]) else target["class"]  # fmt: skip
    odd = any(first <= frame <= last for first, last in target["abnormal_spans"])
    if odd:
        cv2.rectangle(rgb, (left, top), (right, bottom), _ABNORMAL_RGB, 1)
    elif doing == "walking":
        return
    position = (max(1, left), max(9, top - 3))
    colour = _ABNORMAL_RGB if odd else _ODD_RGB
    for shift, ink in ((1, (0, 0, 0)), (0, colour)):
        spot = (position[0] + shift, position[1] + shift)
        cv2.putText(rgb, doing, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.32, ink, 1, cv2.LINE_AA)


if __name__ == "__main__":
    sheet = contact_sheet(Path(sys.argv[1]), sys.argv[3] if len(sys.argv) > 3 else "test")
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    cv2.imwrite(sys.argv[2], bgr, [cv2.IMWRITE_JPEG_QUALITY, 82])
