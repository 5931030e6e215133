"""Reads one piece of evidence from the case into what the window shows; runs off its thread."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop.state.evidence_view import Curve, EvidenceView, Polygon
from engine.case import Case, DerivationRow, EvidenceRow, RunRow, StreamRow, TrajectorySummary
from engine.core.arrays import unpack_arrays
from engine.core.channels import FUSED
from engine.core.errors import BadInputError
from engine.core.stream import FrameIndex, analysed_frames

_PROVISIONAL = "provisional"
_Derived = tuple[dict[str, Curve], tuple[TrajectorySummary, ...]]


class ViewLoader:
    """Makes views of evidence, keeping what did not change since the last one.

    Belongs to the reading thread.
    """

    def __init__(self) -> None:
        self._index: dict[tuple[int, int], tuple[FrameIndex, NDArray[np.float64]]] = {}
        self._growing: dict[tuple[int, str], list[NDArray[np.float32]]] = {}
        self._derived: tuple[int, _Derived] | None = None

    def load(self, case: Case, evidence_id: int, run_id: int | None = None) -> EvidenceView:
        """Reads everything that is shown about a piece of evidence.

        Args:
            case: open for reading.
            evidence_id: the evidence.
            run_id: the run to show; None takes the one in progress, then the current one.

        Raises:
            BadInputError: the case has no such evidence, or not its frame times.
        """
        evidence = case.evidence.get(evidence_id)
        run = self._run(case, evidence, run_id)
        derivation = None if run is None else case.results.current(run.id)
        stream = _stream(case, evidence, run)
        index, seconds = self._times(evidence, stream)
        path = case.evidence_path(evidence)
        events = () if run is None else case.results.events(run.id)
        derived = self._of_run(case, run, derivation)
        own = case.own_events.of(evidence_id)
        view = EvidenceView(
            evidence=evidence,
            path=path,
            index=index,
            seconds=seconds,
            width=stream.stream.width,
            height=stream.stream.height,
            rotation=_rotation(stream),
            pixel_aspect=_pixel_aspect(evidence),
            derivation_id=0 if derivation is None else derivation.id,
            run=run,
            stream=stream.stream.number,
            curves=derived[0],
            events=tuple(sorted((*events, *own), key=lambda row: (row.event.start_pts, row.id))),
            trajectories=derived[1],
            clock_offset_s=evidence.clock_offset_s,
            missing=not path.exists(),
            lost_frames=_lost_frames(evidence),
            **_changes(run, derivation),
        )
        return self.with_marks(case, view)

    def with_marks(self, case: Case, view: EvidenceView) -> EvidenceView:
        """Reads only what the examiner's edits change, and keeps the rest of a view."""
        evidence_id = view.evidence.id
        evidence = case.evidence.get(evidence_id)
        return replace(
            view,
            evidence=evidence,
            bookmarks=case.bookmarks.of(evidence_id),
            notes=case.notes.all(),
            watched=case.watched.of(evidence_id),
            clock_offset_s=evidence.clock_offset_s,
            mismatches=case.evidence.mismatches(evidence_id),
            tags=case.tags.by_object(),
        )

    def _run(self, case: Case, evidence: EvidenceRow, run_id: int | None) -> RunRow | None:
        if run_id is not None:
            return case.runs.get(run_id)
        current = case.runs.current(evidence.id)
        running = [run for run in case.runs.all(evidence.id) if run.state == "running"]
        if running and (current is None or running[-1].id > current.id):
            return running[-1]
        return current

    def _times(
        self, evidence: EvidenceRow, row: StreamRow
    ) -> tuple[FrameIndex, NDArray[np.float64]]:
        key = evidence.id, row.stream.number
        if key not in self._index:
            index = stored_index(evidence, row)
            start = index.pts[0]
            seconds = np.asarray((index.pts - start) * float(index.time_base), np.float64)
            self._index[key] = index, seconds
        return self._index[key]

    def _of_run(self, case: Case, run: RunRow | None, derivation: DerivationRow | None) -> _Derived:
        """Returns curves and trajectories, those of the same derivation as the same objects."""
        if run is None:
            return {}, ()
        if derivation is None:
            return self._curves(case, run), ()
        if self._derived is None or self._derived[0] != derivation.id:
            read = self._curves(case, run), case.results.trajectory_summaries(run.id)
            self._derived = derivation.id, read
        return self._derived[1]

    def _curves(self, case: Case, run: RunRow) -> dict[str, Curve]:
        if run.state != "finished":
            return self._provisional(case, run)
        self._growing = {key: scores for key, scores in self._growing.items() if key[0] != run.id}
        return run_curves(case, run)

    def _provisional(self, case: Case, run: RunRow) -> dict[str, Curve]:
        curves, stride = {}, _stride(run)
        for channel in case.chunks.channels(run.id):
            blobs = self._growing.setdefault((run.id, channel), [])
            for _span, blob in case.chunks.scores(run.id, channel, len(blobs)):
                blobs.append(unpack_arrays(blob)[_PROVISIONAL].astype(np.float32, copy=False))
            if blobs:
                scores = np.concatenate(blobs)
                frames = analysed_frames(run.frames, stride)[: len(scores)]
                curves[channel] = Curve(frames, scores, provisional=True)
        return curves


def run_curves(case: Case, run: RunRow) -> dict[str, Curve]:
    """Returns the scores of a finished run by channel; `fused` comes first."""
    curves = {}
    for channel in case.results.channels(run.id):
        scores = case.results.scores(run.id, channel)
        curves[channel] = Curve(analysed_frames(run.frames, _stride(run))[: len(scores)], scores)
    return {name: curves[name] for name in sorted(curves, key=lambda name: name != FUSED)}


def _stride(run: RunRow) -> int:
    return int(json.loads(run.settings).get("stride", 1))


def _stream(case: Case, evidence: EvidenceRow, run: RunRow | None) -> StreamRow:
    streams = case.evidence.streams(evidence.id)
    matching = [stream for stream in streams if run is None or stream.stream.number == run.stream]
    if not matching or matching[0].stream.pts is None:
        raise BadInputError(
            "the case does not hold the frame times", evidence.name, "add the evidence again"
        )
    return matching[0]


def _rotation(row: StreamRow) -> int:
    degrees = json.loads(row.stream.flags).get("rotation", 0)
    return degrees if degrees in (90, 180, 270) else 0


def _pixel_aspect(evidence: EvidenceRow) -> float:
    try:
        aspect = float(Fraction(json.loads(evidence.properties).get("pixel_aspect", "1")))
    except (ValueError, TypeError, ZeroDivisionError):
        return 1.0
    return aspect if 0.1 <= aspect <= 10 else 1.0


def _lost_frames(evidence: EvidenceRow) -> int:
    try:
        return max(0, int(json.loads(evidence.properties).get("missing", 0)))
    except (ValueError, TypeError, AttributeError):
        return 0


def _changes(run: RunRow | None, derivation: DerivationRow | None) -> dict[str, Any]:
    """Returns the normal spans and regions that results were made with."""
    settings: dict[str, Any] = {} if run is None else json.loads(run.settings)
    if derivation is not None and derivation.settings is not None:
        settings = json.loads(derivation.settings)
    spans = tuple((float(start), float(end)) for start, end in settings.get("normal_spans", []))
    return {
        "normal_spans": spans,
        "ignore": _polygons(settings.get("ignore", [])),
        "interest": _polygons(settings.get("interest", [])),
    }


def _polygons(corners: list[list[list[float]]]) -> tuple[Polygon, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in corners)


def stored_index(evidence: EvidenceRow, row: StreamRow) -> FrameIndex:
    """Restores the frame index that the case keeps of a stream.

    Raises:
        BadInputError: what the case holds is damaged.
    """
    stream = row.stream
    try:
        arrays = unpack_arrays(stream.pts or b"")
        pts = arrays["pts"].astype(np.int64, copy=False)
        keyframe = arrays["keyframe"].astype(np.bool_, copy=False)
        time_base = Fraction(stream.time_base_num, stream.time_base_den)
        last = round(Fraction(stream.duration_s) / time_base) - int(pts[-1] - pts[0])
        properties = json.loads(evidence.properties)
        gaps = tuple((int(frame), float(missing)) for frame, missing in properties.get("gaps", []))
        flags = json.loads(stream.flags)
    except (ValueError, KeyError, TypeError, IndexError, ZeroDivisionError) as error:
        raise BadInputError(
            "the frame times in the case are damaged", evidence.name, "verify the case"
        ) from error
    return FrameIndex(
        pts=pts,
        keyframe=keyframe,
        duration=np.append(np.diff(pts), max(0, last)),
        time_base=time_base,
        made=bool(flags.get("made_pts", False)),
        gaps=gaps,
        variable_rate=bool(flags.get("variable_rate", False)),
    )
