"""A small language model in a small pack, and a case of a clip to ask about."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import engine.tvad.loading
from engine.cli.main import run
from engine.packs.locations import PACKS_VARIABLE, WEIGHTS_VARIABLE
from engine.packs.manifest import Pack
from tests.cli.cli_material import Command, Ran, moving_blob
from tests.clips import write_video
from tests.dialogue.dialogue_material import (
    StubBackbone,
    write_dialogue_pack,
    write_llama,
)


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
    monkeypatch.setattr(engine.tvad.loading, "open_backbone", lambda _pack: StubBackbone())
    return written_pack


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "gate.mp4"
    return write_video(path, moving_blob(), options={"preset": "ultrafast", "bf": "2", "g": "12"})


@pytest.fixture(scope="session")
def analysed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases") / "gate.case"
    assert run(["analyze", str(clip), "--case", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def case(analysed: Path, tmp_path: Path) -> Path:
    """A case of the clip of the test's own."""
    return Path(shutil.copytree(analysed, tmp_path / "gate.case"))


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process."""

    def call(*words: object) -> Ran:
        capfd.readouterr()
        code = run([str(word) for word in words])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return call
