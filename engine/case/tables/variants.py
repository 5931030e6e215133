"""Variants: weights that a pack learned from marks, stored with those marks and the recipe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from engine.case.store import row_fields as fields
from engine.case.store.audit import user, utc_now
from engine.case.store.database import Row, Value
from engine.case.tables.repository import Changes, Repository
from engine.core.errors import BadInputError

_MAX_NAME_LENGTH = 60  # A choice: a name must fit into lists and menus.


@dataclass(frozen=True)
class NewVariant:
    """A variant that is to be stored.

    Attributes:
        name: by which it is chosen; unique in the case.
        pack: name or folder of the pack that was taught.
        pack_sha256: of that pack's manifest.
        marks: JSON: the marks it was taught with.
        recipe: JSON: everything else that decides it (prompts, runs, settings).
        body: the weights that were learned, packed.
    """

    name: str
    pack: str
    pack_sha256: str
    marks: str
    recipe: str
    body: bytes


@dataclass(frozen=True)
class VariantRow:
    """A stored variant.

    Attributes:
        id: per case, from 1.
        variant: as it was given.
        sha256: of its body.
        author: who taught it.
        utc: when, ISO.
        removed: whether the examiner removed it; nothing is erased.
    """

    id: int
    variant: NewVariant
    sha256: str
    author: str
    utc: str
    removed: bool


class VariantRepository(Repository):
    """Reads the variants of a case."""

    def all(self) -> tuple[VariantRow, ...]:
        """Returns the variants in order of id, without removed ones."""
        sql = "SELECT * FROM variant WHERE removed = 0 ORDER BY id"
        return tuple(map(self._variant, self._database.rows(sql)))

    def by_name(self, name: str) -> VariantRow:
        """Returns the variant of a name.

        Raises:
            BadInputError: there is none, or it was removed.
        """
        sql = "SELECT * FROM variant WHERE name = ? AND removed = 0"
        row = self._database.row(sql, [name])
        if row is None:
            raise BadInputError("no variant of that name", name[:80], "list those of the case")
        return self._variant(row)

    def by_sha256(self, sha256: str) -> VariantRow:
        """Returns the variant whose body has a hash, also when it was removed since.

        Raises:
            BadInputError: the case has none.
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


class VariantChanges(Changes, VariantRepository):
    """Adds and removes variants."""

    def add(self, new: NewVariant) -> int:
        """Adds a variant and returns its id.

        Raises:
            BadInputError: its name is unfit or in use.
        """
        check_variant_name(self, new.name)
        sha256 = hashlib.sha256(new.body).hexdigest()
        columns: dict[str, Value] = {
            "sha256": sha256,
            "author": user(),
            "utc": utc_now(),
            "removed": 0,
        }
        row_id = self._journal.insert("variant", {**new.__dict__, **columns})
        params = {
            "name": new.name,
            "pack_sha256": new.pack_sha256,
            "sha256": sha256,
            "marks_sha256": hashlib.sha256(new.marks.encode()).hexdigest(),
        }
        self._journal.record("variant.add", f"variant:{row_id}", params)
        return row_id

    def set_removed(self, variant_id: int, removed: bool) -> None:
        """Removes a variant or brings it back; runs that used it stay as they are.

        Raises:
            BadInputError: there is no such variant, or another one took its name since.
        """
        row = self._require_row("variant", variant_id, "list those of the case")
        name = fields.text(row, "name")
        if not removed:
            check_variant_name(self, name)
        self._mark_removed("variant", variant_id, removed, {"name": name})


def check_variant_name(variants: VariantRepository, name: str) -> str:
    """Returns a name that may be given to a new variant.

    Raises:
        BadInputError: it is empty, over-long, has control characters, or is in use.
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise BadInputError("not a name for a variant", name[:80], "write a word or two")
    if len(name) > _MAX_NAME_LENGTH:
        raise BadInputError(
            "a name too long", name[:80], f"give at most {_MAX_NAME_LENGTH} characters"
        )
    if any(row.variant.name == name for row in variants.all()):
        raise BadInputError(
            "a variant of that name is there", name, "choose another, or throw that one away"
        )
    return name
