"""The manifest of an archive: every file with its hash, and the head of the audit chain."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Annotated

from engine.core.errors import BadInputError
from engine.core.json_input import JsonFault, parse_json, read_json, require

MANIFEST = "manifest.json"
"""Name of the manifest file in an archive."""

FORMAT = "sightline archive"
VERSION = 1  # Of the format of archives; a reader refuses any other.

_SHA256 = re.compile(r"[0-9a-f]{64}")


_Text = Annotated[str, require(lambda value: isinstance(value, str), "not a text", before=True)]
_Count = Annotated[
    int, require(lambda value: type(value) is int and value >= 0, "not a number", before=True)
]
_Sha256 = Annotated[
    str,
    require(
        lambda value: isinstance(value, str) and _SHA256.fullmatch(value), "not a SHA-256", True
    ),
]


@dataclass(frozen=True)
class MemberFile:
    """A file in an archive.

    Attributes:
        path: its path in the archive, with `/`.
        size: its size in bytes.
        sha256: SHA-256 of its bytes.
    """

    path: _Text
    size: _Count
    sha256: _Sha256


@dataclass(frozen=True)
class ArchivedEvidence:
    """A piece of evidence of an archived case; the fields are keys of the stored manifest.

    Attributes:
        evidence_id: its id.
        name: the last part of its path.
        sha256: its SHA-256 when it was added to the case.
        held: path of the file or folder of images in the archive; None when it is left out.
        left_out: why it is left out; empty when it is in the archive.
    """

    evidence_id: _Count
    name: _Text
    sha256: _Sha256
    held: _Text | None
    left_out: _Text = ""


@dataclass(frozen=True)
class ArchiveManifest:
    """The manifest of an archive; the fields are keys of the stored manifest.

    Attributes:
        sightline: the version of Sightline that wrote the archive.
        made_utc: when it was written, ISO.
        case: name of the case folder.
        entries: number of audit entries in the archived case.
        head: hash of the last audit entry.
        evidence: all evidence of the case, in order of id.
        files: all files but the manifest, in the order in which they are stored.
    """

    sightline: _Text
    made_utc: _Text
    case: _Text
    entries: _Count
    head: _Sha256
    evidence: tuple[ArchivedEvidence, ...]
    files: tuple[MemberFile, ...]

    def encode(self) -> bytes:
        """Returns the manifest as it is stored."""
        values = {"format": FORMAT, "v": VERSION, **asdict(self)}
        return json.dumps(values, indent=1, allow_nan=False).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, data: bytes, where: object) -> ArchiveManifest:
        """Reads a manifest that nobody vouches for.

        Raises:
            BadInputError: it is none, or of a newer version.
        """
        try:
            values = parse_json(data)
            form = read_json(_Form, values)
            if form.format != FORMAT:
                raise ValueError("another format")
            if form.v != VERSION:
                raise BadInputError(
                    "an archive of another version of Sightline", where, "open it with that version"
                )
            return read_json(cls, values, complete=True)
        except ValueError as error:
            reason = error.reason if isinstance(error, JsonFault) and error.cause else error
            raise BadInputError(
                f"the manifest of the archive cannot be read ({reason})", where, "do not trust it"
            ) from error


@dataclass(frozen=True)
class _Form:
    """What a manifest is read as."""

    format: object
    v: object
