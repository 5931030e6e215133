"""A pack in a tar comes in whole; a tar that was made to hurt is refused and leaves nothing."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.core.errors import BadInputError, CancelledError, SightlineError
from engine.core.progress import CancelToken
from engine.packs.pack import Pack
from engine.packs.pack_import import import_pack
from tests.packs.pack_material import make_pack, weights

Change = Callable[[tarfile.TarFile], object]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return make_pack(tmp_path / "lab")


def taped(
    pack: Pack, name: str = "pack.tar", root: str = "", skip: str = "", more: Change | None = None,
    form: int = tarfile.PAX_FORMAT,
) -> Path:  # fmt: skip
    """Returns a tar of a pack with something left out or put in."""
    path = pack.folder.parent / name
    mode = "w:gz" if name.endswith("gz") else "w"
    with tarfile.open(path, mode, format=form) as tape:  # type: ignore[call-overload]
        for inside in ("pack.json", *pack.files):
            if inside != skip:
                tape.add(pack.folder / inside, root + inside)
        if more is not None:
            more(tape)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "") -> Change:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return lambda tape: tape.addfile(info, io.BytesIO(data))


def nothing_of_it(folder: Path) -> bool:
    return not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("root", ["", "./", "tiny-1.2/"])
@pytest.mark.parametrize("name", ["pack.tar", "pack.tar.gz", "no ending"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_unpacked_and_checked(
    pack: Pack, user_folders: Path, name: str, root: str, form: int
) -> None:
    imported = import_pack(taped(pack, name, root, form=form))
    assert imported.folder == user_folders / "tiny"
    assert imported.file("ahd.safetensors").read_bytes() == weights()


def test_a_whole_folder_packed_by_tar_comes_in(pack: Pack, user_folders: Path) -> None:
    path = pack.folder.parent / "pack.tgz"
    with tarfile.open(path, "w:gz") as tape:
        tape.add(pack.folder, "tiny")
    assert import_pack(path).folder == user_folders / "tiny"


@pytest.mark.parametrize("name", ["pack.tar", "pack.tar.gz"])
@pytest.mark.parametrize(
    ("skip", "more", "said"),
    [
        ("pack.json", None, "one pack.json is needed"),
        ("LICENSE", None, "a file of the pack is missing, .*LICENSE"),
        ("LICENSE", member("LICENSE", data=b"Apache-2.1\n"), "another hash.*LICENSE"),
        ("LICENSE", member("LICENSE", data=bytes(1 << 22)), "larger than its pack"),
        ("LICENSE", member("LICENSE", tarfile.SYMTYPE, link="/etc/passwd"), "a link in a pack"),
        ("LICENSE", member("LICENSE", tarfile.LNKTYPE, link="pack.json"), "a link in a pack"),
        ("LICENSE", member("LICENSE", tarfile.CHRTYPE), "something else than files, .*LICENSE"),
        ("LICENSE", member("LICENSE", tarfile.BLKTYPE), "something else than files"),
        ("LICENSE", member("LICENSE", tarfile.FIFOTYPE), "something else than files"),
        ("", member("LICENSE", data=b"other"), "holds a file twice, .*LICENSE"),
        ("", member("../up.md", data=b"x"), r"does not name, .*\.\./up\.md"),
        ("", member("/tmp/up.md", data=b"x"), "does not name"),
        ("", member("run.py", data=b"x"), r"does not name, .*run\.py"),
        ("", member("a/pack.json", data=b"{}"), "one pack.json is needed"),
        ("", lambda tape: [member(f"f{i}.md")(tape) for i in range(600)], "too many files"),
    ],
)
def test_a_bad_tar_is_refused_and_leaves_nothing(
    pack: Pack, user_folders: Path, name: str, skip: str, more: Change | None, said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        import_pack(taped(pack, name, "", skip, more))
    assert nothing_of_it(user_folders)
    assert not list(user_folders.parent.glob("up.md"))


def header(kind: bytes, size: int) -> bytes:
    """A header that says its file has a size; no such file follows."""
    info = tarfile.TarInfo("big")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def negative(kind: bytes) -> bytes:
    data = bytearray(header(kind, 0))
    data[124:136] = b"\xff" * 11 + b"\x00"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (header(tarfile.REGTYPE, 1 << 50), "far more than it is"),
        (negative(tarfile.REGTYPE), "far more than it is"),
        (header(tarfile.GNUTYPE_LONGNAME, 1 << 33), "absurd header"),
        (negative(tarfile.GNUTYPE_LONGNAME), "neither the folder of a pack"),
        (header(tarfile.XHDTYPE, 1 << 33), "absurd header"),
        (header(tarfile.DIRTYPE, 0) * 20_000, "absurd header"),
        (header(tarfile.XGLTYPE, 0) * 5_000, "damaged archive"),
        (header(tarfile.REGTYPE, 1 << 25), "damaged archive"),
    ],
)
def test_a_tar_that_asks_for_more_than_it_is_is_refused(
    tmp_path: Path, user_folders: Path, data: bytes, said: str, packed: bool
) -> None:
    path = tmp_path / "bomb.tar"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(BadInputError, match=said):
        import_pack(path)
    assert nothing_of_it(user_folders)


@pytest.mark.parametrize("name", ["pack.tar", "pack.tar.gz"])
def test_a_damaged_tar_is_named(pack: Pack, user_folders: Path, name: str) -> None:
    path = taped(pack, name)
    data = path.read_bytes()
    middle = bytearray(data)
    middle[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    for spoiled in (data[: len(data) // 2], data[:100], data[:1], bytes(middle), data[1:]):
        path.write_bytes(spoiled)
        with pytest.raises(SightlineError):
            import_pack(path)
    assert nothing_of_it(user_folders)


@pytest.mark.parametrize("data", [b"", b"text", b"\x28\xb5\x2f\xfd" + bytes(600), bytes(10_240)])
def test_what_is_no_archive_is_named_with_the_way_out(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pack.tar.zst"
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=r"unpack it and name the folder|one pack\.json"):
        import_pack(path)


def test_going_over_what_is_packed_can_be_stopped(
    pack: Pack, user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = CancelToken()
    path = taped(pack, "pack.tar.gz", more=member("more.md", data=bytes(1 << 22)))
    seek = gzip.GzipFile.seek

    def cancelling(file: gzip.GzipFile, place: int, whence: int = 0) -> int:
        cancel.cancel()
        return seek(file, place, whence)

    monkeypatch.setattr(gzip.GzipFile, "seek", cancelling)
    with pytest.raises(CancelledError):
        import_pack(path, cancel)
    assert nothing_of_it(user_folders)
