"""A backbone is a line in a table; what it can do is asked of it, not guessed from its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import BadInputError
from engine.packs.manifest_schema import BackboneUse
from engine.tvad.backbones.registry import BACKBONES, kind_of, load_backbone
from tests.packs.pack_material import make_pack


def test_every_kind_in_the_table_can_be_imported_and_says_what_it_can_do() -> None:
    kinds = dict(BACKBONES)
    assert list(kinds) == ["compact", "qwen2.5-vl", "open_clip"]
    assert kinds["compact"].roles == ("vision", "text")
    assert {kinds[name].roles for name in ("qwen2.5-vl", "open_clip")} == {("model",)}
    assert [name for name, kind in kinds.items() if kind.own_language] == ["qwen2.5-vl"]
    types = {
        name: (kind.number_type("cpu"), kind.number_type("cuda:0")) for name, kind in kinds.items()
    }
    assert types.pop("qwen2.5-vl") == ("float32", "bfloat16")
    assert set(types.values()) == {("float32", "float32")}


def test_an_unknown_kind_is_refused_with_the_names_of_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"known are compact, qwen2\.5-vl, open_clip"):
        load_backbone("lynx", tmp_path)
    pack = make_pack(tmp_path, backbone=BackboneUse("lynx", {}, {}, {}))
    with pytest.raises(BadInputError, match="unknown backbone lynx of the pack"):
        kind_of(pack)
