"""Writes the sample video and its truth: `python -m engine.lab.synthesis.sample [FOLDER]`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.lab.synthesis.actors import ActorSpec
from engine.lab.synthesis.people.clothing import random_look
from engine.lab.synthesis.people.routes import Route
from engine.lab.synthesis.render_video import VideoSpec, render_video
from engine.lab.synthesis.scene.backdrop import Light, SceneSpec
from engine.lab.synthesis.scene.camera import Camera
from engine.lab.synthesis.scene.figures import Bytes
from engine.lab.synthesis.scene.props import PropSpec
from engine.lab.synthesis.target_truth import TruthRecorder
from engine.lab.synthesis.write_videos import describe, encode

SEED = 7
FOLDER = Path("resources/sample")
_CRF = 22


def sample_spec(seed: int = SEED) -> VideoSpec:
    """Returns the sample: ten seconds of a park path, five walkers, one fast cyclist at the end."""
    rng = np.random.default_rng(seed)
    walkers = (
        (Route((-8.0, 11.2), (8.5, 13.2), 0.2), 1.25, -2.6),
        (Route((9.2, 13.9), (-8.6, 11.9), -0.2), 1.4, -5.0),
        (Route((8.2, 12.6), (-8.0, 10.7), 0.0), 1.15, -0.6),
        (Route((-8.6, 12.2), (9.2, 14.2), 0.2), 1.3, 1.0),
        (Route((-8.4, 11.7), (8.8, 13.7), 0.0), 1.2, -8.0),
    )
    actors = [
        ActorSpec(
            number=index + 1,
            kind="walker",
            abnormal=False,
            action="walking",
            route=route,
            speed=speed,
            start_s=start_s,
            phase=float(rng.uniform(0, 2 * math.pi)),
            look=random_look(rng),
        )
        for index, (route, speed, start_s) in enumerate(walkers)
    ]
    look = replace(
        random_look(rng, riding=True),
        upper="red",
        lower="black",
        garment="trousers",
        bag="none",
        bicycle="blue",
    )
    route = Route((-7.6, 10.1), (8.6, 12.1), 0.0)
    actors.append(ActorSpec(6, "cyclist", True, "cycling", route, 6.2, 6.2, 0.0, look))
    return VideoSpec(_scene(), 25, 10.0, tuple(actors), noise=1.0, blur=0.5, grey=False)


def _scene() -> SceneSpec:
    camera = Camera(640, 360, elevation=5.2, tilt=math.radians(21), focal=560.0)
    props = (
        PropSpec("tree", (-5.6, 17.2), 0.4, 1.1, 11),
        PropSpec("tree", (6.6, 18.0), 2.0, 1.0, 12),
        PropSpec("lamp", (2.2, 15.8), -1.2, 1.0, 13),
        PropSpec("bench", (-1.6, 15.2), 0.11, 1.0, 14),
        PropSpec("bin", (0.3, 15.4), 0.0, 1.0, 15),
        PropSpec("bollard", (-2.6, 8.9), 0.0, 1.0, 16),
        PropSpec("bollard", (1.6, 9.4), 0.0, 1.0, 17),
    )
    return SceneSpec(
        camera=camera,
        layout="park",
        way=(0.0, 12.1),
        way_turn=0.11,
        way_width=5.2,
        wall=20.5,
        wall_colour=(0.6, 0.52, 0.42),
        tone=0.56,
        slab=(0.8, 0.6),
        light=Light(azimuth=2.5, altitude=0.85, sun=0.6, exposure=1.12, warmth=0.5),
        props=props,
        seed=SEED,
    )


def write_sample(folder: Path = FOLDER, spec: VideoSpec | None = None) -> None:
    """Writes `sample.mp4` and `sample.json` (its truth) into a folder, made when missing.

    Args:
        folder: where.
        spec: what it shows; `sample_spec()` when None.

    Raises:
        OSError: a file cannot be written.
    """
    spec = spec or sample_spec()
    folder.mkdir(parents=True, exist_ok=True)
    recorder = TruthRecorder(spec.actors, spec.fps)

    def frames() -> Iterator[Bytes]:
        for index, (rgb, ids) in enumerate(render_video(spec, SEED)):
            recorder.add(index, ids)
            yield rgb

    encode(folder / "sample.mp4", frames(), spec.fps, spec.size, _CRF, portable=False)
    truth = describe("sample", spec, tuple(recorder.targets()))
    (folder / "sample.json").write_text(truth, encoding="utf-8")


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
