"""Bookmarks: moments and spans an examiner wants to come back to."""

from __future__ import annotations

from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Row
from engine.case.tables.repository import Changes, Repository


@dataclass(frozen=True)
class NewBookmark:
    """A moment or span that is to be bookmarked; a moment starts and ends with the same frame.

    Attributes:
        evidence_id: the evidence.
        run_id: the run on screen then; None when there was none.
        start_frame: index of the first frame.
        end_frame: index of the last frame, inclusive.
        start_pts: PTS of the first frame.
        end_pts: PTS of the last frame.
        start_s: stream time of the first frame.
        end_s: stream time of the last frame.
        text: the examiner's words.
    """

    evidence_id: int
    run_id: int | None
    start_frame: int
    end_frame: int
    start_pts: int
    end_pts: int
    start_s: float
    end_s: float
    text: str = ""


@dataclass(frozen=True)
class BookmarkRow(NewBookmark):
    """A stored bookmark.

    Attributes:
        id: per case, from 1.
        author: who made it.
        utc: when, ISO.
        removed: whether the examiner removed it from view.
    """

    id: int = 0
    author: str = ""
    utc: str = ""
    removed: bool = False


class BookmarkRepository(Repository):
    """Reads the bookmarks of a case."""

    def of(self, evidence_id: int) -> tuple[BookmarkRow, ...]:
        """Returns the bookmarks of a piece of evidence in order of time, without removed ones."""
        sql = "SELECT * FROM bookmark WHERE evidence_id = ? AND removed = 0 ORDER BY start_pts, id"
        return tuple(map(self._bookmark, self._database.rows(sql, [evidence_id])))

    def all(self) -> tuple[BookmarkRow, ...]:
        """Returns all bookmarks in order of id, also the removed ones."""
        return tuple(map(self._bookmark, self._database.rows("SELECT * FROM bookmark ORDER BY id")))

    def get(self, bookmark_id: int) -> BookmarkRow:
        """Returns one bookmark.

        Raises:
            BadInputError: the case has none with this id.
        """
        row = self._require_row("bookmark", bookmark_id, "list the bookmarks of the case")
        return self._bookmark(row)

    def _bookmark(self, row: Row) -> BookmarkRow:
        with fields.decoding(self._database, "bookmark"):
            return BookmarkRow(
                id=fields.integer(row, "id"),
                evidence_id=fields.integer(row, "evidence_id"),
                run_id=fields.integer_or_none(row, "run_id"),
                start_frame=fields.integer(row, "start_frame"),
                end_frame=fields.integer(row, "end_frame"),
                start_pts=fields.integer(row, "start_pts"),
                end_pts=fields.integer(row, "end_pts"),
                start_s=fields.real(row, "start_s"),
                end_s=fields.real(row, "end_s"),
                text=fields.text(row, "text"),
                author=fields.text(row, "author"),
                utc=fields.text(row, "utc"),
                removed=bool(fields.integer(row, "removed")),
            )


class BookmarkChanges(Changes, BookmarkRepository):
    """Changes the bookmarks of a case."""

    def add(self, new: NewBookmark) -> int:
        """Adds a bookmark and returns its id."""
        row = {
            **new.__dict__,
            "start_s": fields.to_real(new.start_s),
            "end_s": fields.to_real(new.end_s),
            "author": user(),
            "utc": utc_now(),
        }
        row_id = self._journal.insert("bookmark", row)
        params = {"evidence_id": new.evidence_id, "start_pts": new.start_pts, "text": new.text}
        self._journal.record("bookmark.add", f"bookmark:{row_id}", params)
        return row_id

    def amend(self, bookmark_id: int, text: str) -> None:
        """Changes the text of a bookmark; the audit entry keeps the text that was there before.

        Raises:
            BadInputError: there is no such bookmark.
        """
        before = self.get(bookmark_id).text
        self._journal.update("bookmark", bookmark_id, {"text": text})
        params = {"before": before, "text": text}
        self._journal.record("bookmark.amend", f"bookmark:{bookmark_id}", params)

    def set_removed(self, bookmark_id: int, removed: bool) -> None:
        """Hides a bookmark or brings it back; nothing is erased.

        Raises:
            BadInputError: there is no such bookmark.
        """
        self.get(bookmark_id)
        self._mark_removed("bookmark", bookmark_id, removed, {})
