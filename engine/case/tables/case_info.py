"""Case information: who is responsible for a case and what it is called elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from engine.case.tables.repository import Changes, Repository
from engine.core.errors import BadInputError

_MAX_LENGTH = 200  # A choice: each text is one line on the first page of the report.
_PREFIX = "detail_"


@dataclass(frozen=True)
class CaseInfo:
    """Case information that the examiner typed; empty where nothing was typed.

    Attributes:
        examiner: name of the person responsible.
        organisation: for whom that person works.
        reference: what the case is called elsewhere.
    """

    examiner: str = ""
    organisation: str = ""
    reference: str = ""


class CaseInfoRepository(Repository):
    """Reads the case information."""

    def get(self) -> CaseInfo:
        """Returns the case information as it is now."""
        sql = "SELECT key, value FROM meta WHERE key LIKE 'detail!_%' ESCAPE '!'"
        stored = {str(row["key"]): str(row["value"]) for row in self._database.rows(sql)}
        names = [field.name for field in fields(CaseInfo)]
        return CaseInfo(**{name: stored.get(_PREFIX + name, "") for name in names})


class CaseInfoChanges(Changes, CaseInfoRepository):
    """Changes the case information."""

    def set(self, **texts: str) -> None:
        """Changes the fields that are named; the audit entry keeps what they were before.

        Raises:
            BadInputError: a text is too long.
        """
        before = self.get()
        after = replace(before, **{name: " ".join(text.split()) for name, text in texts.items()})
        if after == before:
            return
        for name, text in after.__dict__.items():
            if len(text) > _MAX_LENGTH:
                remedy = f"give at most {_MAX_LENGTH} characters"
                raise BadInputError(f"the {name} is too long", text[:40], remedy)
            if text != getattr(before, name):
                self._journal.set_meta(_PREFIX + name, text)
        self._journal.record(
            "case.set_details", "case", {"before": before.__dict__, "after": after.__dict__}
        )
