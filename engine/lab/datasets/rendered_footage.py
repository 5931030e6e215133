"""Rendered footage as `synth` writes it: videos with ground truth about their targets, by split."""

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

_SPLITS = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Target:
    """One actor of a rendered video.

    Attributes:
        number: its value in the images of object ids.
        kind: `person`, `cyclist`, `skater`, `vehicle`, `object`.
        appearance: what it looks like in words, by part.
        spans: inclusive spans of frames in which it is abnormal; none for a normal one.
        classes: its class (`cycling`, `walking`) with first and last frame, for every span.
    """

    number: int
    kind: str
    appearance: Mapping[str, str]
    spans: tuple[tuple[int, int], ...]
    classes: tuple[tuple[str, int, int], ...]

    def abnormal_at(self, frame: int) -> bool:
        """Returns whether it is abnormal in a frame."""
        return any(first <= frame <= last for first, last in self.spans)

    def class_at(self, frame: int) -> str:
        """Returns its class in a frame; empty where it is out of view."""
        return next((name for name, first, last in self.classes if first <= frame <= last), "")

    def class_in(self, first: int, last: int) -> str:
        """Returns the class that fills most of a span; empty when it is out of view."""
        shares: dict[str, int] = {}
        for name, start, end in self.classes:
            length = min(last, end) - max(first, start) + 1
            if length > 0:
                shares[name] = shares.get(name, 0) + length
        return max(shares, key=lambda name: shares[name], default="")

    @property
    def abnormal_classes(self) -> frozenset[str]:
        """Its classes in the frames in which it is abnormal."""
        return frozenset(
            name
            for name, first, last in self.classes
            if any(first <= end and last >= begin for begin, end in self.spans)
        )


@dataclass(frozen=True)
class RenderedVideo:
    """A rendered video with its ground truth.

    Attributes:
        name: name of the video.
        path: the mp4.
        frames: number of frames.
        fps: frames a second.
        size: width and height in pixels.
        layout: the layout of the scene in a word.
        grey: whether it is without colour.
        targets: everyone and everything that moves or was abandoned.
    """

    name: str
    path: Path
    frames: int
    fps: float
    size: tuple[int, int]
    layout: str
    grey: bool
    targets: tuple[Target, ...]

    @property
    def camera(self) -> str:
        """Number of its scene, the third word of its name; one camera films each scene."""
        return self.name.split("_")[2]

    @property
    def normal(self) -> bool:
        """Whether nothing in it is abnormal."""
        return not any(target.spans for target in self.targets)

    @property
    def classes(self) -> frozenset[str]:
        """Classes of its abnormal targets."""
        return frozenset().union(*(target.abnormal_classes for target in self.targets))

    def abnormal(self, first: int, last: int) -> tuple[Target, ...]:
        """Returns the targets that are abnormal somewhere in a span."""
        return tuple(
            target
            for target in self.targets
            if any(start <= last and end >= first for start, end in target.spans)
        )

    def ids(self, frame: int) -> NDArray[np.uint8]:
        """Reads the object ids of a frame, uint8 [height, width], 0 = background.

        Raises:
            BadInputError: the image is missing or of another size.
        """
        folder = self.path.with_name(f"{self.name}_annotations")
        path = folder / f"{self.name}_{frame:04d}_gt.png"
        ids = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if ids is None or ids.shape != (self.size[1], self.size[0]):
            raise BadInputError("an annotation is missing or damaged", path, "render again")
        return np.asarray(ids, np.uint8)


def rendering_command(root: Path, split: str) -> str:
    """Returns the command that rendered a split, as far as its record says; empty without one."""
    try:
        record = json.loads((root / f"rendered_{split}.json").read_text("utf-8"))
        words = [f"main.py synth --to {root.name} --videos {int(record['videos'])}"]
        words.append(f"--seed {int(record['seed'])} --split {split}")
        if record.get("seconds") is not None:
            words.append(f"--seconds {float(record['seconds']):g}")
        return " ".join(words)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def rendered_videos(root: Path, split: str) -> list[RenderedVideo]:
    """Lists the rendered videos of a split, in the order of their names.

    Args:
        root: a folder that `synth` wrote.
        split: `train`, `validation` or `test`.

    Raises:
        BadInputError: there is no such split, or a file of it is missing or damaged.
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


def _video(root: Path, name: str) -> RenderedVideo:
    scene = name.split("_")[2] if name.count("_") >= 2 else ""
    path = root / f"Scene{scene}" / f"{name}_targets.json"
    try:
        truth: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        width, height = (int(side) for side in truth["size"])
        return RenderedVideo(
            name,
            path.with_name(f"{name}.mp4"),
            int(truth["frames"]),
            float(truth["fps"]),
            (width, height),
            str(truth["scene"]["layout"]),
            bool(truth["scene"]["grey"]),
            tuple(_target(target) for target in truth["targets"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"the targets of a video cannot be read ({error})", path, "render again"
        ) from error


def _target(value: Mapping[str, Any]) -> Target:
    return Target(
        int(value["object_id"]),
        str(value["kind"]),
        {str(name): str(words) for name, words in value["appearance"].items()},
        tuple((int(first), int(last)) for first, last in value["abnormal_spans"]),
        tuple((str(name), int(first), int(last)) for name, first, last in value["class_spans"]),
    )
