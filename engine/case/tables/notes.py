"""Notes: what an examiner writes down; an amendment never erases what it amends (R10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository

_NEWEST = (
    "SELECT note.*, count(*) AS versions, max(note.id) AS newest FROM note "
    "GROUP BY coalesce(first_id, id)"
)
# With max() SQLite takes the other columns from the row that has the maximum.


@dataclass(frozen=True)
class NewNote:
    """A note that is to be written.

    Attributes:
        object: what it is about: `case`, `evidence:N`, `event:N`, `trajectory:N`, `bookmark:N`.
        text: the examiner's words.
        evidence_id: the evidence on screen then; None when about the case.
        pts: PTS of the frame on screen then.
        seconds: its stream time.
    """

    object: str
    text: str
    evidence_id: int | None = None
    pts: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class NoteRow:
    """One version of a note.

    Attributes:
        id: of this version, per case, from 1.
        first_id: of the first version; all versions of a note share it.
        note: its text and what it is about.
        author: who wrote this version.
        utc: when, ISO.
        removed: whether the examiner removed the note from view.
        versions: how many versions there are.
    """

    id: int
    first_id: int
    note: NewNote
    author: str
    utc: str
    removed: bool
    versions: int = 1

    @property
    def text(self) -> str:
        """The examiner's words."""
        return self.note.text


class NoteRepository(Repository):
    """Reads the notes of a case."""

    def all(self) -> tuple[NoteRow, ...]:
        """Returns the newest version of every note that is not removed, oldest note first."""
        rows = self._database.rows(f"{_NEWEST} HAVING removed = 0 ORDER BY coalesce(first_id, id)")
        return tuple(self._note(row, fields.integer(row, "versions")) for row in rows)

    def every_version(self) -> tuple[NoteRow, ...]:
        """Returns every version of every note in order of id, also of removed notes."""
        rows = self._database.rows("SELECT * FROM note ORDER BY id")
        return tuple(self._note(row, 1) for row in rows)

    def get(self, note_id: int) -> NoteRow:
        """Returns one version of a note.

        Raises:
            BadInputError: the case has none with this id.
        """
        return self._note(self._require_row("note", note_id, "list the notes of the case"), 1)

    def history(self, first_id: int) -> tuple[NoteRow, ...]:
        """Returns all versions of a note, oldest first."""
        sql = "SELECT * FROM note WHERE id = ? OR first_id = ? ORDER BY id"
        rows = self._database.rows(sql, [first_id, first_id])
        return tuple(self._note(row, len(rows)) for row in rows)

    def _note(self, row: Row, versions: int) -> NoteRow:
        with fields.decoding(self._database, "note"):
            note_id = fields.integer(row, "id")
            first = fields.integer_or_none(row, "first_id")
            return NoteRow(
                id=note_id,
                first_id=note_id if first is None else first,
                note=NewNote(
                    object=fields.text(row, "object"),
                    text=fields.text(row, "text"),
                    evidence_id=fields.integer_or_none(row, "evidence_id"),
                    pts=fields.integer_or_none(row, "pts"),
                    seconds=fields.real_or_none(row, "seconds"),
                ),
                author=fields.text(row, "author"),
                utc=fields.text(row, "utc"),
                removed=bool(fields.integer(row, "removed")),
                versions=versions,
            )


class NoteChanges(Changes, NoteRepository):
    """Changes the notes of a case."""

    def add(self, new: NewNote) -> int:
        """Adds a note and returns its id."""
        return self._insert(new, None, "note.add")

    def amend(self, note_id: int, text: str) -> int:
        """Adds a version of a note and returns that version's id.

        Raises:
            BadInputError: there is no such note.
        """
        row = self.get(note_id)
        return self._insert(replace(row.note, text=text), row.first_id, "note.amend")

    def set_removed(self, note_id: int, removed: bool) -> None:
        """Hides a note or brings it back; nothing is erased.

        Raises:
            BadInputError: there is no such note.
        """
        newest = self.history(self.get(note_id).first_id)[-1].id
        self._mark_removed("note", newest, removed, {})

    def _insert(self, new: NewNote, first_id: int | None, action: str) -> int:
        row = {
            **new.__dict__,
            "seconds": fields.to_real_or_none(new.seconds),
            "first_id": first_id,
            "author": user(),
            "utc": utc_now(),
        }
        row_id = self._journal.insert("note", row)
        params = {"object": new.object, "text": new.text, "first_id": first_id}
        self._journal.record(action, f"note:{row_id}", params)
        return row_id
