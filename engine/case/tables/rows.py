"""The rows of a case as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.core.findings import Event, Region, RunWarning, Trajectory

EvidenceKind = Literal["video", "images"]
RunState = Literal["running", "finished", "cancelled", "failed"]
CalibrationKind = Literal["normal", "span", "self"]
EventState = Literal["unseen", "seen", "relevant", "dismissed"]


@dataclass(frozen=True)
class NewStream:
    """A video stream of a piece of evidence.

    Attributes:
        number: index of the stream in its container.
        codec: name of its codec.
        width: of the decoded frame in pixels.
        height: of the decoded frame in pixels.
        time_base_num: numerator of the time base in seconds.
        time_base_den: denominator of the time base.
        first_pts: PTS from which stream time counts.
        frames: number of frames.
        duration_s: in seconds of stream time.
        flags: JSON: what must be known about it (made PTS, interlaced, variable rate, …).
        pts: packed array `pts`, int64 [frames]; None when not stored.
    """

    number: int
    codec: str
    width: int
    height: int
    time_base_num: int
    time_base_den: int
    first_pts: int
    frames: int
    duration_s: float
    flags: str = "{}"
    pts: bytes | None = None


@dataclass(frozen=True)
class StreamRow:
    """A stored stream; `stream` is as it was given."""

    id: int
    evidence_id: int
    stream: NewStream


@dataclass(frozen=True)
class NewEvidence:
    """A file, or a folder of numbered images, about to be added.

    Attributes:
        path: absolute path as given.
        kind: `video` or `images`.
        sha256: of the file; of an image folder as the media floor defines it.
        size: in bytes.
        mtime_ns: time of last change of the file, ns since 1970.
        fps: frame rate given for a folder of images; None for a video.
        copied_to: path of the copy relative to the case folder; None when only referenced.
        properties: JSON: everything the container says.
        streams: its video streams.
    """

    path: str
    kind: EvidenceKind
    sha256: str
    size: int
    mtime_ns: int
    fps: float | None = None
    copied_to: str | None = None
    properties: str = "{}"
    streams: tuple[NewStream, ...] = ()


@dataclass(frozen=True)
class EvidenceRow:
    """A piece of evidence in the case; fields as in `NewEvidence`.

    Attributes:
        id: per case, from 1.
        name: last part of the path.
        added_utc: when it was added, ISO.
        current_run: the run chosen by the examiner; None when the newest finished one counts.
        clock_offset_s: seconds to add to stream time to get the burned-in clock; None when the
            examiner gave none.
        position: place in the examiner's order; None where none was chosen.
    """

    id: int
    path: str
    name: str
    kind: EvidenceKind
    sha256: str
    size: int
    mtime_ns: int
    fps: float | None
    copied_to: str | None
    added_utc: str
    properties: str
    current_run: int | None
    clock_offset_s: float | None = None
    position: int | None = None

    @property
    def copied(self) -> bool:
        """Whether the case holds a copy of it."""
        return self.copied_to is not None


@dataclass(frozen=True)
class RunRow:
    """One analysis of one stream of a piece of evidence with its settings.

    Attributes:
        id: per case, from 1.
        evidence_id: the evidence.
        stream: number of the stream in its container.
        state: `running`, also after a kill, until it is taken up again.
        settings: JSON of everything that decides the result.
        settings_sha256: hash of the settings' canonical form.
        evidence_sha256: hash the evidence had when the run started.
        frames: frames in the stream.
        analysed_frames: frames given to a channel.
        resumed_frames: frames already analysed when the run was last taken up again.
        warnings: what the examiner must know about it.
        info: JSON of further figures (analysis size, …).
        version: of Sightline.
        environment: JSON: Python, system, libraries, processor, threads.
        started_utc: ISO.
        finished_utc: when it finished, was cancelled or failed; None while running.
        wall_s: seconds of work so far.
    """

    id: int
    evidence_id: int
    stream: int
    state: RunState
    settings: str
    settings_sha256: str
    evidence_sha256: str
    frames: int
    analysed_frames: int
    resumed_frames: int
    warnings: tuple[RunWarning, ...]
    info: str
    version: str
    environment: str
    started_utc: str
    finished_utc: str | None
    wall_s: float


@dataclass(frozen=True)
class ChunkSpan:
    """Where a chunk lies and what it says about itself, without its blobs.

    Attributes:
        seq: from 0 within run and channel, without gaps.
        channel: `scene`, `text`, ….
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        first_pts: PTS of the first frame.
        last_pts: PTS of the last frame.
        info: JSON of the channel's own.
    """

    seq: int
    channel: str
    first_frame: int
    last_frame: int
    first_pts: int
    last_pts: int
    info: str = "{}"


@dataclass(frozen=True)
class Chunk:
    """Windows of one channel that are committed together.

    Attributes:
        span: where it lies.
        scores: packed arrays: raw scores.
        raw: packed arrays: raw attribute maps.
    """

    span: ChunkSpan
    scores: bytes
    raw: bytes


@dataclass(frozen=True)
class NewCalibration:
    """What makes raw scores comparable.

    Attributes:
        channel: the channel it belongs to.
        kind: learnt from `normal` footage, from a `span` of the evidence, or from it`self`.
        body: the object itself, in the channel's own packed form.
        sources: JSON: what it was learnt from, with hashes.
        run_id: the run it was made in; None when it serves the evidence or the case.
        evidence_id: the evidence it serves; None when it serves any.
        final: whether results may be derived with it.
    """

    channel: str
    kind: CalibrationKind
    body: bytes
    sources: str = "[]"
    run_id: int | None = None
    evidence_id: int | None = None
    final: bool = False


@dataclass(frozen=True)
class CalibrationRow:
    """A stored calibration.

    Attributes:
        id: per case, from 1.
        version: from 1 within its run, evidence and channel.
        sha256: of its body.
        calibration: as it was given; `final` as it is now.
    """

    id: int
    version: int
    sha256: str
    calibration: NewCalibration


@dataclass(frozen=True)
class DerivationRow:
    """One derivation of results from a run's stored maps.

    Attributes:
        id: per case, from 1.
        run_id: the run.
        number: from 1 within the run; the largest is the current one.
        calibrations: ids of the calibrations used.
        version: of Sightline.
        settings: JSON of what it was made with beyond the run's settings (normal spans, regions);
            None when nothing.
    """

    id: int
    run_id: int
    number: int
    calibrations: tuple[int, ...]
    version: str
    settings: str | None = None


@dataclass(frozen=True)
class RegionRow:
    """A stored region."""

    id: int
    run_id: int
    region: Region


@dataclass(frozen=True)
class TrajectoryRow:
    """A stored trajectory; `id` is per case, `trajectory.number` within its run."""

    id: int
    run_id: int
    trajectory: Trajectory


@dataclass(frozen=True)
class EventRow:
    """A stored event with what the examiner made of it.

    Attributes:
        id: per case, from 1.
        run_id: its run; of an own event the run on screen then, None when there was none.
        derivation_id: the derivation it came from; None for an examiner's own event.
        event: as it was found.
        state: `unseen`, `seen`, `relevant` or `dismissed`.
        state_reason: the examiner's words; None when none were given.
    """

    id: int
    run_id: int | None
    derivation_id: int | None
    event: Event
    state: EventState
    state_reason: str | None


@dataclass(frozen=True)
class ExportRow:
    """A file written from the case.

    Attributes:
        id: per case, from 1.
        run_id: the run it shows; None when it is about the whole case.
        path: absolute path as written.
        kind: `pdf`, `csv`, `mp4`, `npz`, ….
        sha256: of the file.
        size: in bytes.
        utc: when it was written, ISO.
    """

    id: int
    run_id: int | None
    path: str
    kind: str
    sha256: str
    size: int
    utc: str
