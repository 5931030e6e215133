"""Chunks: raw maps and raw scores as they were committed during a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository
from engine.core.errors import BadInputError

_SPAN_COLUMNS = "seq, channel, first_frame, last_frame, first_pts, last_pts, info"
_OF_CHANNEL = "run_id = ? AND channel = ?"


@dataclass(frozen=True)
class ChunkSpan:
    """Which frames a chunk covers, without its blobs.

    Attributes:
        seq: from 0 within run and channel, without gaps.
        channel: `scene`, `text`, ….
        first_frame: index of its first frame.
        last_frame: index of its last frame, inclusive.
        first_pts: PTS of the first frame.
        last_pts: PTS of the last frame.
        info: JSON that the channel alone understands.
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
        span: which frames it covers.
        scores: packed arrays: raw scores.
        raw: packed arrays: raw attribute maps.
    """

    span: ChunkSpan
    scores: bytes
    raw: bytes


class ChunkRepository(Repository):
    """Reads the chunks of runs."""

    def spans(self, run_id: int, channel: str) -> tuple[ChunkSpan, ...]:
        """Returns where the chunks of a channel lie, in order, without reading their blobs."""
        sql = f"SELECT {_SPAN_COLUMNS} FROM chunk WHERE {_OF_CHANNEL} ORDER BY seq"
        return tuple(map(self._span, self._database.rows(sql, [run_id, channel])))

    def channels(self, run_id: int) -> tuple[str, ...]:
        """Returns the channels of which a run has chunks."""
        sql = "SELECT DISTINCT channel FROM chunk WHERE run_id = ? ORDER BY channel"
        return tuple(str(row["channel"]) for row in self._database.rows(sql, [run_id]))

    def last(self, run_id: int, channel: str) -> ChunkSpan | None:
        """Returns where the last chunk lies; None before the first."""
        sql = f"SELECT {_SPAN_COLUMNS} FROM chunk WHERE {_OF_CHANNEL} ORDER BY seq DESC LIMIT 1"
        row = self._database.row(sql, [run_id, channel])
        return None if row is None else self._span(row)

    def read(self, run_id: int, channel: str, seq: int) -> Chunk:
        """Returns one chunk.

        Raises:
            BadInputError: the run has no such chunk.
        """
        sql = f"SELECT * FROM chunk WHERE {_OF_CHANNEL} AND seq = ?"
        row = self._database.row(sql, [run_id, channel, seq])
        if row is None:
            raise BadInputError("no such chunk", f"run {run_id}, {channel} {seq}")
        return self._chunk(row)

    def stream(self, run_id: int, channel: str) -> Iterator[Chunk]:
        """Yields all chunks of a channel in order, one in memory at a time."""
        sql = f"SELECT * FROM chunk WHERE {_OF_CHANNEL} ORDER BY seq"
        for row in self._database.stream(sql, [run_id, channel]):
            yield self._chunk(row)

    def scores(
        self, run_id: int, channel: str, from_seq: int = 0
    ) -> Iterator[tuple[ChunkSpan, bytes]]:
        """Yields the packed raw scores of the chunks from one on, without reading their maps."""
        where = f"{_OF_CHANNEL} AND seq >= ?"
        sql = f"SELECT {_SPAN_COLUMNS}, scores FROM chunk WHERE {where} ORDER BY seq"
        for row in self._database.stream(sql, [run_id, channel, from_seq]):
            span = self._span(row)
            with fields.decoding(self._database, "chunk"):
                yield span, fields.blob(row, "scores")

    def _span(self, row: Row) -> ChunkSpan:
        with fields.decoding(self._database, "chunk"):
            return ChunkSpan(
                seq=fields.integer(row, "seq"),
                channel=fields.text(row, "channel"),
                first_frame=fields.integer(row, "first_frame"),
                last_frame=fields.integer(row, "last_frame"),
                first_pts=fields.integer(row, "first_pts"),
                last_pts=fields.integer(row, "last_pts"),
                info=fields.text(row, "info"),
            )

    def _chunk(self, row: Row) -> Chunk:
        span = self._span(row)
        with fields.decoding(self._database, "chunk"):
            return Chunk(span, fields.blob(row, "scores"), fields.blob(row, "raw"))


class ChunkChanges(Changes, ChunkRepository):
    """Adds chunks to running runs."""

    def append(self, run_id: int, chunk: Chunk) -> None:
        """Adds the next chunk of a channel.

        Raises:
            BadInputError: the run is not running, or the chunk is not the next one.
        """
        span = chunk.span
        where = f"run {run_id}, {span.channel} {span.seq}"
        running = "SELECT 1 FROM run WHERE id = ? AND state = 'running'"
        if self._database.row(running, [run_id]) is None:
            raise BadInputError("a chunk for a run that is not running", where, "resume the run")
        before = self.last(run_id, span.channel)
        next_seq = 0 if before is None else before.seq + 1
        if span.seq != next_seq:
            raise BadInputError(f"a chunk out of order, {next_seq} comes next", where)
        row = {**span.__dict__, "run_id": run_id, "scores": chunk.scores, "raw": chunk.raw}
        chunk_id = self._journal.insert("chunk", row)
        params = {
            "run_id": run_id, "channel": span.channel, "seq": span.seq,
            "first_frame": span.first_frame, "last_frame": span.last_frame,
        }  # fmt: skip
        self._journal.record("chunk.add", f"chunk:{chunk_id}", params)
