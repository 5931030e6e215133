from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import BadInputError, ResourceError
from engine.packs.manifest_schema import BackboneUse, PackFile, manifest_bytes, parse_manifest
from engine.packs.pack import Pack, find_pack, read_pack, write_pack
from tests.packs.pack_material import PROMPTS, edit, make_pack, manifest, weights


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return make_pack(tmp_path)


def test_a_pack_reads_back_as_it_was_written(pack: Pack) -> None:
    again = read_pack(pack.folder)
    again.check()
    assert again == pack
    assert again.metrics == manifest().metrics
    assert again.training.seeds == (7,)
    assert again.backbone.options == {"pictures": 2, "note": "for tests"}
    assert again.prompts() == PROMPTS
    assert again.file("ahd.safetensors").read_bytes() == weights()


def test_equal_packs_are_equal_byte_for_byte(tmp_path: Path) -> None:
    one, other = make_pack(tmp_path / "a"), make_pack(tmp_path / "b")
    for name in (*one.files, "pack.json"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_a_changed_byte_is_refused_by_name(pack: Pack) -> None:
    path = pack.folder / "ahd.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=r"another hash.*ahd\.safetensors"):
        pack.file("ahd.safetensors")
    with pytest.raises(BadInputError, match=r"another hash.*ahd\.safetensors"):
        read_pack(pack.folder).check()


def test_a_grown_file_is_refused_without_reading_it(pack: Pack) -> None:
    with (pack.folder / "ahd.safetensors").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadInputError, match=r"another size.*ahd\.safetensors"):
        pack.file("ahd.safetensors")


def test_missing_and_extra_files_are_named(pack: Pack) -> None:
    (pack.folder / "MODEL_CARD.md").rename(pack.folder / "OTHER.md")
    with pytest.raises(BadInputError, match=r"does not name, .*OTHER\.md"):
        read_pack(pack.folder)
    (pack.folder / "OTHER.md").unlink()
    with pytest.raises(BadInputError, match=r"missing, .*MODEL_CARD\.md"):
        read_pack(pack.folder)


@pytest.mark.parametrize("name", ["ahd.safetensors", "LICENSE", "pack.json"])
def test_links_are_refused(pack: Pack, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (pack.folder / name).rename(outside)
    (pack.folder / name).symlink_to(outside)
    with pytest.raises(BadInputError, match=f"a link in a pack, .*{name}"):
        read_pack(pack.folder)


def test_a_linked_folder_is_refused(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (pack.folder / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInputError, match="a link in a pack"):
        read_pack(pack.folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_does_not_hang_the_reader(pack: Pack) -> None:
    (pack.folder / "pack.json").unlink()
    os.mkfifo(pack.folder / "pack.json")
    with pytest.raises(BadInputError, match="something else than files"):
        read_pack(pack.folder)


@pytest.mark.parametrize("data", [pickle.dumps({"w": 1}), b"PK\x03\x04" + bytes(60)])
def test_a_pickle_under_the_name_of_weights_is_refused(pack: Pack, data: bytes) -> None:
    (pack.folder / "ahd.safetensors").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()

    def accept(values: dict[str, Any]) -> None:
        values["files"]["ahd.safetensors"] = {"sha256": digest, "size": len(data)}

    edit(pack, accept)
    with pytest.raises(BadInputError, match=r"a pickle.*ahd\.safetensors"):
        read_pack(pack.folder).file("ahd.safetensors")


@pytest.mark.parametrize("data", [b"", b"{}", bytes(16), (1 << 60).to_bytes(8, "little") + b"{}"])
def test_weights_that_are_none_are_refused(tmp_path: Path, data: bytes) -> None:
    files: dict[str, Path | bytes] = {"ahd.safetensors": data, "prompts.yaml": b""}
    with pytest.raises(BadInputError, match="weights of another kind"):
        write_pack(tmp_path / "bad", manifest("bad"), files)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../outside.md", "/etc/passwd.md", "a/../../b.md", "C:\\x.md", "a\\b.md", "c:x.md",
        "con.md", "NUL.json", "x/LPT1.txt", ".hidden.md", "a//b.md", "./a.md", "x.md.", "a b.md",
        "a/b/c/d/e.md", "x" * 300 + ".md", "tab\t.md", "ahd.pt", "ahd.pkl", "run.py", "model.bin",
        "pack.json", "PACK.JSON", "noending", "",
    ],
)  # fmt: skip
def test_names_that_leave_the_folder_or_may_run_are_refused(pack: Pack, name: str) -> None:
    edit(pack, lambda values: values["files"].update({name: {"sha256": "0" * 64, "size": 1}}))
    with pytest.raises(BadInputError) as caught:
        read_pack(pack.folder)
    assert "files." in caught.value.what
    assert "\n" not in caught.value.line()


def _set(path: str, value: object) -> Callable[[dict[str, Any]], object]:
    *outer, last = path.split(".")

    def change(values: dict[str, Any]) -> None:
        inner: Any = values
        for key in outer:
            inner = inner[int(key)] if isinstance(inner, list) else inner[key]
        inner[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("format", 2, "format 2, this program reads up to 1"),
        ("format", True, "format is not a whole number"),
        ("format", 0, "format is not within"),
        ("name", "Tiny", "name is no name"),
        ("name", "../up", "name is no name"),
        ("name", "con", "name is no name"),
        ("name", 3, "name is not text"),
        ("version", "new", "version is no version"),
        ("licence", " ", "licence is empty"),
        ("licence", "MIT\nforged line", "licence has control characters"),
        ("licence", "MIT \u202e", "licence has control characters"),
        ("parts", [], "parts or languages are empty"),
        ("parts", [3], "parts holds something else"),
        ("parts", [{"name": "a"}] * 65, "parts has more than 64"),
        ("parts.0.provenance", "x" * 5000, "parts[1].provenance has more than"),
        ("backbone", [], "backbone is not an object"),
        ("backbone.folders", {"vision": "../up"}, "backbone.folders.vision is no name"),
        ("backbone.files", {"elsewhere/x": "0" * 64}, "lies in none of the folders"),
        ("backbone.options", {"x": [1]}, "backbone.options.x is not a number"),
        ("grid.steps", 17, "grid.steps is not within 1 and 16"),
        ("grid.stride", 0, "grid.stride"),
        ("memory.cpu", -1, "memory.cpu is not within"),
        ("memory.cpu", 1 << 50, "memory.cpu is not within"),
        ("memory.gpu", "8 GB", "memory.gpu is not a whole number"),
        ("training.seeds", [1.5], "seeds.1 is not a whole number"),
        ("metrics", [{"name": "x", "value": "high", "data": "d"}], "metrics[1].value"),
        ("sizes", {"bytes": 1e300}, "sizes.bytes is not a whole number"),
        ("files", {}, "files.prompts.yaml is missing"),
        ("files", [], "files is not an object"),
    ],
)
def test_each_bad_field_is_named(pack: Pack, path: str, value: object, said: str) -> None:
    edit(pack, _set(path, value))
    with pytest.raises(BadInputError) as caught:
        read_pack(pack.folder)
    assert said in caught.value.what
    assert caught.value.where.endswith("pack.json")


def test_absurd_sizes_are_refused(pack: Pack) -> None:
    half = (1 << 39) + 1

    def grow(values: dict[str, Any]) -> None:
        for name in ("LICENSE", "MODEL_CARD.md"):
            values["files"][name]["size"] = half

    edit(pack, grow)
    with pytest.raises(BadInputError, match="larger than any pack"):
        read_pack(pack.folder)


def test_names_that_differ_in_case_only_are_refused(pack: Pack) -> None:
    edit(pack, lambda values: values["files"].update({"A.md": {"sha256": "0" * 64, "size": 1}}))
    edit(pack, lambda values: values["files"].update({"a.md": {"sha256": "0" * 64, "size": 1}}))
    with pytest.raises(BadInputError, match="differ in case only"):
        read_pack(pack.folder)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[]", "no object"),
        (b'{"format": NaN}', "NaN is no number"),
        (b'{"format": 1, "format": 1}', "stands twice"),
        (b'{"format": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"a": "' + b"x" * (1 << 20) + b'"}', "more than 1 MB"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "pack.json").write_bytes(data)
    with pytest.raises(BadInputError, match=said):
        read_pack(tmp_path)


def test_unknown_fields_are_ignored() -> None:
    files = {"prompts.yaml": PackFile("0" * 64, 3)}
    data = manifest_bytes(manifest(), files).replace(b"{", b'{"later": [1],', 1)
    assert parse_manifest(data, Path("pack.json")) == (manifest(), files)


def test_a_pack_is_found_by_name_or_folder(user_folders: Path, tmp_path: Path) -> None:
    pack = make_pack(user_folders)
    assert find_pack("tiny") == pack
    assert find_pack(pack.folder) == find_pack(str(pack.folder)) == pack
    with pytest.raises(ResourceError, match=r"no such pack, absent, see main\.py packs list"):
        find_pack("absent")
    pack.folder.rename(user_folders / "other")
    with pytest.raises(BadInputError, match="called tiny in a folder called other"):
        find_pack("other")


def test_a_failed_write_leaves_the_older_pack(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    files: dict[str, Path | bytes] = {"prompts.yaml": b"language: en\n"}
    with pytest.raises(BadInputError, match="no list of prompts"):
        write_pack(pack.folder, manifest(version="2.0"), files)
    assert read_pack(pack.folder) == pack
    files = {name: (pack.folder / name).read_bytes() for name in pack.files}
    assert write_pack(pack.folder, manifest(version="2.0"), files).version == "2.0"
    assert [one.name for one in tmp_path.iterdir()] == ["tiny"]


def test_a_folder_with_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInputError, match="holds something else"):
        make_pack(tmp_path)
    assert (tmp_path / "tiny" / "thesis.txt").read_text() == "years of work"


def test_base_weights_are_those_the_pack_names(tmp_path: Path) -> None:
    data = weights(3)
    used = BackboneUse(
        "compact",
        {"vision": "small-net"},
        {"small-net/model.safetensors": hashlib.sha256(data).hexdigest()},
        {},
    )
    pack = make_pack(tmp_path, backbone=used)
    with pytest.raises(ResourceError, match="base weights small-net"):
        pack.base("vision")
    folder = tmp_path / "user-weights" / "small-net"
    folder.mkdir(parents=True)
    with pytest.raises(ResourceError, match=r"missing.*model\.safetensors"):
        pack.base("vision")
    (folder / "model.safetensors").write_bytes(data)
    assert pack.base("vision") == folder
    (folder / "model.safetensors").write_bytes(weights(4))
    with pytest.raises(BadInputError, match=r"other than those.*model\.safetensors"):
        pack.base("vision")


def test_packs_are_read_without_torch() -> None:
    code = (
        "import sys, engine.packs.pack, engine.packs.prompt_sets\n"
        "print({'torch', 'transformers', 'PySide6'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
