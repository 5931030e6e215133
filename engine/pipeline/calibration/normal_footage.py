"""Normal footage: which files it is, and the calibration learned from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.detectors.scene.scene_learning import calibrate
from engine.detectors.text.text_calibration import TextCalibration, learn_text
from engine.detectors.text.text_detector import TextUse
from engine.detectors.text.text_maps import TextMaps, counted
from engine.media import Source, hash_evidence, open_source
from engine.media.image_folder import image_files
from engine.motion.analysis_plan import AnalysisPlan, make_plan
from engine.motion.grid import Grid
from engine.motion.motion_maps import MotionMaps
from engine.motion.people_height import people_height
from engine.pipeline.calibration.map_spool import MapSpool
from engine.pipeline.region_mask import PictureParts
from engine.pipeline.scoring import Calibrations
from engine.pipeline.stream_measurement import measure_stream


@dataclass(frozen=True)
class NormalFootage:
    """A piece of normal footage.

    Attributes:
        path: a video, or a folder of images.
        sha256: its hash, as for evidence.
    """

    path: Path
    sha256: str

    def as_source(self) -> dict[str, Any]:
        """Returns what the calibration keeps of it."""
        return {"path": str(self.path), "sha256": self.sha256}


def find_normal(paths: Sequence[Path]) -> list[Path]:
    """Lists normal footage: videos, folders of images, and the contents of folders of such folders.

    Raises:
        BadInputError: a path is missing or a folder holds no footage.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        if _has_images(path):
            found.append(path)
            continue
        inner = sorted(one for one in path.iterdir() if one.is_dir() and _has_images(one))
        if not inner:
            raise BadInputError(
                "no footage in the folder", path, "give a video, images or a folder of such folders"
            )
        found += inner
    return found


def _has_images(folder: Path) -> bool:
    try:
        return bool(image_files(folder))
    except BadInputError:
        return False


def hash_normal(paths: Sequence[Path], cancel: CancelToken) -> list[NormalFootage]:
    """Hashes normal footage."""
    return [
        NormalFootage(path.absolute(), hash_evidence(path, cancel=cancel)["sha256"])
        for path in find_normal(paths)
    ]


def measure_footage(
    path: Path,
    fps: float | None,
    grid: Grid | None,
    settings: AnalysisSettings,
    cancel: CancelToken,
    progress: ProgressCallback,
    text: TextUse | None = None,
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
        progress: told the frames done.
        text: the text channel; None leaves it out.
        sha256: of the footage, under which its features are kept.
        camera: what normal footage told of the camera; None for the normal footage itself.

    Raises:
        BadInputError: its picture differs from the evidence's.
        MediaError: it cannot be decoded.
    """
    spool = MapSpool()
    try:
        with ExitStack() as stack:
            source = stack.enter_context(open_source(path, fps=fps, cancel=cancel))
            plan = _fitting_plan(path, source, grid, settings)
            meter = None
            if text is not None:
                kept = text.store(sha256, source.info.number, plan, settings.motion, camera)
                meter = stack.enter_context(text.meter(source, plan, fps, kept, camera))
            for chunk in measure_stream(source, plan, settings.motion, cancel, 0, meter):
                spool.add(chunk.maps, chunk.seconds, chunk.text.maps if chunk.text else None)
                done = plan.span(chunk.number)[1]
                progress(Progress("measuring normal footage", done, len(plan)))
    except BaseException:
        spool.close()
        raise
    return plan, spool


def _fitting_plan(
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


def learn_normal(
    footage: Sequence[NormalFootage],
    fps: float | None,
    grid: Grid,
    settings: AnalysisSettings,
    parts: PictureParts,
    cancel: CancelToken,
    progress: ProgressCallback,
    text: TextUse | None = None,
) -> Calibrations:
    """Learns calibrations from normal footage of the same camera, for every channel that runs.

    Raises:
        BadInputError: a piece does not fit the evidence's picture.
        MediaError: a piece cannot be decoded.
        CancelledError: the user stopped.
    """
    sources = tuple(piece.as_source() for piece in footage)
    with ExitStack() as stack:
        spools, rate = [], 0.0
        for piece in footage:
            plan, spool = measure_footage(
                piece.path, fps, grid, settings, cancel, progress, text, piece.sha256
            )
            spools.append(stack.enter_context(spool))
            rate = rate or plan.rate
        scene = calibrate(
            "normal",
            [partial(_counting, spool, parts, grid) for spool in spools],
            (grid.rows, grid.columns),
            grid.cell,
            rate,
            settings.scene,
            sources,
        )
        if text is None:
            return Calibrations(scene)
        maps = chain.from_iterable(spool.texts() for spool in spools)
        learned = _learn_text(maps, text, parts, grid, sources)
        usual = scene.statistics.speed.usual(None)
        return Calibrations(
            scene,
            replace(
                learned,
                people=_people(spools, grid),
                usual=() if usual is None else tuple(usual.tolist()),
            ),
        )


def learn_normal_text(
    footage: Sequence[NormalFootage],
    fps: float | None,
    grid: Grid,
    settings: AnalysisSettings,
    parts: PictureParts,
    cancel: CancelToken,
    progress: ProgressCallback,
    text: TextUse,
    earlier: TextCalibration | None,
) -> TextCalibration:
    """Learns the text channel's calibration alone: from kept features, or by measuring again.

    Args:
        footage: the pieces.
        fps: frame rate of images.
        grid: of the evidence.
        settings: of the analysis.
        parts: which parts of the picture count.
        cancel: looked at between chunks.
        progress: told the frames done.
        text: the text channel.
        earlier: learned from the same footage with other prompts; what it knows of the camera
            stays true.

    Raises:
        BadInputError: a piece does not fit the evidence's picture.
        MediaError: a piece cannot be decoded.
        CancelledError: the user stopped.
    """
    maps: list[TextMaps] = []
    for piece in footage if earlier is not None else ():
        with open_source(piece.path, fps=fps, cancel=cancel) as source:
            plan = _fitting_plan(piece.path, source, grid, settings)
            store = text.store(piece.sha256, source.info.number, plan, settings.motion)
            kept = text.kept_maps(source, plan, store)
        if kept is None:
            earlier = None
            break
        maps += kept
    if earlier is None:
        learned = learn_normal(footage, fps, grid, settings, parts, cancel, progress, text).text
        assert learned is not None
        return learned
    sources = tuple(piece.as_source() for piece in footage)
    found = _learn_text(maps, text, parts, grid, sources)
    return replace(found, people=earlier.people, usual=earlier.usual)


def _people(spools: Sequence[MapSpool], grid: Grid) -> float | None:
    """Returns the height of people, the median over the blocks of all pieces."""
    heights = [people_height(maps, grid.cell) for one in spools for maps, _ in one.blocks()]
    known = [one for one in heights if one is not None]
    return float(np.median(known)) if known else None


def _learn_text(
    maps: Iterable[TextMaps],
    text: TextUse,
    parts: PictureParts,
    grid: Grid,
    sources: tuple[dict[str, Any], ...],
) -> TextCalibration:
    counting = counted(maps, parts.counting(grid)) if parts else maps
    return learn_text("normal", counting, text.pack_calibration(), sources)


def _counting(
    spool: MapSpool, parts: PictureParts, grid: Grid
) -> Iterator[tuple[MotionMaps, NDArray[np.float64]]]:
    yield from parts.applied(spool.blocks(), grid)
