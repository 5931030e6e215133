"""What an archive says about itself: every file with its hash, and the head of the audit log."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from engine.core.errors import BadInputError

MANIFEST = "manifest.json"
"""Name of the manifest in an archive."""

FORMAT = "sightline archive"
VERSION = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class HeldFile:
    """A file of the archive.

    Attributes:
        path: relative, with `/`.
        size: in bytes.
        sha256: of the file.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class HeldEvidence:
    """A piece of evidence of the case.

    Attributes:
        evidence_id: its id.
        name: last part of its path.
        sha256: when it was added.
        held: path of the file or folder of images in the archive; None when it is not in it.
        left_out: why it is not in it; empty when it is.
    """

    evidence_id: int
    name: str
    sha256: str
    held: str | None
    left_out: str = ""


@dataclass(frozen=True)
class Manifest:
    """What an archive says about itself.

    Attributes:
        sightline: version that wrote it.
        made_utc: when, ISO.
        case: name of the case folder.
        entries: number of audit entries in the archived case.
        head: hash of the last of them.
        evidence: in order of id.
        files: all files but the manifest, in order of the archive.
    """

    sightline: str
    made_utc: str
    case: str
    entries: int
    head: str
    evidence: tuple[HeldEvidence, ...]
    files: tuple[HeldFile, ...]

    def encode(self) -> bytes:
        """Returns the manifest as it is stored."""
        said = {"format": FORMAT, "v": VERSION, **asdict(self)}
        return json.dumps(said, indent=1, allow_nan=False).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, data: bytes, where: object) -> Manifest:
        """Reads a manifest that nobody vouches for.

        Raises:
            BadInputError: it is none, or of a newer version.
        """
        try:
            said = json.loads(data)
            if said["format"] != FORMAT:
                raise ValueError("another format")
            if said["v"] != VERSION:
                raise BadInputError(
                    "an archive of another version of Sightline", where, "open it with that version"
                )
            return cls(
                sightline=_text(said["sightline"]),
                made_utc=_text(said["made_utc"]),
                case=_text(said["case"]),
                entries=_count(said["entries"]),
                head=_sha256(said["head"]),
                evidence=tuple(_evidence(one) for one in said["evidence"]),
                files=tuple(
                    HeldFile(_text(one["path"]), _count(one["size"]), _sha256(one["sha256"]))
                    for one in said["files"]
                ),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInputError(
                f"the manifest of the archive cannot be read ({error})", where, "do not trust it"
            ) from error


def _evidence(said: dict[str, Any]) -> HeldEvidence:
    held = said["held"]
    return HeldEvidence(
        _count(said["evidence_id"]),
        _text(said["name"]),
        _sha256(said["sha256"]),
        None if held is None else _text(held),
        _text(said["left_out"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a number")
    return value


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError("not a SHA-256")
    return value
