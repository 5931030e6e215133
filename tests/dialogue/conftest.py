"""A small language model in a small pack, and a case of a clip to ask about."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine.tvad.backbones.registry
from engine.packs.pack import Pack
from engine.packs.pack_folders import PACKS_VARIABLE, WEIGHTS_VARIABLE
from tests.cli.cli_cases import analysed, case, clip, command
from tests.dialogue.dialogue_material import (
    StubBackbone,
    write_dialogue_pack,
    write_llama,
)

__all__ = ["analysed", "case", "clip", "command"]


@pytest.fixture(scope="session")
def language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("weights") / "tiny-llama")


@pytest.fixture(scope="session")
def written_pack(language: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return write_dialogue_pack(tmp_path_factory.mktemp("packs") / "talking", language)


@pytest.fixture
def pack(written_pack: Pack, language: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """A pack by the name `talking`, with a backbone that needs no weights."""
    monkeypatch.setenv(PACKS_VARIABLE, str(written_pack.folder.parent))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(language.parent))
    monkeypatch.setattr(
        engine.tvad.backbones.registry, "open_backbone", lambda _pack: StubBackbone()
    )
    return written_pack
