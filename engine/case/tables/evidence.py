"""Evidence and its streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, cast

from engine.case.store import row_fields as fields
from engine.case.store.audit import utc_now
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository
from engine.core.errors import BadInputError

EvidenceKind = Literal["video", "images"]

_MAX_OFFSET_S = 1e11  # About 3000 years, a choice: any offset between two real clocks is far less.

MISMATCH = "evidence.mismatch"
"""Action of the audit entry about a mismatch of hashes."""


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
    """A stored stream; `stream` is as it was added."""

    id: int
    evidence_id: int
    stream: NewStream


@dataclass(frozen=True)
class NewEvidence:
    """A file, or a folder of numbered images, that is to be added.

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
        position: rank in the examiner's order, from 1; None where none was chosen.
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


class EvidenceRepository(Repository):
    """Reads the evidence of a case."""

    def all(self) -> tuple[EvidenceRow, ...]:
        """Returns all evidence in order of id."""
        return tuple(map(self._evidence, self._database.rows("SELECT * FROM evidence ORDER BY id")))

    def get(self, evidence_id: int) -> EvidenceRow:
        """Returns one piece of evidence.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._require_row("evidence", evidence_id, "list the evidence of the case")
        return self._evidence(row)

    def with_path(self, path: str) -> tuple[EvidenceRow, ...]:
        """Returns the evidence added from this absolute path, oldest first."""
        return tuple(row for row in self.all() if row.path == path)

    def streams(self, evidence_id: int) -> tuple[StreamRow, ...]:
        """Returns the streams of a piece of evidence in order of number."""
        sql = "SELECT * FROM stream WHERE evidence_id = ? ORDER BY number"
        return tuple(map(self._stream, self._database.rows(sql, [evidence_id])))

    def mismatches(self, evidence_id: int) -> tuple[str, ...]:
        """Returns the UTC times at which this evidence was found changed, oldest first."""
        sql = "SELECT utc FROM audit WHERE action = ? AND object = ? ORDER BY seq"
        rows = self._database.rows(sql, [MISMATCH, f"evidence:{evidence_id}"])
        return tuple(str(row["utc"]) for row in rows)

    def _evidence(self, row: Row) -> EvidenceRow:
        with fields.decoding(self._database, "evidence"):
            return EvidenceRow(
                id=fields.integer(row, "id"),
                path=fields.text(row, "path"),
                name=fields.text(row, "name"),
                kind=cast(EvidenceKind, fields.text(row, "kind")),
                sha256=fields.text(row, "sha256"),
                size=fields.integer(row, "size"),
                mtime_ns=fields.integer(row, "mtime_ns"),
                fps=fields.real_or_none(row, "fps"),
                copied_to=fields.text_or_none(row, "copied_to"),
                added_utc=fields.text(row, "added_utc"),
                properties=fields.text(row, "properties"),
                current_run=fields.integer_or_none(row, "current_run"),
                clock_offset_s=fields.real_or_none(row, "clock_offset_s"),
                position=fields.integer_or_none(row, "position"),
            )

    def _stream(self, row: Row) -> StreamRow:
        with fields.decoding(self._database, "stream"):
            stream = NewStream(
                number=fields.integer(row, "number"),
                codec=fields.text(row, "codec"),
                width=fields.integer(row, "width"),
                height=fields.integer(row, "height"),
                time_base_num=fields.integer(row, "time_base_num"),
                time_base_den=fields.integer(row, "time_base_den"),
                first_pts=fields.integer(row, "first_pts"),
                frames=fields.integer(row, "frames"),
                duration_s=fields.real(row, "duration_s"),
                flags=fields.text(row, "flags"),
                pts=None if row["pts"] is None else fields.blob(row, "pts"),
            )
            return StreamRow(fields.integer(row, "id"), fields.integer(row, "evidence_id"), stream)


class EvidenceChanges(Changes, EvidenceRepository):
    """Changes the evidence of a case."""

    def add(self, new: NewEvidence) -> int:
        """Adds evidence with its streams and returns its id."""
        row_id = self._journal.insert(
            "evidence",
            {
                "path": new.path,
                "name": PurePath(new.path).name,
                "kind": new.kind,
                "sha256": new.sha256,
                "size": new.size,
                "mtime_ns": new.mtime_ns,
                "fps": fields.to_real_or_none(new.fps),
                "copied_to": new.copied_to,
                "added_utc": utc_now(),
                "properties": new.properties,
            },
        )
        params = {"path": new.path, "sha256": new.sha256, "copied": new.copied_to is not None}
        self._journal.record("evidence.add", f"evidence:{row_id}", params)
        for stream in new.streams:
            self.add_stream(row_id, stream)
        return row_id

    def add_stream(self, evidence_id: int, stream: NewStream) -> None:
        """Adds another video stream of evidence.

        Raises:
            BadInputError: the case has no such evidence.
        """
        self.get(evidence_id)
        row = {**stream.__dict__, "evidence_id": evidence_id}
        stream_id = self._journal.insert("stream", row)
        params = {"evidence_id": evidence_id, "number": stream.number}
        self._journal.record("stream.add", f"stream:{stream_id}", params)

    def choose_run(self, evidence_id: int, run_id: int | None) -> None:
        """Makes a run the current one; None goes back to the newest finished one.

        Raises:
            BadInputError: the run is unknown, unfinished, or of other evidence.
        """
        self.get(evidence_id)
        if run_id is not None:
            sql = "SELECT 1 FROM run WHERE id = ? AND evidence_id = ? AND state = 'finished'"
            if self._database.row(sql, [run_id, evidence_id]) is None:
                raise BadInputError(
                    "no finished run of this evidence", run_id, "choose one of its finished runs"
                )
        self._journal.update("evidence", evidence_id, {"current_run": run_id})
        self._journal.record("evidence.choose_run", f"evidence:{evidence_id}", {"run_id": run_id})

    def set_clock_offset(self, evidence_id: int, seconds: float | None) -> None:
        """Sets by how many seconds the burned-in clock is ahead of stream time; None: unknown.

        Raises:
            BadInputError: the case has no such evidence, or this is no offset.
        """
        if seconds is not None and not abs(seconds) < _MAX_OFFSET_S:
            raise BadInputError("not a clock offset", seconds, "give seconds")
        before = self.get(evidence_id).clock_offset_s
        offset = fields.to_real_or_none(seconds)
        self._journal.update("evidence", evidence_id, {"clock_offset_s": offset})
        params = {"before": before, "seconds": offset}
        self._journal.record("evidence.set_clock_offset", f"evidence:{evidence_id}", params)

    def arrange(self, evidence_ids: Sequence[int]) -> None:
        """Puts evidence in the order of `evidence_ids`.

        Raises:
            BadInputError: the case has no such evidence.
        """
        for position, evidence_id in enumerate(evidence_ids, 1):
            if self.get(evidence_id).position != position:
                self._journal.update("evidence", evidence_id, {"position": position})
                params = {"position": position}
                self._journal.record("evidence.arrange", f"evidence:{evidence_id}", params)

    def relink(self, evidence_id: int, path: str) -> None:
        """Sets the path at which evidence is now; the caller has compared its hash.

        Raises:
            BadInputError: the case has no such evidence.
        """
        before = self.get(evidence_id).path
        self._journal.update("evidence", evidence_id, {"path": path, "name": PurePath(path).name})
        params = {"before": before, "path": path}
        self._journal.record("evidence.relink", f"evidence:{evidence_id}", params)

    def record_copy(self, evidence_id: int, copied_to: str | None) -> None:
        """Sets where inside the case a copy of evidence is; the caller has compared its hash.

        Args:
            evidence_id: the evidence.
            copied_to: relative to the case folder; None when the case contains no copy.

        Raises:
            BadInputError: the case has no such evidence.
        """
        before = self.get(evidence_id).copied_to
        self._journal.update("evidence", evidence_id, {"copied_to": copied_to})
        params = {"before": before, "copied_to": copied_to}
        self._journal.record("evidence.hold", f"evidence:{evidence_id}", params)

    def record_mismatch(self, evidence_id: int, sha256_now: str | None) -> None:
        """Records that evidence was found changed (None: missing or unreadable).

        Raises:
            BadInputError: the case has no such evidence.
        """
        recorded = self.get(evidence_id).sha256
        params = {"sha256_recorded": recorded, "sha256_now": sha256_now}
        self._journal.record(MISMATCH, f"evidence:{evidence_id}", params)
