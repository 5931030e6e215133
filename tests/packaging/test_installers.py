"""What the installers are made of fits together, as far as it can be told without installing."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from engine.case.store.database import DATABASE

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
LINUX = PACKAGING / "linux"
INNO = PACKAGING / "windows" / "sightline.iss"
SECTIONS = {"Setup", "Tasks", "InstallDelete", "Files", "Icons", "Registry", "Run"}
"""Of Inno Setup 6, those that are used."""

NEEDED = {
    "Tasks": {"Name", "Description"},
    "InstallDelete": {"Type", "Name"},
    "Files": {"Source", "DestDir"},
    "Icons": {"Name", "Filename"},
    "Registry": {"Root", "Subkey", "ValueType", "ValueData"},
    "Run": {"Filename", "Description"},
}


def inno() -> dict[str, list[str]]:
    """The lines of each section, without comments and preprocessor."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in INNO.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            name = match[1]
            found[name] = []
        elif line.strip() and not line.lstrip().startswith((";", "#")):
            found[name].append(line)
    return found


def entries(line: str) -> dict[str, str]:
    """`Key: value; Key: "value"`, where two quotes inside quotes are one."""
    pattern = r'(\w+): ("(?:[^"]|"")*"|[^;"]*)(?:; |$)'
    parts = list(re.finditer(pattern, line))
    assert "".join(one[0] for one in parts) == line, f"not Inno Setup: {line}"
    return {one[1]: one[2].strip('"') for one in parts}


def test_the_windows_script_has_known_sections_and_whole_entries() -> None:
    sections = inno()
    assert set(sections) == SECTIONS
    for name, lines in sections.items():
        for line in lines:
            if name == "Setup":
                assert re.fullmatch(r"\w+=.+", line), line
            else:
                assert NEEDED[name] <= set(entries(line)), line


def test_the_windows_script_names_what_make_package_builds() -> None:
    sections = inno()
    (files,) = [entries(one) for one in sections["Files"]]
    source = (INNO.parent / files["Source"].replace("\\", "/")).parent.resolve()
    assert source == PACKAGING.parent / "dist" / "sightline"
    assert 'name="sightline"' in (PACKAGING / "sightline.spec").read_text("utf-8")
    setup = dict(line.split("=", 1) for line in sections["Setup"])
    assert (INNO.parent / setup["LicenseFile"].replace("\\", "/")).is_file()
    programs = [entries(one)["Filename"] for one in sections["Icons"] + sections["Run"]]
    assert set(programs) == {files["DestDir"] + "\\sightline.exe"}


def test_braces_of_the_windows_script_are_constants_it_has() -> None:
    lines = [line for section in inno().values() for line in section]
    used = set(re.findall(r"(?<!\{)\{([a-z]+)[,:}]", "\n".join(lines)))
    assert used <= {"app", "autodesktop", "autopf", "cm", "group"}


def test_the_menu_entry_opens_cases_and_names_an_icon_that_is_there() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(LINUX / "sightline.desktop", encoding="utf-8")
    said = entry["Desktop Entry"]
    assert said["Exec"] == "sightline %f"
    assert (LINUX / f"{said['Icon']}.svg").is_file()
    kinds = ElementTree.parse(LINUX / "sightline.xml").getroot()
    (kind,) = list(kinds)
    assert kind.attrib["type"] in said["MimeType"].split(";")
    (pattern,) = [one.attrib["pattern"] for one in kind if one.tag.endswith("glob")]
    assert pattern == DATABASE


@pytest.mark.parametrize("name", ["smoke.sh", "smoke_steps.sh", "installers.sh"])
def test_the_scripts_are_sound_shell(name: str) -> None:
    shell = shutil.which("dash") or "sh"
    done = subprocess.run([shell, "-n", PACKAGING / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_a_built_application_there_are_no_installers(tmp_path: Path) -> None:
    shutil.copytree(PACKAGING, tmp_path / "packaging")
    done = subprocess.run(
        [tmp_path / "packaging" / "installers.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: no built application, dist/sightline, run make package"
    ]
