"""Exports stills and clips with overlay, which need the evidence itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.case import Case, EvidenceRow
from engine.core.errors import BadInputError, MediaError
from engine.core.findings import Region
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.stream import Frame
from engine.export.overlay_artist import FrameResults, OverlayArtist
from engine.export.run_arrays import regions_in
from engine.media import ClipWriter, Source, hash_evidence, open_source
from engine.pipeline.evidence_intake import check_unchanged
from engine.pipeline.stored_run import StoredRun, every_heat, every_score
from engine.render.raster import write_png


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A finished run with its evidence, which is open and unchanged.

    Attributes:
        case: the case that holds the run.
        stored: the run.
        source: the open evidence.
    """

    case: Case
    stored: StoredRun
    source: Source

    def artist(self) -> OverlayArtist:
        """Returns an artist that draws over frames of this run."""
        info = self.source.info
        rows = self.case.results.trajectories(self.stored.run.id)
        return OverlayArtist(
            (info.width, info.height),
            info.rotation,
            self.stored.seconds,
            [row.trajectory for row in rows],
        )

    def frame_results(
        self, first: int, last: int, cancel: CancelToken, progress: ProgressCallback
    ) -> Iterator[FrameResults]:
        """Yields the results of the run in each frame of a span, both ends inclusive.

        Raises:
            BadInputError: the heatmaps cannot be derived again.
            CancelledError: the user stopped.
        """
        stored = self.stored
        scores, analysed = every_score(self.case, stored), stored.is_analysed
        regions = _RegionsByFrame(regions_in(self.case, stored.run.id, (first, last)))
        heats = every_heat(self.case, stored, first, last, cancel, progress)
        for frame, heat in enumerate(heats, start=first):
            yield FrameResults(
                seconds=float(stored.seconds[frame]),
                heat=heat,
                score=float(scores[frame]),
                analysed=bool(analysed[frame]),
                regions=regions.of(frame),
            )


@contextmanager
def open_run(
    case: Case,
    evidence: EvidenceRow,
    stored: StoredRun,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> Iterator[OpenRun]:
    """Opens the evidence of a run, after checking that it is what was analysed.

    Raises:
        BadInputError: the evidence is missing or has changed since; a change is recorded.
        CancelledError: the user stopped.
    """
    path = case.evidence_path(evidence)
    if not path.exists():
        raise MediaError("the evidence is missing", path, "put it back, its hash is compared then")
    check_unchanged(case, evidence, hash_evidence(path, cancel=cancel, progress=progress)["sha256"])
    with open_source(
        path, stream=stored.run.stream, fps=evidence.fps, cancel=cancel, progress=progress
    ) as source:
        if not np.array_equal(source.index.pts, stored.index.pts):
            raise BadInputError(
                "this version reads other frame times than the case holds",
                path,
                "analyse the evidence again, or use the version that did",
            )
        yield OpenRun(case, stored, source)


def write_still(
    plain: Path,
    overlay: Path,
    run: OpenRun,
    index: int,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> NDArray[np.uint8]:
    """Writes one frame exactly as decoded, and once more with overlay.

    Args:
        plain: path of the still in decoded size, before rotation and pixel aspect.
        overlay: path of the upright still with heatmap, boxes, paths and time.
        run: the run and its evidence.
        index: index of the frame.
        cancel: is checked between chunks.
        progress: is called with the progress of the work.

    Returns:
        The frame, uint8 [height, width, 3].

    Raises:
        BadInputError: the frame cannot be decoded.
        ResourceError: a file cannot be written.
        CancelledError: the user stopped.
    """
    frame = run.source.frame(index)
    if frame.image is None:
        raise MediaError(
            f"frame {index} cannot be decoded", run.source.path, "choose another --start"
        )
    write_png(plain, frame.image)
    results = next(run.frame_results(index, index, cancel, progress))
    write_png(overlay, run.artist().draw(frame, results))
    return frame.image


def write_clip(
    path: Path,
    run: OpenRun,
    span: tuple[int, int],
    compared: bool,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> None:
    """Writes the frames of a span with overlay; their times relative to each other stay exact.

    Args:
        path: path of the clip.
        run: the run and its evidence.
        span: first and last frame.
        compared: whether each frame is shown without overlay to the left of itself with it.
        cancel: is checked between frames.
        progress: is called with the number of frames drawn.

    Raises:
        BadInputError: the heatmaps cannot be derived again.
        ResourceError: the file cannot be written.
        CancelledError: the user stopped.
    """
    first, last = span
    info, artist = run.source.info, run.artist()
    drawn = 0

    def before_drawing(reached: Progress) -> None:
        if not drawn:
            progress(reached)

    aspect = info.pixel_aspect if info.rotation % 180 == 0 else 1 / info.pixel_aspect
    width, height = artist.size
    draw = artist.draw_compared if compared else artist.draw
    with ClipWriter(
        path,
        (2 * width if compared else width, height),
        info.time_base,
        rate=info.average_rate or Fraction(25),
        pixel_aspect=aspect,
    ) as writer:
        frames = run.source.frames(first, last + 1, pixels="rgb")
        results = run.frame_results(first, last, cancel, before_drawing)
        for frame, frame_results in _pair_frames(frames, results):
            cancel.check()
            writer.write(draw(frame, frame_results), frame.pts)
            drawn += 1
            progress(Progress("drawing", drawn, last - first + 1))


def _pair_frames(
    frames: Iterator[Frame], results: Iterator[FrameResults]
) -> Iterator[tuple[Frame, FrameResults]]:
    # Results come first: deriving up to the span must not keep a decoder waiting.
    for frame_results in results:
        yield next(frames), frame_results


class _RegionsByFrame:
    """Groups regions, which come in order of frame, by frame."""

    def __init__(self, regions: Iterator[Region]) -> None:
        self._regions = regions
        self._next = next(regions, None)

    def of(self, frame: int) -> list[Region]:
        """Returns the regions of a frame; frames are asked for in ascending order."""
        regions: list[Region] = []
        while self._next is not None and self._next.frame <= frame:
            if self._next.frame == frame:
                regions.append(self._next)
            self._next = next(self._regions, None)
        return regions
