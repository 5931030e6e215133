"""Tags: words an examiner sorts by; one of them takes something into the report."""

from __future__ import annotations

from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Row, Value
from engine.case.tables.repository import Changes, Repository
from engine.core.errors import BadInputError

_MAX_LENGTH = 100  # A choice: a tag is a short word on a button and in the report.


@dataclass(frozen=True)
class TagRow:
    """A stored tag; `object` names what it is on, as in a note."""

    id: int
    object: str
    name: str
    author: str
    utc: str
    removed: bool


class TagRepository(Repository):
    """Reads the tags of a case."""

    def all(self) -> tuple[TagRow, ...]:
        """Returns the tags of all objects in order of id, without removed ones."""
        rows = self._database.rows("SELECT * FROM tag WHERE removed = 0 ORDER BY id")
        return tuple(map(self._tag, rows))

    def by_object(self) -> dict[str, tuple[str, ...]]:
        """Returns the names of the tags on each object that has some."""
        tags: dict[str, list[str]] = {}
        for row in self.all():
            tags.setdefault(row.object, []).append(row.name)
        return {object_name: tuple(sorted(names)) for object_name, names in tags.items()}

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


class TagChanges(Changes, TagRepository):
    """Changes the tags of a case."""

    def set(self, object_name: str, tag: str, on: bool) -> None:
        """Puts a tag on an object or takes it off; nothing is erased.

        Raises:
            BadInputError: the tag is empty or too long.
        """
        name = " ".join(tag.split())
        if not name or len(name) > _MAX_LENGTH:
            raise BadInputError(
                "not a tag", tag[:_MAX_LENGTH], f"give 1 to {_MAX_LENGTH} characters"
            )
        sql = "SELECT id FROM tag WHERE object = ? AND name = ?"
        row = self._database.row(sql, [object_name, name])
        if row is None:
            new: dict[str, Value] = {
                "object": object_name, "name": name, "author": user(), "utc": utc_now(),
                "removed": int(not on),
            }  # fmt: skip
            row_id = self._journal.insert("tag", new)
        else:
            row_id = fields.integer(row, "id")
            self._journal.update("tag", row_id, {"removed": int(not on)})
        params = {"object": object_name, "name": name}
        self._journal.record("tag.set" if on else "tag.take_off", f"tag:{row_id}", params)
