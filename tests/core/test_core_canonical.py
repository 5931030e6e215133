"""The canonical form: different values never share one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.canonical import canonical_bytes, content_sha256
from engine.core.version import VERSION

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def typed(value: object) -> object:
    """A form in which equality is equality of type and bits."""
    if isinstance(value, dict):
        return ("dict", tuple(sorted((key, typed(one)) for key, one in value.items())))
    if isinstance(value, list):
        return ("list", tuple(typed(one) for one in value))
    return (type(value).__name__, value.hex() if isinstance(value, float) else repr(value))


@given(VALUES, VALUES)
def test_equal_forms_mean_equal_values(one: object, other: object) -> None:
    same = repr(typed(one)) == repr(typed(other))
    assert (canonical_bytes(one) == canonical_bytes(other)) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (0, False), ("1", 1), (b"a", "a"), (0.0, -0.0), (None, ""),
        (["ab"], ["a", "b"]), ([["a"], "b"], [["a", "b"]]), ({"a": None}, {}), ([], {}),
        ("i1;", 1), ("\udcff", "\xff"),
    ],
)  # fmt: skip
def test_values_that_other_encodings_confuse_differ(one: object, other: object) -> None:
    assert content_sha256(one) != content_sha256(other)


def test_order_of_keys_and_kind_of_list_do_not_matter() -> None:
    assert content_sha256({"b": [1, 2], "a": 1}) == content_sha256({"a": 1, "b": (1, 2)})


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {3}}, [1j]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        content_sha256(value)


def test_the_version_is_that_of_the_project() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"] == VERSION
