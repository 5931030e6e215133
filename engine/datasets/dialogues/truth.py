"""What is true of a span of a rendered video: its target in words, from where to where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.places import cell_name, direction_name
from engine.datasets.dialogues.wording import Truth

_SPLITS = {"train": "training", "validation": "validation", "test": "test"}
_STILL = 0.04
"""Share of the picture's diagonal that a target moves at least to have a direction."""


@dataclass(frozen=True)
class Actor:
    """One target of a rendered video.

    Attributes:
        number: its value in the id pictures.
        kind: `person`, `cyclist`, `skater`, `vehicle`, `object`.
        appearance: what it looks like in words, by part.
        spans: inclusive spans of frames in which it is abnormal.
        classes: action class with first and last frame of each stretch.
    """

    number: int
    kind: str
    appearance: Mapping[str, str]
    spans: tuple[tuple[int, int], ...]
    classes: tuple[tuple[str, int, int], ...]

    def class_in(self, first: int, last: int) -> str:
        """Returns the class that fills most of a span; empty when it is out of view."""
        shares: dict[str, int] = {}
        for name, start, end in self.classes:
            length = min(last, end) - max(first, start) + 1
            if length > 0:
                shares[name] = shares.get(name, 0) + length
        return max(shares, key=lambda name: shares[name], default="")


@dataclass(frozen=True)
class TruthVideo:
    """A rendered video with its truth.

    Attributes:
        name: of the video.
        path: the mp4.
        frames: number of frames.
        fps: frames a second.
        size: width and height in pixels.
        layout: of the scene, in a word.
        grey: whether it is without colour.
        actors: everyone and everything that moves or was left.
    """

    name: str
    path: Path
    frames: int
    fps: float
    size: tuple[int, int]
    layout: str
    grey: bool
    actors: tuple[Actor, ...]

    def abnormal(self, first: int, last: int) -> tuple[Actor, ...]:
        """Returns the targets that are abnormal somewhere in a span."""
        return tuple(
            actor
            for actor in self.actors
            if any(start <= last and end >= first for start, end in actor.spans)
        )

    def ids(self, frame: int) -> NDArray[np.uint8]:
        """Reads the object ids of a frame, uint8 [height, width], 0 = background.

        Raises:
            BadInputError: the picture is missing or of another size.
        """
        folder = self.path.with_name(f"{self.name}_annotations")
        path = folder / f"{self.name}_{frame:04d}_gt.png"
        ids = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if ids is None or ids.shape != (self.size[1], self.size[0]):
            raise BadInputError("an annotation is missing or damaged", path, "render again")
        return np.asarray(ids, np.uint8)


def truth_videos(root: Path, split: str) -> list[TruthVideo]:
    """Lists the rendered videos of a split, in the order of their names.

    Args:
        root: a folder that `synth` wrote.
        split: `train`, `validation` or `test`.

    Raises:
        BadInputError: the folder holds no such split, or a file of it is missing or damaged.
    """
    if split not in _SPLITS:
        raise BadInputError("not a split", split, f"use {', '.join(_SPLITS)}")
    names: list[str] = []
    for kind in ("abnormal", "normal"):
        path = root / f"{kind}_{_SPLITS[split]}_video_names.txt"
        if path.is_file():
            names += path.read_text(encoding="utf-8").split()
    if not names:
        raise BadInputError(f"no {split} split", root, "name a folder that synth wrote")
    return [_video(root, name) for name in sorted(names)]


def span_truth(
    video: TruthVideo, target: Actor | None, boxes: tuple[tuple[float, float], ...], people: int,
    span: tuple[int, int],
) -> Truth:  # fmt: skip
    """Says what is true of a span.

    Args:
        video: it is a span of.
        target: that is abnormal in it; None for a normal span.
        boxes: centres of the target's box at the start and at the end, in pixels.
        people: how many others are in view.
        span: first and last frame.
    """
    if target is None:
        return Truth(None, video.layout, video.grey, people)
    (x0, y0), (x1, y1) = boxes[0], boxes[-1]
    far = np.hypot(x1 - x0, y1 - y0) / np.hypot(*video.size) >= _STILL
    return Truth(
        target=target.class_in(*span) or "walking",
        layout=video.layout,
        grey=video.grey,
        people=people,
        kind=target.kind,
        appearance=dict(target.appearance),
        from_cell=cell_name(x0, y0, *video.size),
        to_cell=cell_name(x1, y1, *video.size),
        direction=direction_name(x1 - x0, y1 - y0) if far else "",
    )


def _video(root: Path, name: str) -> TruthVideo:
    scene = name.split("_")[2] if name.count("_") >= 2 else ""
    path = root / f"Scene{scene}" / f"{name}_targets.json"
    try:
        truth: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        width, height = (int(side) for side in truth["size"])
        return TruthVideo(
            name,
            path.with_name(f"{name}.mp4"),
            int(truth["frames"]),
            float(truth["fps"]),
            (width, height),
            str(truth["scene"]["layout"]),
            bool(truth["scene"]["grey"]),
            tuple(_actor(one) for one in truth["targets"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"the targets of a video cannot be read ({error})", path, "render again"
        ) from error


def _actor(value: Mapping[str, Any]) -> Actor:
    return Actor(
        int(value["object_id"]),
        str(value["kind"]),
        {str(name): str(one) for name, one in value["appearance"].items()},
        tuple((int(first), int(last)) for first, last in value["abnormal_spans"]),
        tuple((str(name), int(first), int(last)) for name, first, last in value["class_spans"]),
    )
