"""Pictures of the events of a report: plain, with what was found, and the whole event in one.

One thread decodes while another draws and compresses, so that pictures cost little more than
finding their frames. Frames come from the exact reader; pictures are reduced JPEG illustrations,
which the report says; the frame itself is exported with `export`.
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
from engine.export.overlay_artist import Findings, OverlayArtist
from engine.media import Source, open_source
from engine.pipeline.stored_run import StoredRun, every_heat, every_score, stored_run
from engine.report.report_content import EvidenceContent

_LONGEST_SIDE, _SHORTEST_SIDE = 960, 320
_ALL_PIXELS = 190_000_000
"""Pixels of all pictures of a report: Typst holds every one of them, three bytes a pixel."""
_QUALITY = 88
_CACHE_BYTES = 160 << 20
_A_EVENT = 3
_AHEAD = 4
"""Decoded frames that may wait for the drawing thread."""


@dataclass(frozen=True)
class Picture:
    """A picture of an event.

    Attributes:
        name: of the file, in the folder of the pictures.
        kind: `plain`, `overlay` or `whole`.
        sha256: of the file.
        width: in pixels.
        height: in pixels.
    """

    name: str
    kind: str
    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class EventPictures:
    """The pictures of one event.

    Attributes:
        frame: index of the frame they show.
        pts: its PTS.
        pict_type: `I`, `P`, `B` or `?`.
        damaged: whether the decoder reported damage in it.
        pictures: as drawn; none when the frame cannot be decoded.
    """

    frame: int
    pts: int
    pict_type: str
    damaged: bool
    pictures: tuple[Picture, ...]


def draw_events(
    case: Case,
    one: EvidenceContent,
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
    in_all: int = 1,
) -> tuple[dict[int, EventPictures], str]:
    """Draws the events of a piece of evidence that were not dismissed.

    Args:
        case: holds the results.
        one: the evidence, as found for the report.
        folder: for the pictures.
        cancel: looked at between frames.
        progress: told how many pictures are drawn.
        in_all: events that the whole report shows; the more, the smaller the pictures.

    Returns:
        The pictures of each event by its id, and why there are none; empty when there are.

    Raises:
        CancelledError: the user stopped.
        ResourceError: a picture cannot be written.
    """
    events = shown_events(one)
    if not events:
        return {}, ""
    if not one.state.unchanged:
        return {}, "the evidence is missing or has changed, so that no picture of it can be shown"
    try:
        stored = stored_run(case, one.current.row) if one.current else None
        stream = stored.run.stream if stored else None
        path = case.evidence_path(one.state.row)
        source = open_source(
            path,
            stream=stream,
            fps=one.state.row.fps,
            cancel=cancel,
            cache_bytes=_CACHE_BYTES,
        )
    except SightlineError as error:
        cancel.check()
        return {}, error.line()
    with source:
        if stored is not None and not np.array_equal(source.index.pts, stored.index.pts):
            return {}, "this version reads other frame times than the case holds"
        drawing = _Drawing(case, stored, source, folder, in_all)
        return drawing.draw(events, cancel, progress), ""


def shown_events(one: EvidenceContent) -> list[dict[str, Any]]:
    """Returns the events that a report shows with pictures: all but dismissed ones."""
    found = one.current.events if one.current else ()
    return [event for event in (*found, *one.own_events) if event["state"] != "dismissed"]


class _Drawing:
    def __init__(
        self, case: Case, stored: StoredRun | None, source: Source, folder: Path, in_all: int
    ) -> None:
        self._case, self._stored, self._source, self._folder = case, stored, source, folder
        info = source.info
        self._size = _reduced(info, _ALL_PIXELS // (_A_EVENT * max(1, in_all)))
        self._scale = self._size[0] / info.width, self._size[1] / info.height
        self._trajectories: dict[int, Trajectory] = {}
        if stored is not None:
            rows = case.results.trajectories(stored.run.id)
            self._trajectories = {
                row.id: replace(row.trajectory, boxes=self._boxes(row.trajectory.boxes))
                for row in rows
            }
            self._scores = every_score(case, stored)
            self._analysed = stored.analysed
            self._artist = OverlayArtist(
                self._size,
                info.rotation,
                stored.seconds,
                list(self._trajectories.values()),
            )

    def draw(
        self, events: Iterable[Mapping[str, Any]], cancel: CancelToken, progress: ProgressCallback
    ) -> dict[int, EventPictures]:
        index = self._source.index
        ordered = sorted(events, key=lambda event: int(event["peak_pts"]))
        heat = self._heat(ordered, cancel) if self._stored else {}
        waiting: deque[tuple[int, Future[EventPictures]]] = deque()
        drawn: dict[int, EventPictures] = {}
        with ThreadPoolExecutor(1) as drawer:
            try:
                for event in ordered:
                    cancel.check()
                    frame = self._source.frame(index.nearest_pts(int(event["peak_pts"])))
                    found = heat.get(event["event_id"])
                    named = self._findings(frame, found), found, self._of(event)
                    job = drawer.submit(self._draw_one, event, frame, *named)
                    waiting.append((event["event_id"], job))
                    if len(waiting) > _AHEAD:
                        number, job = waiting.popleft()
                        drawn[number] = job.result()
                    progress(Progress("pictures", len(drawn), len(ordered), unit="events"))
                drawn.update((number, job.result()) for number, job in waiting)
            finally:
                for _, job in waiting:
                    job.cancel()
        return drawn

    def _boxes(self, boxes: NDArray[np.int32]) -> NDArray[np.int32]:
        """Returns boxes int32 [n, 4], x, y, w, h, in pixels of the reduced picture."""
        x, y = self._scale
        return np.asarray(np.round(boxes * np.array([x, y, x, y])), np.int32)

    def _of(self, event: Mapping[str, Any]) -> list[Trajectory]:
        return [self._trajectories[one["trajectory_id"]] for one in event["trajectories"]]

    def _findings(self, frame: Frame, heat: _Heat | None) -> Findings | None:
        if self._stored is None or heat is None:
            return None
        rows = self._case.results.regions(self._stored.run.id, frame.index, frame.index)
        return Findings(
            seconds=float(self._stored.seconds[frame.index]),
            heat=heat.peak,
            score=float(self._scores[frame.index]),
            analysed=bool(self._analysed[frame.index]),
            regions=[replace(row.region, box=self._box(row.region.box)) for row in rows],
        )

    def _box(self, box: Box) -> Box:
        (sides,) = self._boxes(np.array([[box.x, box.y, box.w, box.h]], np.int32)).tolist()
        return Box(sides[0], sides[1], max(1, sides[2]), max(1, sides[3]))

    def _draw_one(
        self,
        event: Mapping[str, Any],
        frame: Frame,
        found: Findings | None,
        heat: _Heat | None,
        trajectories: list[Trajectory],
    ) -> EventPictures:
        pictures = []
        if frame.image is not None:
            name, turns = f"event-{event['event_id']}", self._source.info.rotation // 90 % 4
            # Drawing on the reduced picture costs a fraction of drawing on the frame.
            reduced = cv2.resize(frame.image, self._size, interpolation=cv2.INTER_AREA)
            frame = replace(frame, image=np.asarray(reduced, np.uint8))
            assert frame.image is not None
            shown = {"plain": np.ascontiguousarray(np.rot90(frame.image, -turns))}
            if found is not None and heat is not None:
                span = f"{format_time(event['start_s'])} - {format_time(event['end_s'])}"
                shown["overlay"] = self._artist.draw(frame, found)
                shown["whole"] = self._artist.draw_whole(frame, heat.whole, trajectories, [span])
            pictures = [
                _write(self._folder / f"{name}-{kind}.jpg", kind, picture)
                for kind, picture in shown.items()
            ]
        return EventPictures(
            frame.index, frame.pts, frame.pict_type, frame.damaged, tuple(pictures)
        )

    def _heat(self, events: Iterable[Mapping[str, Any]], cancel: CancelToken) -> dict[int, _Heat]:
        """Returns the heat at the peak of each event, and the greatest of the whole event."""
        assert self._stored is not None
        index, run_id = self._stored.index, self._stored.run.id
        channels = self._case.results.heat_channels(run_id)
        channel = self._stored.leading
        found = {}
        for event in events:
            ends = [
                index.nearest_pts(int(event[f"{name}_pts"])) for name in ("start", "end", "peak")
            ]
            first, last, peak = ends
            if channel in channels:
                heat = self._kept_heat(channel, first, last, peak)
            else:
                heats = every_heat(self._case, self._stored, first, last, cancel)
                heat = _gathered(heats, peak - first)
            if heat is not None:
                found[int(event["event_id"])] = heat
        return found

    def _kept_heat(self, channel: str, first: int, last: int, peak: int) -> _Heat | None:
        assert self._stored is not None
        whole, frame, at_peak = None, last, None
        while frame >= first:
            block = self._case.results.heat(self._stored.run.id, channel, frame)
            if block is None:
                break
            inside = (block.frames >= first) & (block.frames <= last)
            if inside.any():
                most = block.heat[inside].max(axis=0)
                whole = most if whole is None else np.maximum(whole, most)
            if at_peak is None and block.frames[0] <= peak:
                at_peak = block.at(peak)
            frame = int(block.frames[0]) - 1
        if at_peak is None:
            return None
        return _Heat(_unit(at_peak), _unit(at_peak if whole is None else whole))


@dataclass(frozen=True, eq=False)
class _Heat:
    """Heat of an event: float32 [R, C], 0..1, at its peak and the greatest at each cell."""

    peak: NDArray[np.float32]
    whole: NDArray[np.float32]


def _gathered(heats: Iterable[NDArray[np.float32]], peak: int) -> _Heat | None:
    whole, at_peak = None, None
    for place, heat in enumerate(heats):
        whole = heat if whole is None else np.maximum(whole, heat)
        if place == peak or at_peak is None:
            at_peak = heat
    return None if at_peak is None or whole is None else _Heat(at_peak, whole)


def _unit(heat: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(heat, np.float32) / np.float32(255)


def _reduced(info: StreamInfo, pixels: int) -> tuple[int, int]:
    """Returns width and height of a picture before rotation, its pixels square.

    Args:
        info: of the stream.
        pixels: how many the picture may have, but for a picture too small to show anything.
    """
    width, height = float(info.width * info.pixel_aspect), float(info.height)
    longest = max(width, height)
    scale = min(_LONGEST_SIDE / longest, (pixels / (width * height)) ** 0.5)
    scale = min(1.0, max(scale, _SHORTEST_SIDE / longest))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _write(path: Path, kind: str, picture: NDArray[np.uint8]) -> Picture:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    made, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not made:
        raise OSError(f"a picture cannot be compressed: {path.name}")
    path.write_bytes(data.tobytes())
    height, width = picture.shape[:2]
    return Picture(path.name, kind, hashlib.sha256(data.tobytes()).hexdigest(), width, height)
