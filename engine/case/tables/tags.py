"""Tags: words an examiner sorts by; one of them takes something into the report."""

from __future__ import annotations

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Database, Row, Value
from engine.case.store.journal import Journal
from engine.case.tables.review_rows import TagRow
from engine.core.errors import BadInputError

_LONGEST = 100


class TagRepository:
    """Reads the tags of a case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> tuple[str, ...]:
        """Returns the tags on an object (`event:3`), in order of the alphabet."""
        sql = "SELECT name FROM tag WHERE object = ? AND removed = 0 ORDER BY name"
        return tuple(str(row["name"]) for row in self._database.rows(sql, [name]))

    def all(self) -> tuple[TagRow, ...]:
        """Returns the tags of all objects in order of id, but for removed ones."""
        rows = self._database.rows("SELECT * FROM tag WHERE removed = 0 ORDER BY id")
        return tuple(map(self._tag, rows))

    def by_object(self) -> dict[str, tuple[str, ...]]:
        """Returns the names of the tags on each object that has some."""
        found: dict[str, list[str]] = {}
        for row in self.all():
            found.setdefault(row.object, []).append(row.name)
        return {name: tuple(sorted(tags)) for name, tags in found.items()}

    def _tag(self, row: Row) -> TagRow:
        with fields.decoding(self._database, "tag"):
            return TagRow(
                id=fields.integer(row, "id"),
                object=fields.text(row, "object"),
                name=fields.text(row, "name"),
                author=fields.text(row, "author"),
                utc=fields.text(row, "utc"),
                removed=bool(fields.integer(row, "removed")),
            )


class TagChanges(TagRepository):
    """Changes the tags of a case."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def set(self, name: str, tag: str, on: bool) -> None:
        """Puts a tag on an object or takes it off; nothing is erased.

        Raises:
            BadInputError: the tag is empty or too long.
        """
        word = " ".join(tag.split())
        if not word or len(word) > _LONGEST:
            raise BadInputError("not a tag", tag[:_LONGEST], f"give 1 to {_LONGEST} characters")
        sql = "SELECT id FROM tag WHERE object = ? AND name = ?"
        row = self._database.row(sql, [name, word])
        if row is None:
            new: dict[str, Value] = {
                "object": name, "name": word, "author": user(), "utc": utc_now(),
                "removed": int(not on),
            }  # fmt: skip
            row_id = self._journal.insert("tag", new)
        else:
            row_id = fields.integer(row, "id")
            self._journal.update("tag", row_id, {"removed": int(not on)})
        said = {"object": name, "name": word}
        self._journal.record("tag.set" if on else "tag.take_off", f"tag:{row_id}", said)
