"""Learns calibrations from normal footage: measures it and learns what is usual in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.scene.scene_learning import learn_scene
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextDetector
from engine.detectors.text.text_maps import TextMaps, silence_masked
from engine.media import Source, open_source
from engine.motion.analysis_plan import AnalysisPlan, make_plan
from engine.motion.grid import Grid
from engine.motion.people_height import people_height
from engine.pipeline.calibration.map_spool import MapSpool
from engine.pipeline.channels.raw_maps import Calibrations
from engine.pipeline.normal_footage import NormalFootage
from engine.pipeline.region_mask import RegionMask
from engine.pipeline.stream_measurement import measure_stream


def measure_footage(
    path: Path,
    fps: float | None,
    grid: Grid | None,
    settings: AnalysisSettings,
    cancel: CancelToken,
    progress: ProgressCallback,
    text: TextDetector | None = None,
    sha256: str = "",
    camera: TextCalibration | None = None,
) -> tuple[AnalysisPlan, MapSpool]:
    """Measures a piece of footage into a spool, which the caller closes.

    Args:
        path: a video, or a folder of images.
        fps: frame rate of images.
        grid: the grid it must have; None takes its own.
        settings: of the analysis.
        cancel: looked at between chunks.
        progress: is given the frames done.
        text: the text channel; None leaves it out.
        sha256: of the footage, under which its features are cached.
        camera: learned from normal footage; None for the normal footage itself.

    Raises:
        BadInputError: its frames differ in size from those of the evidence.
        MediaError: it cannot be decoded.
    """
    spool = MapSpool()
    try:
        with ExitStack() as stack:
            source = stack.enter_context(open_source(path, fps=fps, cancel=cancel))
            plan = _plan_like(path, source, grid, settings)
            meter = None
            if text is not None:
                store = text.store(sha256, source.info.number, plan, settings.motion, camera)
                meter = stack.enter_context(text.meter(source, plan, fps, store, camera))
            for chunk in measure_stream(source, plan, settings.motion, cancel, 0, meter):
                spool.add(chunk.maps, chunk.seconds, chunk.text.maps if chunk.text else None)
                done = plan.span(chunk.number)[1]
                progress(Progress("measuring normal footage", done, len(plan)))
    except BaseException:
        spool.close()
        raise
    return plan, spool


def _plan_like(
    path: Path, source: Source, grid: Grid | None, settings: AnalysisSettings
) -> AnalysisPlan:
    plan = make_plan(source.info, source.index, settings)
    if grid is not None and plan.grid != grid:
        raise BadInputError(
            f"normal footage of {plan.grid.source_width}x{plan.grid.source_height} does not "
            f"fit evidence of {grid.source_width}x{grid.source_height}",
            path,
            "give footage of the same camera at the same size",
        )
    return plan


@dataclass(frozen=True, eq=False)
class NormalLearner:
    """Learns calibrations from normal footage of the camera that recorded evidence.

    Attributes:
        footage: the pieces of normal footage.
        fps: frame rate of images.
        grid: of the evidence.
        settings: of the analysis.
        mask: which parts of the frame are analysed.
        text: the text channel; None without it.
        cancel: looked at between chunks.
        progress: is given the frames done.
    """

    footage: Sequence[NormalFootage]
    fps: float | None
    grid: Grid
    settings: AnalysisSettings
    mask: RegionMask
    text: TextDetector | None
    cancel: CancelToken
    progress: ProgressCallback

    def learn(self) -> Calibrations:
        """Measures the footage and learns a calibration for every channel that runs.

        Raises:
            BadInputError: frames of a piece differ in size from those of the evidence.
            MediaError: a piece cannot be decoded.
            CancelledError: the user stopped.
        """
        grid, settings = self.grid, self.settings
        with ExitStack() as stack:
            spools, rate = [], 0.0
            for piece in self.footage:
                plan, spool = measure_footage(
                    piece.path, self.fps, grid, settings, self.cancel, self.progress, self.text,
                    piece.sha256,
                )  # fmt: skip
                spools.append(stack.enter_context(spool))
                rate = rate or plan.rate
            scene = learn_scene(
                "normal",
                [partial(self._masked_blocks, spool) for spool in spools],
                (grid.rows, grid.columns),
                grid.cell,
                rate,
                settings.scene,
                self._sources,
            )
            if self.text is None:
                return Calibrations(scene)
            maps = chain.from_iterable(spool.texts() for spool in spools)
            usual = scene.statistics.speed.usual(None)
            text = replace(
                self._learn_text(self.text, maps),
                people=_people(spools, grid),
                usual=() if usual is None else tuple(usual.tolist()),
            )
            return Calibrations(scene, text)

    def learn_text(self, text: TextDetector, earlier: TextCalibration | None) -> TextCalibration:
        """Learns the text channel's calibration alone: from cached features, or by measuring again.

        Args:
            text: the text channel.
            earlier: learned from the same footage with other prompts; usual speed and height of
                people are taken from it. None where nothing was.

        Raises:
            BadInputError: frames of a piece differ in size from those of the evidence.
            MediaError: a piece cannot be decoded.
            CancelledError: the user stopped.
        """
        maps: list[TextMaps] = []
        for piece in self.footage if earlier is not None else ():
            with open_source(piece.path, fps=self.fps, cancel=self.cancel) as source:
                plan = _plan_like(piece.path, source, self.grid, self.settings)
                store = text.store(piece.sha256, source.info.number, plan, self.settings.motion)
                cached = text.cached_maps(source, plan, store)
            if cached is None:
                earlier = None
                break
            maps += cached
        if earlier is None:
            measured = self.learn().text
            assert measured is not None
            return measured
        calibration = self._learn_text(text, maps)
        return replace(calibration, people=earlier.people, usual=earlier.usual)

    @property
    def _sources(self) -> tuple[dict[str, Any], ...]:
        return tuple(piece.as_source() for piece in self.footage)

    def _learn_text(self, text: TextDetector, maps: Iterable[TextMaps]) -> TextCalibration:
        masked = silence_masked(maps, self.mask.cells(self.grid)) if self.mask else maps
        return learn_text("normal", masked, text.pack_calibration(), self._sources)

    def _masked_blocks(self, spool: MapSpool) -> Iterable[MotionBlock]:
        return self.mask.apply(spool.blocks(), self.grid)


def _people(spools: Sequence[MapSpool], grid: Grid) -> float | None:
    """Returns the height of people, the median over the blocks of all pieces."""
    heights = [people_height(maps, grid.cell) for spool in spools for maps, _ in spool.blocks()]
    known = [height for height in heights if height is not None]
    return float(np.median(known)) if known else None
