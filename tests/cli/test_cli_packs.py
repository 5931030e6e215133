from __future__ import annotations

from pathlib import Path

import pytest

from engine.packs.pack_folders import PACKS_VARIABLE, WEIGHTS_VARIABLE
from tests.cli.cli_material import Command
from tests.packs.pack_material import make_pack


@pytest.fixture(autouse=True)
def user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "user-packs"))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "user-weights"))
    return tmp_path / "user-packs"


@pytest.mark.parametrize("name", ["list", "verify", "import"])
def test_every_command_has_a_help_of_its_own(command: Command, name: str) -> None:
    ran = command("packs", name, "--help")
    assert ran.code == 0
    assert f"main.py packs {name}" in ran.out


def test_import_list_and_verify(command: Command, tmp_path: Path, user_folders: Path) -> None:
    pack = make_pack(tmp_path / "lab")
    ran = command("packs", "import", pack.folder)
    assert ran.code == 0
    assert "--pack tiny" in ran.out
    listed = command("packs", "list", "--json").json
    (tiny,) = [one for one in listed["packs"] if one["name"] == "tiny"]
    assert tiny["licence"] == "Apache-2.0"
    assert tiny["memory"] == {"cpu": 100 << 20, "gpu": None}
    assert tiny["fits"] is True
    assert tiny["bytes"] == pack.bytes
    assert tiny["folder"] == str(user_folders / "tiny")
    assert tiny["parts"][0]["provenance"]
    assert listed["memory"]["total"] > 0
    shown = command("packs", "list").out
    assert "tiny 1.2.0  Apache-2.0" in shown
    assert "needs 104.9 MB of memory" in shown
    assert command("packs", "verify", "tiny").code == 0
    found = command("packs", "verify", "tiny", "--json").json
    assert found["ok"] is True
    assert {one["name"] for one in found["files"]} == set(pack.files)


def test_a_spoiled_pack_is_a_negative_answer(
    command: Command, tmp_path: Path, user_folders: Path
) -> None:
    pack = make_pack(user_folders)
    (pack.folder / "LICENSE").write_bytes(b"Apache-9.9\n")
    ran = command("packs", "verify", "tiny", "--json")
    assert ran.code == 1
    assert ran.json["ok"] is False
    assert "LICENSE" in ran.json["problems"][0]
    assert "differs from its manifest in 1 place" in ran.error
    ran = command("packs", "verify", "tiny")
    assert "BAD " in ran.out
    assert "internal" not in ran.error


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["verify", "absent"], 4, "no such pack, absent"),
        (["import", "absent.zip"], 2, "absent.zip"),
        (["import", "."], 2, "pack.json is missing"),
        (["verify", ".."], 1, "differs from its manifest"),
        (["import"], 2, "PATH"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_what_is_wrong_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: list[str], code: int, said: str,
) -> None:  # fmt: skip
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    ran = command("packs", *words)
    assert ran.code == code
    assert said in ran.error
    assert ran.err.count("\n") == 1
