"""Runs: one analysis of a piece of evidence with its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from engine.case.store import row_fields as fields
from engine.case.store.audit import utc_now
from engine.case.store.database import Row, Value
from engine.case.tables.evidence import EvidenceRow
from engine.case.tables.repository import Changes, Repository
from engine.core.canonical import content_sha256
from engine.core.errors import BadInputError
from engine.core.findings import RunWarning
from engine.core.version import VERSION

RunState = Literal["running", "finished", "cancelled", "failed"]

_END_ACTIONS: Mapping[RunState, str] = {
    "finished": "run.finish",
    "cancelled": "run.cancel",
    "failed": "run.fail",
}


@dataclass(frozen=True)
class RunRow:
    """One analysis of one stream of a piece of evidence with its settings.

    Attributes:
        id: per case, from 1.
        evidence_id: the evidence.
        stream: number of the stream in its container.
        state: `running`, also after the worker was killed, until it is resumed.
        settings: JSON of everything that decides the result.
        settings_sha256: hash of the settings' canonical form.
        evidence_sha256: hash the evidence had when the run started.
        frames: frames in the stream.
        analysed_frames: frames given to a channel.
        resumed_frames: frames already analysed when the run was last resumed.
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


class RunRepository(Repository):
    """Reads the runs of a case."""

    def get(self, run_id: int) -> RunRow:
        """Returns one run.

        Raises:
            BadInputError: the case has none with this id.
        """
        return self._run(self._require_row("run", run_id, "list the runs of the case"))

    def all(self, evidence_id: int | None = None) -> tuple[RunRow, ...]:
        """Returns all runs, or those of one piece of evidence, in order of id."""
        if evidence_id is None:
            rows = self._database.rows("SELECT * FROM run ORDER BY id")
        else:
            sql = "SELECT * FROM run WHERE evidence_id = ? ORDER BY id"
            rows = self._database.rows(sql, [evidence_id])
        return tuple(map(self._run, rows))

    def current(self, evidence_id: int) -> RunRow | None:
        """Returns the run chosen for this evidence, else its newest finished one."""
        sql = "SELECT current_run FROM evidence WHERE id = ?"
        evidence = self._database.row(sql, [evidence_id])
        if evidence and evidence["current_run"] is not None:
            return self.get(fields.integer(evidence, "current_run"))
        return self._newest("state = 'finished' AND evidence_id = ?", [evidence_id])

    def resolve(self, evidence: EvidenceRow, run_id: int | None) -> RunRow:
        """Returns the run of an id, or the current one of the evidence where the id is None.

        Raises:
            BadInputError: there is no such run of this evidence, or it has not finished.
        """
        if run_id is None:
            current = self.current(evidence.id)
            if current is None:
                raise BadInputError("no finished run", evidence.name, "analyse it first")
            return current
        run = self.get(run_id)
        if run.evidence_id != evidence.id:
            raise BadInputError(f"run {run_id} is of other evidence", evidence.name, "leave it out")
        if run.state != "finished":
            raise BadInputError(f"run {run_id} has not finished", evidence.name, "resume it first")
        return run

    def find_unfinished(
        self, evidence_id: int, settings_sha256: str, evidence_sha256: str
    ) -> RunRow | None:
        """Returns the newest run with this evidence hash and settings that did not finish."""
        where = (
            "state <> 'finished' AND evidence_id = ? AND settings_sha256 = ?"
            " AND evidence_sha256 = ?"
        )
        return self._newest(where, [evidence_id, settings_sha256, evidence_sha256])

    def find_finished(
        self, evidence_id: int, settings_sha256: str, evidence_sha256: str
    ) -> RunRow | None:
        """Returns the newest finished run with this evidence hash and settings."""
        where = (
            "state = 'finished' AND evidence_id = ? AND settings_sha256 = ? AND evidence_sha256 = ?"
        )
        return self._newest(where, [evidence_id, settings_sha256, evidence_sha256])

    def _newest(self, where: str, values: Sequence[Value]) -> RunRow | None:
        sql = f"SELECT * FROM run WHERE {where} ORDER BY id DESC LIMIT 1"
        row = self._database.row(sql, values)
        return None if row is None else self._run(row)

    def _run(self, row: Row) -> RunRow:
        with fields.decoding(self._database, "run"):
            return RunRow(
                id=fields.integer(row, "id"),
                evidence_id=fields.integer(row, "evidence_id"),
                stream=fields.integer(row, "stream"),
                state=cast(RunState, fields.text(row, "state")),
                settings=fields.text(row, "settings"),
                settings_sha256=fields.text(row, "settings_sha256"),
                evidence_sha256=fields.text(row, "evidence_sha256"),
                frames=fields.integer(row, "frames"),
                analysed_frames=fields.integer(row, "analysed_frames"),
                resumed_frames=fields.integer(row, "resumed_frames"),
                warnings=tuple(
                    RunWarning(str(warning["kind"]), float(warning["share"]), str(warning["text"]))
                    for warning in fields.items(row, "warnings")
                ),
                info=fields.text(row, "info"),
                version=fields.text(row, "version"),
                environment=fields.text(row, "environment"),
                started_utc=fields.text(row, "started_utc"),
                finished_utc=fields.text_or_none(row, "finished_utc"),
                wall_s=fields.real(row, "wall_s"),
            )


class RunChanges(Changes, RunRepository):
    """Changes the runs of a case."""

    def start(
        self,
        evidence_id: int,
        stream: int,
        settings: Mapping[str, object],
        environment: Mapping[str, object],
        frames: int = 0,
    ) -> int:
        """Starts a run on evidence as it was when added, and returns its id.

        Args:
            evidence_id: the evidence.
            stream: number of the stream in its container.
            settings: everything that decides the result, of JSON's types.
            environment: Python, system, libraries, processor, threads, of JSON's types.
            frames: frames in the stream; 0 when not known yet.

        Raises:
            BadInputError: there is no such evidence.
        """
        evidence = self._require_row("evidence", evidence_id, "list the evidence of the case")
        settings_sha256 = settings_hash(settings)
        run_id = self._journal.insert(
            "run",
            {
                "evidence_id": evidence_id,
                "stream": stream,
                "state": "running",
                "settings": fields.to_json(settings),
                "settings_sha256": settings_sha256,
                "evidence_sha256": evidence["sha256"],
                "frames": frames,
                "analysed_frames": 0,
                "resumed_frames": 0,
                "warnings": "[]",
                "info": "{}",
                "version": VERSION,
                "environment": fields.to_json(environment),
                "started_utc": utc_now(),
                "wall_s": 0.0,
            },
        )
        params = {"evidence_id": evidence_id, "stream": stream, "settings_sha256": settings_sha256}
        self._journal.record("run.start", f"run:{run_id}", params)
        return run_id

    def resume(self, run_id: int, resumed_frames: int) -> None:
        """Resumes a run that did not finish.

        Raises:
            BadInputError: there is no such run, or it finished.
        """
        if self.get(run_id).state == "finished":
            raise BadInputError("the run has finished", run_id, "start a new one")
        changes: dict[str, Value] = {
            "state": "running", "resumed_frames": resumed_frames, "finished_utc": None,
        }  # fmt: skip
        self._journal.update("run", run_id, changes)
        self._journal.record("run.resume", f"run:{run_id}", {"resumed_frames": resumed_frames})

    def finish(
        self,
        run_id: int,
        *,
        frames: int,
        analysed_frames: int,
        wall_s: float,
        warnings: Sequence[RunWarning] = (),
        info: Mapping[str, object] | None = None,
    ) -> None:
        """Ends a run whose results are stored.

        Args:
            run_id: the run.
            frames: frames in the stream.
            analysed_frames: frames given to a channel.
            wall_s: seconds of work this time; added to what earlier parts took.
            warnings: what the examiner must know.
            info: further figures, of JSON's types.

        Raises:
            BadInputError: there is no such run, or it is not running.
        """
        counts: dict[str, Value] = {"frames": frames, "analysed_frames": analysed_frames}
        details: dict[str, Value] = {
            "warnings": fields.to_json([warning.__dict__ for warning in warnings]),
            "info": fields.to_json(dict(info or {})),
        }
        self._end(run_id, "finished", wall_s, counts, details)

    def stop(
        self,
        run_id: int,
        state: Literal["cancelled", "failed"],
        *,
        analysed_frames: int,
        wall_s: float,
        reason: str = "",
    ) -> None:
        """Ends a run before its end; it can be resumed.

        Args:
            run_id: the run.
            state: `cancelled` by the examiner, or `failed`.
            analysed_frames: frames given to a channel and committed so far.
            wall_s: seconds of work this time.
            reason: the error's line when it failed.

        Raises:
            BadInputError: there is no such run, or it is not running.
        """
        info = fields.to_json({"reason": reason} if reason else {})
        self._end(run_id, state, wall_s, {"analysed_frames": analysed_frames}, {"info": info})

    def _end(
        self,
        run_id: int,
        state: RunState,
        wall_s: float,
        counts: Mapping[str, Value],
        details: Mapping[str, Value],
    ) -> None:
        run = self.get(run_id)
        if run.state != "running":
            raise BadInputError(f"the run is {run.state}", run_id, "resume it first")
        end: dict[str, Value] = {
            "state": state, "finished_utc": utc_now(),
            "wall_s": fields.to_real(run.wall_s + wall_s),
        }  # fmt: skip
        self._journal.update("run", run_id, {**end, **counts, **details})
        self._journal.record(_END_ACTIONS[state], f"run:{run_id}", counts)


def settings_hash(settings: Mapping[str, object]) -> str:
    """Returns the hash by which equal settings are recognised.

    Raises:
        BadInputError: a setting is not of JSON's types.
    """
    try:
        return content_sha256(settings)
    except TypeError as error:
        raise BadInputError(f"a setting that cannot be stored ({error})") from error
