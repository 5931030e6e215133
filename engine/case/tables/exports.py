"""Exports: files written from the case, each with its own hash."""

from __future__ import annotations

from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import utc_now
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository


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


class ExportRepository(Repository):
    """Reads the list of files written from a case."""

    def all(self) -> tuple[ExportRow, ...]:
        """Returns all exports in order of id."""
        return tuple(map(self._export, self._database.rows("SELECT * FROM export ORDER BY id")))

    def _export(self, row: Row) -> ExportRow:
        with fields.decoding(self._database, "export"):
            return ExportRow(
                id=fields.integer(row, "id"),
                run_id=fields.integer_or_none(row, "run_id"),
                path=fields.text(row, "path"),
                kind=fields.text(row, "kind"),
                sha256=fields.text(row, "sha256"),
                size=fields.integer(row, "size"),
                utc=fields.text(row, "utc"),
            )


class ExportChanges(Changes, ExportRepository):
    """Adds to the list of files written from a case."""

    def add(
        self,
        path: str,
        kind: str,
        sha256: str,
        size: int,
        run_id: int | None = None,
        beside_evidence: str | None = None,
    ) -> int:
        """Adds a file that was written.

        Args:
            path: absolute path.
            kind: its form (`pdf`, `mp4`, `npz`, …).
            sha256: of the file.
            size: in bytes.
            run_id: the run it shows; None when it is about the whole case.
            beside_evidence: the folder of evidence it lies in, when the examiner insisted.

        Returns:
            Its id.
        """
        row = {
            "run_id": run_id, "path": path, "kind": kind, "sha256": sha256, "size": size,
            "utc": utc_now(),
        }  # fmt: skip
        export_id = self._journal.insert("export", row)
        params = {"path": path, "sha256": sha256, "run_id": run_id}
        if beside_evidence is not None:
            params["beside_evidence"] = beside_evidence
        self._journal.record("export.add", f"export:{export_id}", params)
        return export_id
