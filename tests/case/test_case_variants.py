"""Variants are kept under one name each, on record, and any edit of one is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.case import Case, NewVariant, verify
from engine.case.store.database import DATABASE
from engine.core.errors import BadInputError


def variant(name: str = "carts", body: bytes = b"taught") -> NewVariant:
    return NewVariant(name, "compact", "0" * 64, "[]", "{}", body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Case.create(tmp_path / "a.case") as case, case.change() as change:
        change.variants.add(variant())
    return tmp_path / "a.case"


def test_a_name_is_free_again_when_its_variant_was_thrown_away(folder: Path) -> None:
    with Case.open(folder, write=True) as case:
        first = case.variants.by_name("carts")
        with pytest.raises(BadInputError, match="is there"), case.change() as change:
            change.variants.add(variant(body=b"other"))
        with case.change() as change:
            change.variants.set_removed(first.id, True)
            change.variants.add(variant(body=b"other"))
        assert [row.variant.body for row in case.variants.all()] == [b"other"]
        assert case.variants.by_sha256(first.sha256).removed
        with pytest.raises(BadInputError, match="is there"), case.change() as change:
            change.variants.set_removed(first.id, False)
        assert verify(case, hash_evidence=lambda _: "").bad == ()


@pytest.mark.parametrize("name", ["", " ", "\n", "x" * 61, " carts"])
def test_unfit_names_are_refused(folder: Path, name: str) -> None:
    with Case.open(folder, write=True) as case:
        with pytest.raises(BadInputError), case.change() as change:
            change.variants.add(variant(name))
        assert len(case.variants.all()) == 1


@pytest.mark.parametrize("edit", ["marks = '[1]'", "body = x'00'", "removed = 1", "name = 'x'"])
def test_an_edit_is_found(folder: Path, edit: str) -> None:
    raw = sqlite3.connect(folder / DATABASE)
    with raw:
        raw.execute(f"UPDATE variant SET {edit}")
    raw.close()
    with Case.open(folder) as case:
        (bad,) = verify(case, hash_evidence=lambda _: "").bad
        assert bad.table == "variant"
