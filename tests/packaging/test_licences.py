"""A bundle with a part under the GPL, under no licence, or of unknown origin is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bundle_contents import Contents, Part
from licence_rules import Rules, read_rules
from third_party import notices, problems, sbom


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules()


@pytest.mark.parametrize(
    ("licence", "good"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later", False),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", True),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only OR MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("(MIT OR GPL-2.0-only) AND GPL-3.0-only", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-3.0-or-later WITH Classpath-exception-2.0", False),
        ("AGPL-3.0-only", False),
        ("my own", False),
        ("MIT OR", False),
        ("", False),
    ],
)
def test_one_of_or_and_all_of_and_must_be_allowed(rules: Rules, licence: str, good: bool) -> None:
    assert (rules.problem("something", licence) is None) is good


def test_only_ffmpeg_x264_and_x265_may_be_under_the_gpl(rules: Rules) -> None:
    assert set(rules.gpl) == {"FFmpeg in PyAV", "x264", "x265"}
    assert rules.problem("x264", "GPL-2.0-or-later") is None
    assert rules.problem("x264", "AGPL-3.0-only") is not None


def test_a_library_is_known_by_its_wheel_and_its_name(rules: Rules) -> None:
    x264 = rules.library("av", "libx264-d6533a8d.so.165")
    assert x264 is not None
    assert x264.name == "x264"
    assert rules.library("pillow", "libx264-d6533a8d.so.165") is None
    assert rules.library("av", "libunheard-of.so") is None


@pytest.fixture
def contents(rules: Rules, tmp_path: Path) -> Contents:
    made = Contents(rules)
    (tmp_path / "lib.so").write_bytes(b"\x7fELF plain")
    made.parts["good"] = Part(
        "good", "1.0", "MIT", "pkg:pypi/good@1.0", ["lib.so"], {"LICENSE": "MIT text"},
        [("crate", "2.0", "MIT OR Apache-2.0")],
    )  # fmt: skip
    return made


def test_what_is_wrong_is_named(contents: Contents, rules: Rules, tmp_path: Path) -> None:
    assert problems(contents, rules, tmp_path) == []
    contents.strangers.append("_internal/libodd.so")
    contents.parts["bare"] = Part("bare", "1", "", "pkg:pypi/bare@1")
    contents.parts["good"].inside.append(("readline", "8", "GPL-3.0-or-later"))
    (tmp_path / "lib.so").write_bytes(b"\x7fELF --prefix=/usr --enable-gpl --enable-libx264")
    assert problems(contents, rules, tmp_path) == [
        "nothing says what _internal/libodd.so is a part of",
        "readline inside good is under GPL-3.0-or-later, which licences.toml does not allow",
        "lib.so of good says that it is under the GPL",
        "bare has no licence that is known",
    ]


def test_notices_have_every_text_and_the_offer_of_source(contents: Contents) -> None:
    contents.parts["x264"] = Part("x264", "", "GPL-2.0-or-later", "https://example.org/x264")
    text = notices(contents.parts.values())
    assert "MIT text" in text
    assert "crate 2.0: MIT OR Apache-2.0" in text
    assert "OFFER OF SOURCE CODE" in text
    assert "  https://example.org/x264\n" in text
    assert "GNU GENERAL PUBLIC LICENSE" in text


def test_the_sbom_names_parts_files_and_hashes_and_is_the_same_twice(
    contents: Contents, tmp_path: Path
) -> None:
    made = datetime(2026, 11, 27, tzinfo=UTC)
    first, second = (sbom(contents.parts.values(), tmp_path, made) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert first["specVersion"] == "1.6"
    (part,) = first["components"]
    assert part["purl"] == "pkg:pypi/good@1.0"
    crate, file = part["components"]
    assert crate["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert file["name"] == "lib.so"
    assert len(file["hashes"][0]["content"]) == 64
