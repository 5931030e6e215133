"""Variants: what an examiner's marks taught a pack, kept in the case with marks and recipe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Database, Row, Value
from engine.case.store.journal import Journal
from engine.core.errors import BadInputError

_LONGEST_NAME = 60


@dataclass(frozen=True)
class NewVariant:
    """A variant about to be kept.

    Attributes:
        name: by which it is chosen; no two of a case share one.
        pack: name or folder of the pack that was taught.
        pack_sha256: of that pack's manifest.
        marks: JSON: the marks it was taught with.
        recipe: JSON: everything else that decides it (prompts, runs, settings).
        body: what was taught, packed.
    """

    name: str
    pack: str
    pack_sha256: str
    marks: str
    recipe: str
    body: bytes


@dataclass(frozen=True)
class VariantRow:
    """A kept variant.

    Attributes:
        id: per case, from 1.
        variant: as it was given.
        sha256: of its body.
        author: who taught it.
        utc: when, ISO.
        removed: whether it was thrown away; nothing is erased.
    """

    id: int
    variant: NewVariant
    sha256: str
    author: str
    utc: str
    removed: bool


class VariantRepository:
    """Reads the variants of a case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[VariantRow, ...]:
        """Returns the variants in order of id, but for those thrown away."""
        sql = "SELECT * FROM variant WHERE removed = 0 ORDER BY id"
        return tuple(map(self._variant, self._database.rows(sql)))

    def named(self, name: str) -> VariantRow:
        """Returns the variant of a name.

        Raises:
            BadInputError: there is none, or it was thrown away.
        """
        sql = "SELECT * FROM variant WHERE name = ? AND removed = 0"
        row = self._database.row(sql, [name])
        if row is None:
            raise BadInputError("no variant of that name", name[:80], "list those of the case")
        return self._variant(row)

    def taught(self, sha256: str) -> VariantRow:
        """Returns what was taught by its hash, also when it was thrown away since.

        Raises:
            BadInputError: the case does not have it.
        """
        row = self._database.row("SELECT * FROM variant WHERE sha256 = ? LIMIT 1", [sha256])
        if row is None:
            raise BadInputError("a variant that the case does not hold", sha256[:12], "teach again")
        return self._variant(row)

    def _variant(self, row: Row) -> VariantRow:
        with fields.decoding(self._database, "variant"):
            return VariantRow(
                fields.integer(row, "id"),
                NewVariant(
                    name=fields.text(row, "name"),
                    pack=fields.text(row, "pack"),
                    pack_sha256=fields.text(row, "pack_sha256"),
                    marks=fields.text(row, "marks"),
                    recipe=fields.text(row, "recipe"),
                    body=fields.blob(row, "body"),
                ),
                fields.text(row, "sha256"),
                fields.text(row, "author"),
                fields.text(row, "utc"),
                bool(fields.integer(row, "removed")),
            )


class VariantChanges(VariantRepository):
    """Keeps variants and throws them away."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.database)
        self._journal = journal

    def add(self, new: NewVariant) -> int:
        """Keeps a variant and returns its id.

        Raises:
            BadInputError: its name is unfit or taken.
        """
        check_variant_name(self, new.name)
        sha256 = hashlib.sha256(new.body).hexdigest()
        about: dict[str, Value] = {
            "sha256": sha256,
            "author": user(),
            "utc": utc_now(),
            "removed": 0,
        }
        row_id = self._journal.insert("variant", {**new.__dict__, **about})
        said = {
            "name": new.name,
            "pack_sha256": new.pack_sha256,
            "sha256": sha256,
            "marks_sha256": hashlib.sha256(new.marks.encode()).hexdigest(),
        }
        self._journal.record("variant.add", f"variant:{row_id}", said)
        return row_id

    def set_removed(self, variant_id: int, removed: bool) -> None:
        """Throws a variant away or brings it back; runs that used it stay what they are.

        Raises:
            BadInputError: there is no such variant, or another one took its name since.
        """
        row = self._database.row("SELECT * FROM variant WHERE id = ?", [variant_id])
        if row is None:
            raise BadInputError("no such variant", variant_id, "list those of the case")
        name = fields.text(row, "name")
        if not removed:
            check_variant_name(self, name)
        self._journal.update("variant", variant_id, {"removed": int(removed)})
        action = "variant.remove" if removed else "variant.restore"
        self._journal.record(action, f"variant:{variant_id}", {"name": name})


def check_variant_name(variants: VariantRepository, name: str) -> str:
    """Returns a name that may be given to a new variant.

    Raises:
        BadInputError: it is empty, over-long, has control characters, or is taken.
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise BadInputError("not a name for a variant", name[:80], "write a word or two")
    if len(name) > _LONGEST_NAME:
        raise BadInputError(
            "a name too long", name[:80], f"give at most {_LONGEST_NAME} characters"
        )
    if any(row.variant.name == name for row in variants.all()):
        raise BadInputError(
            "a variant of that name is there", name, "choose another, or throw that one away"
        )
    return name
