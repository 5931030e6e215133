from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import BadInputError, CancelledError, ResourceError, SightlineError
from engine.core.progress import CancelToken, Progress
from engine.packs import pack_import as importing
from engine.packs.pack import Pack, find_pack, read_pack
from engine.packs.pack_import import import_pack
from engine.packs.pack_listing import check_pack, list_packs
from tests.packs.pack_material import edit, make_pack, weights

Change = Callable[[zipfile.ZipFile], object]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return make_pack(tmp_path / "lab")


def zipped(pack: Pack, root: str = "", skip: str = "", more: Change | None = None) -> Path:
    """Returns a zip of a pack with something left out or put in."""
    path = pack.folder.parent / "pack.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("pack.json", *pack.files):
            if name != skip:
                archive.write(pack.folder / name, root + name)
        if more is not None:
            more(archive)
    return path


def nothing_of_it(folder: Path) -> bool:
    return not folder.exists() or not list(folder.iterdir())


def test_a_folder_is_copied_and_checked(pack: Pack, user_folders: Path) -> None:
    seen: list[Progress] = []
    imported = import_pack(pack.folder, progress=seen.append)
    assert imported.folder == user_folders / "tiny"
    assert find_pack("tiny") == imported
    assert check_pack("tiny").ok
    assert [one.name for one in user_folders.iterdir()] == ["tiny"]
    assert (seen[-1].done, seen[-1].total) == (pack.bytes, pack.bytes)
    assert read_pack(pack.folder) == pack


@pytest.mark.parametrize("root", ["", "tiny-1.2/"])
def test_a_zip_is_unpacked_and_checked(pack: Pack, user_folders: Path, root: str) -> None:
    imported = import_pack(zipped(pack, root))
    assert imported.folder == user_folders / "tiny"
    assert imported.file("ahd.safetensors").read_bytes() == weights()


def _link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("LICENSE")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def _unusual(archive: zipfile.ZipFile) -> None:
    archive.writestr("LICENSE", b"x", zipfile.ZIP_BZIP2)


@pytest.mark.parametrize(
    ("skip", "more", "said"),
    [
        ("pack.json", None, "one pack.json is needed"),
        ("LICENSE", None, "a file of the pack is missing, .*LICENSE"),
        ("LICENSE", lambda zip: zip.writestr("LICENSE", b"Apache-2.1\n"), "another hash.*LICENSE"),
        ("LICENSE", lambda zip: zip.writestr("LICENSE", b""), "another hash.*LICENSE"),
        ("LICENSE", lambda zip: zip.writestr("LICENSE", bytes(1 << 28)), "larger than its pack"),
        ("LICENSE", _link, "a link in a pack, .*LICENSE"),
        ("LICENSE", _unusual, "packed in an unusual way"),
        ("", lambda zip: zip.writestr("../up.md", b"x"), r"does not name, .*\.\./up\.md"),
        ("", lambda zip: zip.writestr("/tmp/up.md", b"x"), "does not name"),
        ("", lambda zip: zip.writestr("run.py", b"x"), r"does not name, .*run\.py"),
        ("", lambda zip: zip.writestr("a/pack.json", b"{}"), "one pack.json is needed"),
        ("", lambda zip: [zip.writestr(f"f{i}.md", b"") for i in range(600)], "too many files"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bad_zip_is_refused_and_leaves_nothing(
    pack: Pack, user_folders: Path, skip: str, more: Change | None, said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        import_pack(zipped(pack, "", skip, more))
    assert nothing_of_it(user_folders)
    assert not list(user_folders.parent.glob("up.md"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_in_a_zip_is_refused(pack: Pack, user_folders: Path) -> None:
    path = zipped(pack, more=lambda zip: zip.writestr("LICENSE", b"other"))
    with pytest.raises(BadInputError, match=r"holds a file twice, .*LICENSE"):
        import_pack(path)
    assert nothing_of_it(user_folders)


def test_an_encrypted_zip_is_named(pack: Pack) -> None:
    path = zipped(pack)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(signature, place + 4)
    path.write_bytes(data)
    with pytest.raises(BadInputError, match="an encrypted zip"):
        import_pack(path)


def test_a_damaged_zip_is_named(pack: Pack, user_folders: Path) -> None:
    path = zipped(pack)
    data = path.read_bytes()
    for spoiled in (data[: len(data) // 2], b"PK\x05\x06" + bytes(18), b"", b"text"):
        path.write_bytes(spoiled)
        with pytest.raises(BadInputError):
            import_pack(path)
    middle = bytearray(data)
    middle[80:120] = bytes(40)
    path.write_bytes(middle)
    with pytest.raises(SightlineError):
        import_pack(path)
    assert nothing_of_it(user_folders)


def test_a_folder_with_a_wrong_hash_leaves_nothing(pack: Pack, user_folders: Path) -> None:
    (pack.folder / "MODEL_CARD.md").write_bytes(b"# Tidy\n")
    with pytest.raises(BadInputError, match=r"another hash.*MODEL_CARD\.md"):
        import_pack(pack.folder)
    assert nothing_of_it(user_folders)


def test_prompts_that_are_none_are_refused(pack: Pack, user_folders: Path) -> None:
    import hashlib

    data = b"language: en\nnormal: [a]\nabnormal: [a]\n"
    (pack.folder / "prompts.yaml").write_bytes(data)
    recorded = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    edit(pack, lambda values: values["files"].update({"prompts.yaml": recorded}))
    with pytest.raises(BadInputError, match="both normal and abnormal"):
        import_pack(pack.folder)
    assert nothing_of_it(user_folders)


def test_a_name_that_is_taken_is_refused(pack: Pack, user_folders: Path) -> None:
    import_pack(pack.folder)
    before = (user_folders / "tiny" / "pack.json").read_bytes()
    with pytest.raises(BadInputError, match=r"called tiny is there already.*remove that folder"):
        import_pack(pack.folder)
    assert (user_folders / "tiny" / "pack.json").read_bytes() == before


def test_cancelling_leaves_nothing(pack: Pack, user_folders: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        import_pack(pack.folder, cancel)
    assert nothing_of_it(user_folders)


def test_no_room_is_said_before_copying(
    pack: Pack, user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(ResourceError, match="not enough room"):
        import_pack(pack.folder)
    assert nothing_of_it(user_folders)


def test_what_a_killed_import_left_is_cleared_and_an_older_pack_kept(
    pack: Pack, user_folders: Path
) -> None:
    import os

    for name in (".packing-dead/new", ".packing-held/old"):
        (user_folders / name).mkdir(parents=True)
    (user_folders / ".packing-fresh").mkdir()
    for name in (".packing-dead", ".packing-held"):
        os.utime(user_folders / name, (0, 0))
    import_pack(pack.folder)
    left = {one.name for one in user_folders.iterdir()}
    assert left == {"tiny", ".packing-held", ".packing-fresh"}
    assert [one.name for one in list_packs() if not one.shipped] == ["tiny"]


def test_an_unsound_pack_is_listed_with_the_reason(pack: Pack, user_folders: Path) -> None:
    imported = import_pack(pack.folder)
    make_pack(user_folders, "aside")
    (imported.folder / "pack.json").write_text("{}")
    aside, tiny = (one for one in list_packs() if not one.shipped)
    assert aside.error is None
    assert aside.pack is not None
    assert tiny.pack is None
    assert tiny.error is not None
    assert "format is missing" in tiny.error.what
    found = check_pack("tiny")
    assert not found.ok
    assert "format is missing" in found.problems[0]


def test_checking_names_every_problem(pack: Pack) -> None:
    imported = import_pack(pack.folder)
    for name in ("LICENSE", "MODEL_CARD.md"):
        (imported.folder / name).write_bytes(b"changed")
    found = check_pack("tiny")
    assert [one.name for one in found.files if one.error] == ["LICENSE", "MODEL_CARD.md"]
    assert len(found.problems) == 2
    assert json.loads(json.dumps(found.as_json()))["ok"] is False


def accept_any(values: dict[str, Any]) -> None:
    values["backbone"]["folders"] = {"vision": "not-here"}


def test_missing_base_weights_are_named(pack: Pack) -> None:
    imported = import_pack(pack.folder)
    edit(imported, accept_any)
    assert find_pack("tiny").missing_base == ("not-here",)
    found = check_pack("tiny")
    assert "base weights not-here" in found.problems[0]
