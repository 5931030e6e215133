"""The contents of a bundle: every file and every module in it, and the part each belongs to.

PyInstaller leaves two lists of a build: of the files it collected with where each came from
(`COLLECT-00.toc`), and of the modules inside the executable (`PYZ-00.toc`).
"""

from __future__ import annotations

import ast
import json
import posixpath
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path

from licence_rules import Library, Rules

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(sysconfig.get_path("purelib")).resolve()
_BASE = Path(sys.base_prefix).resolve()
_TEXT_NAMES = ("licen", "copying", "notice", "authors", "copyright")


@dataclass
class Part:
    """A wheel, library or package that a bundle is made of.

    Attributes:
        name: of the wheel, library or package.
        version: empty when unknown.
        licence: SPDX expression; empty when unknown.
        address: its package URL (purl), or where its source is.
        files: paths inside the bundle; of a wheel without files, its modules are in the
            executable.
        texts: licence texts, by name.
        inside: parts compiled into it, as its wheel lists them: name, version, licence.
    """

    name: str
    version: str
    licence: str
    address: str
    files: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    inside: list[tuple[str, str, str]] = field(default_factory=list)


class Contents:
    """The parts of a bundle, found file by file.

    Attributes:
        parts: by name.
        strangers: files and modules of which the part is unknown.
    """

    def __init__(self, rules: Rules) -> None:
        self.parts: dict[str, Part] = {}
        self.strangers: list[str] = []
        self._rules = rules
        self._owner = dict(_owners())

    def read(self, work: Path, application: Path) -> None:
        """Reads a build.

        Args:
            work: PyInstaller's folder of the build.
            application: the folder that was built.
        """
        collected = ast.literal_eval((work / "COLLECT-00.toc").read_text("utf-8"))[0]
        origins = {entry[0].replace("\\", "/"): entry for entry in collected}
        for path in sorted(application.rglob("*")):
            if path.is_file():
                self._add_file(path.relative_to(application).as_posix(), origins)
        for name, source, _kind in ast.literal_eval((work / "PYZ-00.toc").read_text("utf-8"))[1]:
            self._assign(f"module {name}", Path(source), None)

    def _add_file(self, name: str, origins: dict[str, tuple[str, str, str]]) -> None:
        inner = name.removeprefix("_internal/")
        entry = origins.get(inner)
        while entry is not None and entry[2] == "SYMLINK":
            entry = origins.get(
                posixpath.normpath(posixpath.join(posixpath.dirname(entry[0]), entry[1]))
            )
        if entry is None:
            self.strangers.append(name)
        elif entry[2] == "EXECUTABLE":
            self._own("pyinstaller", name, "GPL-2.0-or-later WITH Bootloader-exception")
        else:
            self._assign(name, Path(entry[1]), name)

    def _assign(self, name: str, source: Path, file: str | None) -> None:
        """Adds a file, or a module inside the executable (`file` is None), to its part."""
        real = source.resolve()
        wheel = self._owner.get(source.absolute()) or self._owner.get(real)
        if wheel is not None:
            part = self._wheel(wheel)
            library = self._rules.library(part.name, source.name) if _is_binary(source) else None
            if library is not None:
                part = self._library(library, wheel)
            elif source.parent.name.endswith(".libs"):
                self.strangers.append(name)
                return
        elif real.is_relative_to(ROOT / "build") or real.is_relative_to(_BASE):
            part = self._own("Python", None)
        elif (ours := _ours(source, real)) is not None:
            part = self._own(ours, None)
        else:
            package = self._system(real)
            if package is None:
                self.strangers.append(name)
                return
            part = package
        if file is not None:
            part.files.append(file)

    def _own(self, name: str, file: str | None, licence: str = "") -> Part:
        if name not in self.parts:
            known = licence or self._rules.own.get(name) or _weights_licences().get(name, "")
            version = sys.version.split()[0] if name == "Python" else ""
            part = Part(name, version, known, f"pkg:generic/{name.replace(' ', '-')}")
            path = _own_text(name)
            if path is not None and path.is_file():
                part.texts = {path.name: path.read_text("utf-8", errors="replace")}
            self.parts[name] = part
        if file is not None:
            self.parts[name].files.append(file)
        return self.parts[name]

    def _wheel(self, wheel: Distribution) -> Part:
        name = wheel.metadata["Name"].lower().replace("_", "-")
        if name not in self.parts:
            address = f"pkg:pypi/{name}@{wheel.version}"
            part = Part(name, wheel.version, licence_of(wheel, self._rules), address)
            part.texts = dict(_texts(wheel))
            part.inside = list(_listed_inside(wheel))
            self.parts[name] = part
        return self.parts[name]

    def _library(self, library: Library, wheel: Distribution) -> Part:
        if library.name not in self.parts:
            part = Part(library.name, "", library.licence, library.source)
            text = f"{library.copyright}\nCarried by the wheel {wheel.metadata['Name']}.\n"
            part.texts = {"copyright": text}
            self.parts[library.name] = part
        return self.parts[library.name]

    def _system(self, path: Path) -> Part | None:
        package = _package_of(path)
        if package is None:
            return None
        name, version = package
        if name not in self.parts:
            part = Part(name, version, self._rules.system.get(name, ""),
                        f"pkg:deb/debian/{name}@{version}")  # fmt: skip
            text = Path("/usr/share/doc", name, "copyright")
            if text.is_file():
                part.texts = {"copyright": text.read_text("utf-8", errors="replace")}
            self.parts[name] = part
        return self.parts[name]


def licence_of(wheel: Distribution, rules: Rules) -> str:
    """Returns the licence that a wheel's metadata states, as SPDX; empty when it states none."""
    metadata = wheel.metadata

    def values(field: str) -> list[str]:
        return [str(value) for value in metadata.get_all(field) or []]

    if expression := values("License-Expression"):
        return expression[0]
    stated = next(iter(values("License")), "")
    if stated in rules.spdx or ("\n" not in stated and 0 < len(stated) < 80):
        return rules.spdx.get(stated, stated)
    classifiers = (line for line in values("Classifier") if line.startswith("License ::"))
    names = (line.split(" :: ")[-1] for line in classifiers)
    known = sorted({rules.spdx[name] for name in names if name in rules.spdx})
    return " AND ".join(known)


def _owners() -> Iterator[tuple[Path, Distribution]]:
    for wheel in distributions(path=[str(SITE)]):
        for file in wheel.files or ():
            yield SITE / str(file), wheel


def _texts(wheel: Distribution) -> Iterator[tuple[str, str]]:
    for file in wheel.files or ():
        inner = str(file)
        if ".dist-info/" not in inner or inner.endswith((".py", ".pyc")):
            continue
        if any(word in file.name.lower() for word in _TEXT_NAMES):
            name = inner.partition(".dist-info/")[2]
            yield name, (SITE / inner).read_text("utf-8", errors="replace")


def _listed_inside(wheel: Distribution) -> Iterator[tuple[str, str, str]]:
    """Reads the lists of crates and libraries that some wheels bring (CycloneDX)."""
    for file in wheel.files or ():
        if "/sboms/" not in str(file) or "auditwheel" in file.name:
            continue
        document = json.loads((SITE / str(file)).read_text("utf-8"))
        for component in document.get("components", []):
            if component.get("scope") in ("optional", "excluded"):
                # What could be built in; what is there is found as a file.
                continue
            licences = component.get("licenses", [])
            words = [
                entry.get("expression") or entry.get("license", {}).get("id")
                or entry.get("license", {}).get("name", "") for entry in licences
            ]  # fmt: skip
            yield (
                component["name"],
                component.get("version") or "",
                " AND ".join(filter(None, words)),
            )


def _ours(source: Path, real: Path) -> str | None:
    path = source if source.is_relative_to(ROOT) else real
    parts = path.parts
    if "weights" in parts and "resources" in parts:
        folder = parts[parts.index("weights") + 1]
        return "Sightline" if folder.endswith(".toml") else f"weights {folder}"
    if not path.is_relative_to(ROOT):
        return None
    inner = path.relative_to(ROOT).parts
    if inner[:2] == ("resources", "fonts"):
        return "Noto fonts"
    if inner[:2] == ("resources", "icons"):
        return "Lucide icons"
    return "pack compact" if inner[:3] == ("resources", "packs", "compact") else "Sightline"


def _weights_licences() -> dict[str, str]:
    manifest = tomllib.loads((ROOT / "resources" / "weights.toml").read_text("utf-8"))
    return {f"weights {entry['name']}": entry["licence"] for entry in manifest["weights"]}


def _own_text(name: str) -> Path | None:
    """Returns where the licence text of a part lies that comes from no wheel."""
    resources = ROOT / "resources"
    if name.startswith("weights "):
        return resources / "weights" / name.removeprefix("weights ") / "LICENSE"
    return {
        "Sightline": ROOT / "LICENSE",
        "Noto fonts": resources / "fonts" / "OFL.txt",
        "Lucide icons": resources / "icons" / "LICENSE",
        "Python": Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
    }.get(name)


def _is_binary(path: Path) -> bool:
    return ".so" in path.suffixes or path.suffix in (".dll", ".dylib", ".pyd")


def _package_of(path: Path) -> tuple[str, str] | None:
    """Asks dpkg, where there is one; it knows a file below `/lib` or below `/usr/lib`."""
    if shutil.which("dpkg-query") is None:
        return None
    for candidate in (path, Path("/", *path.parts[2:]) if path.parts[1:2] == ("usr",) else path):
        owner = subprocess.run(
            ["dpkg-query", "--search", str(candidate)], capture_output=True, text=True, check=False
        )
        if owner.returncode == 0:
            name = owner.stdout.partition(":")[0]
            version = subprocess.run(
                ["dpkg-query", "--show", "--showformat=${Version}", name],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            return name, version.stdout
    return None
