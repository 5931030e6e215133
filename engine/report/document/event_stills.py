"""Draws stills of the events of a report: plain, with overlay, and the whole event in one.

One thread decodes while another draws and compresses, so that stills cost little more than finding
their frames. Frames come from the exact reader; the stills are reduced JPEG illustrations, which
the report says, and the frame itself is exported with `export`.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.case import Case
from engine.core.errors import SightlineError
from engine.core.findings import Trajectory
from engine.core.geometry import Box
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.core.stream import Frame, StreamInfo
from engine.core.times import format_time
from engine.export.overlay_artist import FrameResults, OverlayArtist
from engine.media import Source, open_source
from engine.pipeline.stored_run import StoredRun, every_heat, every_score, stored_run
from engine.report.report_content import EvidenceContent

# Pixels of the longer side of a still: what a page shows, and what still shows something. A choice.
_MAX_SIDE, _MIN_SIDE = 960, 320
_MAX_PIXELS = 190_000_000
"""Pixels of all stills of a report: Typst holds every one of them, three bytes a pixel."""
_JPEG_QUALITY = 88  # Of 100; a choice, artefacts do not show in print.
_CACHE_BYTES = 160 << 20  # Decoded frames that the reader may keep; bounds the memory.
_STILLS_PER_EVENT = 3  # `plain`, `overlay` and `whole`.
_MAX_WAITING_FRAMES = 4
"""Decoded frames that may wait for the drawing thread; bounds the memory."""


@dataclass(frozen=True)
class EventStill:
    """A still of an event, in a file.

    Attributes:
        name: name of the file in the folder of stills.
        kind: `plain`, `overlay` or `whole`.
        sha256: SHA-256 of the file.
        width: its width in pixels.
        height: its height in pixels.
    """

    name: str
    kind: str
    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class EventStills:
    """The stills of one event.

    Attributes:
        frame: index of the frame that they show.
        pts: PTS of the frame.
        pict_type: coding type of the frame: `I`, `P`, `B` or `?`.
        damaged: whether the decoder reported damage in it.
        pictures: the stills; none when the frame cannot be decoded.
    """

    frame: int
    pts: int
    pict_type: str
    damaged: bool
    pictures: tuple[EventStill, ...]


def draw_event_stills(
    case: Case,
    evidence: EvidenceContent,
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
    in_all: int = 1,
) -> tuple[dict[int, EventStills], str]:
    """Draws the events of a piece of evidence that were not dismissed.

    Args:
        case: the case that holds the results.
        evidence: the evidence as the report has it.
        folder: the folder for the stills.
        cancel: is checked between frames.
        progress: is called with the number of events drawn.
        in_all: number of events with stills in the whole report; the more, the smaller the stills.

    Returns:
        The stills of each event by its id, and why there are none; empty when there are.

    Raises:
        CancelledError: the user stopped.
        ResourceError: a still cannot be written.
    """
    events = illustrated_events(evidence)
    if not events:
        return {}, ""
    if not evidence.state.is_unchanged:
        return {}, "the evidence is missing or has changed, so that no picture of it can be shown"
    try:
        stored = stored_run(case, evidence.current.row) if evidence.current else None
        stream = stored.run.stream if stored else None
        path = case.evidence_path(evidence.state.row)
        source = open_source(
            path,
            stream=stream,
            fps=evidence.state.row.fps,
            cancel=cancel,
            cache_bytes=_CACHE_BYTES,
        )
    except SightlineError as error:
        cancel.check()
        return {}, error.line()
    with source:
        if stored is not None and not np.array_equal(source.index.pts, stored.index.pts):
            return {}, "this version reads other frame times than the case holds"
        drawing = _StillDrawer(case, stored, source, folder, in_all)
        return drawing.draw(events, cancel, progress), ""


def illustrated_events(evidence: EvidenceContent) -> list[dict[str, Any]]:
    """Returns the events that a report shows with stills: all but dismissed ones."""
    return [event for event in evidence.events if event["state"] != "dismissed"]


class _StillDrawer:
    def __init__(
        self, case: Case, stored: StoredRun | None, source: Source, folder: Path, in_all: int
    ) -> None:
        self._case, self._stored, self._source, self._folder = case, stored, source, folder
        info = source.info
        self._size = _still_size(info, _MAX_PIXELS // (_STILLS_PER_EVENT * max(1, in_all)))
        self._scale = self._size[0] / info.width, self._size[1] / info.height
        self._trajectories: dict[int, Trajectory] = {}
        if stored is not None:
            rows = case.results.trajectories(stored.run.id)
            self._trajectories = {
                row.id: replace(row.trajectory, boxes=self._boxes(row.trajectory.boxes))
                for row in rows
            }
            self._scores = every_score(case, stored)
            self._analysed = stored.is_analysed
            self._artist = OverlayArtist(
                self._size,
                info.rotation,
                stored.seconds,
                list(self._trajectories.values()),
            )

    def draw(
        self, events: Iterable[Mapping[str, Any]], cancel: CancelToken, progress: ProgressCallback
    ) -> dict[int, EventStills]:
        index = self._source.index
        ordered = sorted(events, key=lambda event: int(event["peak_pts"]))
        heat = self._heat(ordered, cancel) if self._stored else {}
        waiting: deque[tuple[int, Future[EventStills]]] = deque()
        drawn: dict[int, EventStills] = {}
        with ThreadPoolExecutor(1) as drawer:
            try:
                for event in ordered:
                    cancel.check()
                    frame = self._source.frame(index.nearest_pts(int(event["peak_pts"])))
                    event_heat = heat.get(event["event_id"])
                    results = self._frame_results(frame, event_heat)
                    future = drawer.submit(self._draw_event, event, frame, results, event_heat)
                    waiting.append((event["event_id"], future))
                    if len(waiting) > _MAX_WAITING_FRAMES:
                        number, future = waiting.popleft()
                        drawn[number] = future.result()
                    progress(Progress("pictures", len(drawn), len(ordered), unit="events"))
                drawn.update((number, future.result()) for number, future in waiting)
            finally:
                for _, future in waiting:
                    future.cancel()
        return drawn

    def _boxes(self, boxes: NDArray[np.int32]) -> NDArray[np.int32]:
        """Returns boxes int32 [n, 4], x, y, w, h, in pixels of the reduced picture."""
        x, y = self._scale
        return np.asarray(np.round(boxes * np.array([x, y, x, y])), np.int32)

    def _trajectories_of(self, event: Mapping[str, Any]) -> list[Trajectory]:
        return [
            self._trajectories[trajectory["trajectory_id"]] for trajectory in event["trajectories"]
        ]

    def _frame_results(self, frame: Frame, heat: _EventHeat | None) -> FrameResults | None:
        if self._stored is None or heat is None:
            return None
        rows = self._case.results.regions(self._stored.run.id, frame.index, frame.index)
        return FrameResults(
            seconds=float(self._stored.seconds[frame.index]),
            heat=heat.peak,
            score=float(self._scores[frame.index]),
            analysed=bool(self._analysed[frame.index]),
            regions=[replace(row.region, box=self._box(row.region.box)) for row in rows],
        )

    def _box(self, box: Box) -> Box:
        (sides,) = self._boxes(np.array([[box.x, box.y, box.w, box.h]], np.int32)).tolist()
        return Box(sides[0], sides[1], max(1, sides[2]), max(1, sides[3]))

    def _draw_event(
        self,
        event: Mapping[str, Any],
        frame: Frame,
        results: FrameResults | None,
        heat: _EventHeat | None,
    ) -> EventStills:
        pictures = []
        if frame.image is not None:
            name, turns = f"event-{event['event_id']}", self._source.info.rotation // 90 % 4
            # Drawing on the reduced picture costs a fraction of drawing on the frame.
            reduced = cv2.resize(frame.image, self._size, interpolation=cv2.INTER_AREA)
            frame = replace(frame, image=np.asarray(reduced, np.uint8))
            assert frame.image is not None
            images = {"plain": np.ascontiguousarray(np.rot90(frame.image, -turns))}
            if results is not None and heat is not None:
                span = f"{format_time(event['start_s'])} - {format_time(event['end_s'])}"
                images["overlay"] = self._artist.draw(frame, results)
                paths = self._trajectories_of(event)
                images["whole"] = self._artist.draw_whole(frame, heat.whole, paths, [span])
            pictures = [
                _write(self._folder / f"{name}-{kind}.jpg", kind, image)
                for kind, image in images.items()
            ]
        return EventStills(frame.index, frame.pts, frame.pict_type, frame.damaged, tuple(pictures))

    def _heat(
        self, events: Iterable[Mapping[str, Any]], cancel: CancelToken
    ) -> dict[int, _EventHeat]:
        """Returns the heat of each event by its id."""
        assert self._stored is not None
        index, run_id = self._stored.index, self._stored.run.id
        channels = self._case.results.heat_channels(run_id)
        channel = self._stored.leading
        heat_by_event = {}
        for event in events:
            ends = [
                index.nearest_pts(int(event[f"{name}_pts"])) for name in ("start", "end", "peak")
            ]
            first, last, peak = ends
            if channel in channels:
                heat = self._stored_heat(channel, first, last, peak)
            else:
                heats = every_heat(self._case, self._stored, first, last, cancel)
                heat = _gather_heat(heats, peak - first)
            if heat is not None:
                heat_by_event[int(event["event_id"])] = heat
        return heat_by_event

    def _stored_heat(self, channel: str, first: int, last: int, peak: int) -> _EventHeat | None:
        assert self._stored is not None
        whole, frame, at_peak = None, last, None
        while frame >= first:
            block = self._case.results.heat(self._stored.run.id, channel, frame)
            if block is None:
                break
            inside = (block.frames >= first) & (block.frames <= last)
            if inside.any():
                largest = block.heat[inside].max(axis=0)
                whole = largest if whole is None else np.maximum(whole, largest)
            if at_peak is None and block.frames[0] <= peak:
                at_peak = block.at(peak)
            frame = int(block.frames[0]) - 1
        if at_peak is None:
            return None
        return _EventHeat(_unit(at_peak), _unit(at_peak if whole is None else whole))


@dataclass(frozen=True, eq=False)
class _EventHeat:
    """Heatmaps of an event, float32 [R, C], 0..1: at its peak, and the largest value by cell."""

    peak: NDArray[np.float32]
    whole: NDArray[np.float32]


def _gather_heat(heats: Iterable[NDArray[np.float32]], peak: int) -> _EventHeat | None:
    whole, at_peak = None, None
    for number, heat in enumerate(heats):
        whole = heat if whole is None else np.maximum(whole, heat)
        if number == peak or at_peak is None:
            at_peak = heat
    return None if at_peak is None or whole is None else _EventHeat(at_peak, whole)


def _unit(heat: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(heat, np.float32) / np.float32(255)


def _still_size(info: StreamInfo, pixels: int) -> tuple[int, int]:
    """Returns width and height of a still before rotation; its pixels are square.

    Args:
        info: the stream.
        pixels: how many pixels it may have, unless it would be too small to show anything.
    """
    width, height = float(info.width * info.pixel_aspect), float(info.height)
    longest = max(width, height)
    scale = min(_MAX_SIDE / longest, (pixels / (width * height)) ** 0.5)
    scale = min(1.0, max(scale, _MIN_SIDE / longest))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _write(path: Path, kind: str, image: NDArray[np.uint8]) -> EventStill:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    compressed, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not compressed:
        raise OSError(f"a picture cannot be compressed: {path.name}")
    path.write_bytes(data.tobytes())
    height, width = image.shape[:2]
    return EventStill(path.name, kind, hashlib.sha256(data.tobytes()).hexdigest(), width, height)
