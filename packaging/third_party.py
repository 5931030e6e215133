"""Writes what a bundle is made of, and refuses one that holds what it may not.

    PYTHONPATH=. python packaging/third_party.py build/sightline dist/sightline

`THIRD-PARTY-NOTICES.txt` has every part with its licence text and the offer of source code,
`sbom.cdx.json` the same for programs (CycloneDX 1.6). Both are made from the files and modules that
are really in the bundle.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bundle_contents import Contents, Part
from engine.core.version import VERSION
from engine.media import hash_file
from licence_rules import TEXTS, Rules, read_rules

NOTICES, SBOM = "THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"
_LINE = "=" * 78
# Marks that FFmpeg, or what is linked into it, leaves in a library that is under the GPL.
_GPL_MARKS = (b"--enable-gpl", b"--enable-libx264", b"--enable-libx265", b"license: GPL version")
_TERMS = """Sightline {version}: the parts of this bundle and their licences

Sightline's own code is under the Apache License 2.0. The bundle as a whole is conveyed under the
GNU General Public License, version 3, because it carries FFmpeg with x264 and x265: you may use,
copy, study, change and pass it on under those terms. Qt, the libraries of GNU and others under
the LGPL lie in it as separate files that can be exchanged for others of the same interface.

OFFER OF SOURCE CODE
Whoever conveys this bundle gives, for at least three years and for no more than the cost of
copying, the complete source code of FFmpeg, x264, x265, Qt and every other part under the GPL or
the LGPL to anyone who asks. It is also found here:
{sources}
The libraries of PyAV are built by https://github.com/PyAV-Org/pyav-ffmpeg, those of Qt come from
https://download.qt.io/official_releases/qt, those of Debian from https://snapshot.debian.org.

PARTS
"""


def problems(contents: Contents, rules: Rules, application: Path) -> list[str]:
    """Returns everything that is wrong with the licences of a bundle, a line each."""
    lines = [f"nothing says what {name} is a part of" for name in contents.strangers]
    for part in contents.parts.values():
        wrong = rules.problem(part.name, part.licence)
        lines += [wrong] if wrong else []
        for name, _version, licence in part.inside:
            inner = rules.problem(f"{name} inside {part.name}", licence)
            lines += [inner] if inner else []
        if part.name not in rules.gpl:
            lines += [
                f"{name} of {part.name} says that it is under the GPL"
                for name in part.files if _says_gpl(application / name)
            ]  # fmt: skip
    return lines


def notices(parts: Iterable[Part]) -> str:
    """Returns the notices of all parts, with their licence texts."""
    ordered = sorted(parts, key=lambda part: part.name.lower())
    sources = sorted({part.address for part in ordered
                      if "GPL" in part.licence and part.address.startswith("http")})  # fmt: skip
    lines = [_TERMS.format(version=VERSION, sources="\n".join(f"  {source}" for source in sources))]
    lines += [f"{part.name} {part.version}: {part.licence}".replace(" :", ":") for part in ordered]
    for part in ordered:
        title = f"{part.name} {part.version}".strip()
        lines += ["", _LINE, f"{title}\n{part.licence}\n{part.address}", _LINE]
        lines += [f"{inner} {version}: {licence}" for inner, version, licence in part.inside]
        lines += [f"--- {name}\n{text.rstrip()}" for name, text in sorted(part.texts.items())]
    for text in sorted(TEXTS.glob("*.txt")):
        lines += ["", _LINE, f"Text of {text.stem}", _LINE, text.read_text("utf-8").rstrip()]
    return "\n".join(lines) + "\n"


def sbom(parts: Iterable[Part], application: Path, time: datetime) -> dict[str, Any]:
    """Returns the parts as a CycloneDX 1.6 document; of files the SHA-256 is in it."""
    ordered = sorted(parts, key=lambda part: part.name)
    components = [_component(part, application) for part in ordered]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application", "name": "sightline", "version": VERSION,
                "bom-ref": "sightline-bundle", "licenses": [{"expression": "GPL-3.0-or-later"}],
            },
        },
        "components": components,
    }  # fmt: skip


def _component(part: Part, application: Path) -> dict[str, Any]:
    inside = [
        {
            "type": "library", "name": name, "licenses": [{"expression": licence}],
            "bom-ref": f"{part.name}/{number}/{name}", **({"version": version} if version else {}),
        }
        for number, (name, version, licence) in enumerate(part.inside)
    ]  # fmt: skip
    binaries = [
        {
            "type": "file", "name": name, "bom-ref": f"file/{name}",
            "hashes": [{"alg": "SHA-256", "content": hash_file(application / name)["sha256"]}],
        }
        for name in sorted(part.files)
    ]  # fmt: skip
    known: dict[str, Any] = {
        "type": "library", "name": part.name, "bom-ref": part.name,
        "licenses": [{"expression": part.licence}],
    }  # fmt: skip
    if part.version:
        known["version"] = part.version
    if part.address.startswith("pkg:"):
        known["purl"] = part.address
    else:
        known["externalReferences"] = [{"type": "vcs", "url": part.address}]
    if inside or binaries:
        known["components"] = inside + binaries
    return known


def _says_gpl(path: Path) -> bool:
    data = path.read_bytes()
    return data.startswith((b"\x7fELF", b"MZ")) and any(mark in data for mark in _GPL_MARKS)


def main(work: Path, application: Path) -> int:
    """Checks a bundle and writes both documents into it; returns the exit code."""
    rules = read_rules()
    contents = Contents(rules)
    for name in (NOTICES, SBOM):
        (application / "_internal" / name).unlink(missing_ok=True)
    contents.read(work, application)
    wrong = problems(contents, rules, application)
    for line in wrong:
        print(f"error: {line}, {application}, see packaging/licences.toml", file=sys.stderr)
    if wrong:
        return 1
    time = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    parts = contents.parts.values()
    inside = application / "_internal"
    document = json.dumps(sbom(parts, application, time), indent=1)
    (inside / SBOM).write_text(document + "\n", "utf-8")
    (inside / NOTICES).write_text(notices(parts), "utf-8")
    print(f"licences: {len(parts)} parts, {inside / NOTICES}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
