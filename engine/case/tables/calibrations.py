"""Calibrations: small versioned objects that make raw scores comparable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, cast

from engine.case.store import row_fields as fields
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository

CalibrationKind = Literal["normal", "span", "self"]
"""Learnt from normal footage, from a span of the evidence, or from the evidence itself."""


@dataclass(frozen=True)
class NewCalibration:
    """Measured values that make raw scores comparable.

    Attributes:
        channel: the channel it belongs to.
        kind: learnt from `normal` footage, from a `span` of the evidence, or from it`self`.
        body: the measured values, in the channel's own packed form.
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


class CalibrationRepository(Repository):
    """Reads the calibrations of a case."""

    def get(self, calibration_id: int) -> CalibrationRow:
        """Returns one calibration.

        Raises:
            BadInputError: the case has none with this id.
        """
        return self._calibration(self._require_row("calibration", calibration_id))

    def of_run(self, run_id: int, channel: str) -> tuple[CalibrationRow, ...]:
        """Returns the calibrations made in a run for a channel, oldest first."""
        sql = "SELECT * FROM calibration WHERE run_id = ? AND channel = ? ORDER BY version"
        return tuple(map(self._calibration, self._database.rows(sql, [run_id, channel])))

    def all(self, channel: str) -> tuple[CalibrationRow, ...]:
        """Returns the calibrations of a channel in the whole case, oldest first."""
        sql = "SELECT * FROM calibration WHERE channel = ? ORDER BY id"
        return tuple(map(self._calibration, self._database.rows(sql, [channel])))

    def _calibration(self, row: Row) -> CalibrationRow:
        with fields.decoding(self._database, "calibration"):
            calibration = NewCalibration(
                channel=fields.text(row, "channel"),
                kind=cast(CalibrationKind, fields.text(row, "kind")),
                body=fields.blob(row, "body"),
                sources=fields.text(row, "sources"),
                run_id=fields.integer_or_none(row, "run_id"),
                evidence_id=fields.integer_or_none(row, "evidence_id"),
                final=bool(fields.integer(row, "final")),
            )
            return CalibrationRow(
                fields.integer(row, "id"),
                fields.integer(row, "version"),
                fields.text(row, "sha256"),
                calibration,
            )


class CalibrationChanges(Changes, CalibrationRepository):
    """Adds calibrations."""

    def add(self, new: NewCalibration) -> int:
        """Adds a calibration as the next version within its run, evidence and channel.

        Returns:
            Its id.
        """
        sql = (
            "SELECT max(version) AS last FROM calibration"
            " WHERE run_id IS ? AND evidence_id IS ? AND channel = ?"
        )
        last = self._database.row(sql, [new.run_id, new.evidence_id, new.channel])
        version = int(last["last"] or 0) + 1 if last else 1
        sha256 = hashlib.sha256(new.body).hexdigest()
        row = {**new.__dict__, "final": int(new.final), "version": version, "sha256": sha256}
        calibration_id = self._journal.insert("calibration", row)
        params = {"channel": new.channel, "kind": new.kind, "version": version, "sha256": sha256}
        self._journal.record("calibration.add", f"calibration:{calibration_id}", params)
        return calibration_id
