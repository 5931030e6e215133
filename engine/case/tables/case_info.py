"""Who is responsible for a case and what it is called elsewhere (R13)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from engine.case.store.database import Database
from engine.case.store.journal import Journal
from engine.core.errors import BadInputError

_LONGEST = 200
_PREFIX = "detail_"


@dataclass(frozen=True)
class CaseDetails:
    """What an examiner says about a case; empty where nothing was said.

    Attributes:
        examiner: name of the person responsible.
        organisation: for whom that person works.
        reference: what the case is called elsewhere.
    """

    examiner: str = ""
    organisation: str = ""
    reference: str = ""


class DetailRepository:
    """Reads the details of a case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self) -> CaseDetails:
        """Returns what was said about the case."""
        sql = "SELECT key, value FROM meta WHERE key LIKE 'detail!_%' ESCAPE '!'"
        stored = {str(row["key"]): str(row["value"]) for row in self._database.rows(sql)}
        said = {one.name: stored.get(_PREFIX + one.name, "") for one in fields(CaseDetails)}
        return CaseDetails(**said)


class DetailChanges(DetailRepository):
    """Changes the details of a case."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def set(self, **said: str) -> None:
        """Changes the details that are named; the entry keeps what they were before.

        Raises:
            BadInputError: a detail is too long.
        """
        before = self.get()
        after = replace(before, **{name: " ".join(text.split()) for name, text in said.items()})
        if after == before:
            return
        for name, text in after.__dict__.items():
            if len(text) > _LONGEST:
                raise BadInputError(
                    f"the {name} is too long", text[:40], f"give at most {_LONGEST} characters"
                )
            if text != getattr(before, name):
                self._journal.set_meta(_PREFIX + name, text)
        self._journal.record(
            "case.set_details", "case", {"before": before.__dict__, "after": after.__dict__}
        )
