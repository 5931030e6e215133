"""Footage and cases for the tests of the analysis: small, with slow targets and a fast one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from engine.case import Case, RunRow
from engine.core.progress import CancelToken, ProgressCallback, silent
from engine.core.settings import AnalysisSettings, MotionSettings
from engine.core.stream import Frame, FrameIndex, StreamInfo
from engine.media.pixel_converter import Pixels
from engine.media.source import Size, Source
from engine.motion.analysis_plan import AnalysisPlan, make_plan
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.normal_footage import hash_normal_footage
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming
from tests.clips import Image, write_video

WIDTH, HEIGHT = 160, 96
QUICK = {"preset": "ultrafast", "x264-params": "keyint=12:scenecut=0:bframes=0"}
# The shortest chunks there are: 32 frames.
SHORT_CHUNKS = AnalysisSettings(motion=MotionSettings(chunk_seconds=1.0))
RECIPE = Recipe(SHORT_CHUNKS)


def street(count: int, fast: Sequence[int] = (), seed: int = 0) -> list[Image]:
    """Bright boxes that walk through a textured picture, one after another: RGB [96, 160, 3].

    From each frame in `fast` on another one runs through at five times their speed.
    """
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.integers(70, 120, (HEIGHT // 4, WIDTH // 4)), np.ones((4, 4)))
    frames = []
    for number in range(count):
        picture = ground + rng.normal(0, 1.0, ground.shape)
        walkers = [((number + 20) % 190 - 28, 8), ((number + 115) % 190 - 28, 64)]
        runners = [(5 * (number - start) - 28, 36) for start in fast if number >= start]
        for x, y in [*walkers, *runners]:
            left, right = max(0, x), max(0, min(WIDTH, x + 28))
            picture[y : y + 24, left:right] = 210 + 20 * ((np.arange(left, right) - x) // 4 % 2)
        grey = np.clip(picture, 0, 255).astype(np.uint8)
        frames.append(np.repeat(grey[..., None], 3, axis=2))
    return frames


def street_video(path: Path, count: int = 130, fast: Sequence[int] = (60,), seed: int = 0) -> Path:
    return write_video(path, street(count, fast, seed), options=QUICK)


class MadeSource(Source):
    """Frames in memory, of which some are damaged or not there; counts what is read."""

    def __init__(
        self,
        pictures: NDArray[np.uint8],
        *,
        damaged: Sequence[int] = (),
        absent: Sequence[int] = (),
        pts: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        keyframes: int = 12,
    ) -> None:
        count, height, width = pictures.shape
        self.path = Path("/made")
        self.pictures = pictures
        self.damaged, self.absent = frozenset(damaged), frozenset(absent)
        self.read: list[int] = []
        self.info = StreamInfo(0, "made", "made", width, height, time_base, None)
        times = np.arange(count) if pts is None else np.array(pts)
        self.index = FrameIndex(
            pts=times.astype(np.int64),
            keyframe=np.arange(count) % keyframes == 0,
            duration=np.ones(count, np.int64),
            time_base=time_base,
        )

    def frame(self, i: int, pixels: Pixels = "rgb") -> Frame:
        raise NotImplementedError

    def close(self) -> None:
        return

    def _iterate(self, indices: range, size: Size, pixels: Pixels) -> Iterator[Frame]:
        assert pixels == "gray"
        for i in indices:
            self.read.append(i)
            pts = int(self.index.pts[i])
            image = self.pictures[i][: size[1], : size[0]]
            if i in self.absent:
                yield Frame(i, pts, None, True, "?")
            elif i in self.damaged:
                yield Frame(i, pts, np.asarray(255 - image, np.uint8), True, "P")
            else:
                yield Frame(i, pts, np.ascontiguousarray(image), False, "P")


def numbered(count: int, width: int = 16, height: int = 16) -> NDArray[np.uint8]:
    """Pictures that say which frame they are: uint8 [n, h, w]."""
    numbers = np.arange(count) % 200
    return np.repeat(numbers, width * height).reshape(count, height, width).astype(np.uint8)


def plan_of(source: Source, settings: AnalysisSettings = SHORT_CHUNKS) -> AnalysisPlan:
    return make_plan(source.info, source.index, settings)


def analysed(
    case: Case,
    video: Path,
    recipe: Recipe = RECIPE,
    resuming: Resuming | None = None,
    *,
    progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
    fps: float | None = None,
) -> RunRow:
    evidence, source = add_evidence(case, video, fps=fps)
    with source:
        run = AnalysisRun(case, evidence, source, recipe, cancel=cancel, progress=progress)
        return run.execute(resuming or Resuming())


Content = dict[str, object]


def content(case: Case, run_id: int) -> Content:
    """Everything a run found, as values that compare byte for byte."""
    results = case.results
    chunks = list(case.chunks.stream(run_id, "scene"))
    derivation = results.current(run_id)
    assert derivation is not None
    return {
        "maps": [chunk.raw for chunk in chunks],
        "raw scores": [chunk.scores for chunk in chunks],
        "spans": [chunk.span for chunk in chunks],
        "scores": results.scores(run_id, "scene").tobytes(),
        "regions": [
            (row.region.frame, row.region.pts, row.region.box, row.region.score,
             row.region.mask.tobytes(), row.region.trajectory)
            for row in results.regions(run_id)
        ],
        "trajectories": [
            (row.trajectory.number, row.trajectory.frames.tobytes(),
             row.trajectory.boxes.tobytes(), row.trajectory.scores.tobytes(),
             row.trajectory.from_cell, row.trajectory.to_cell, row.trajectory.direction,
             row.trajectory.relative_speed)
            for row in results.trajectories(run_id)
        ],
        "events": [row.event for row in results.events(run_id)],
        "calibrations": [
            case.calibrations.get(number).calibration.body for number in derivation.calibrations
        ],
    }  # fmt: skip


def write_images(folder: Path, frames: list[Image]) -> Path:
    """Writes frames as the numbered pictures of a folder."""
    folder.mkdir(parents=True)
    for number, image in enumerate(frames):
        Pictures.fromarray(image).save(folder / f"{number:04d}.png")
    return folder


def normal_recipe(*paths: Path) -> Recipe:
    return Recipe(SHORT_CHUNKS, tuple(hash_normal_footage(paths, CancelToken())))
