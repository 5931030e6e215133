"""What letters a report can set, which way they run, and how what cannot be seen is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.progress import CancelToken
from engine.export.printable_text import reads_rightwards, visible_text, with_fonts
from engine.export.typesetting import settable
from engine.report import pdf_report
from tests.report.report_material import ARABIC, CHINESE


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("a\tb", "a   b"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31m", "[U+001B][31m"),
        ("\u202eevil\u2066", "[U+202E]evil[U+2066]"),
        ("\udcff.mp4", "[byte FF].mp4"),
        ("a\u00a0b", "a b"),
        ("\ue000", "[U+E000]"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, seen: str) -> None:
    assert visible_text(text) == seen


def test_directions_are_read_from_the_first_letter() -> None:
    assert reads_rightwards("12 abc")
    assert not reads_rightwards(f"12: {ARABIC}")
    assert reads_rightwards("")
    assert reads_rightwards(CHINESE)


def test_letters_without_a_font_are_named_and_long_texts_cut() -> None:
    assert with_fonts("Ä Ω Я 停 ع א \U0001f600ไ") == "Ä Ω Я 停 ع א [U+1F600][U+0E44]"
    value = settable({"a": ["x" * 30_000, 5, None, True]})
    assert value["a"][1:] == [5, None, True]
    assert value["a"][0].startswith("x" * 20_000 + "\n[cut here: 10,000 of 30,000")


def test_every_character_that_is_said_to_have_a_font_can_be_set(tmp_path: Path) -> None:
    """PDF/A refuses text without a glyph, so the list of characters must keep its word."""
    from engine.export.printable_text import FONTS

    lines = (FONTS / "coverage.txt").read_text("ascii").split()
    points = [
        point
        for line in lines
        for point in range(int(line[: line.index("-")], 16), int(line.partition("-")[2], 16) + 1)
    ]
    text = " ".join(chr(point) for point in points[::7] if chr(point).isprintable())
    source = tmp_path / "report.typ"
    fonts = '"Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans CJK SC"'
    source.write_text(f'#set text(font: ({fonts}))\n#json("document.json").text\n', "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf_report, "TEMPLATE", source)
        work = tmp_path / "work"
        work.mkdir()
        pdf_report.write_pdf(
            tmp_path / "a.pdf", {"text": text[:19_000]}, work, CancelToken(), lambda _: None
        )
    assert (tmp_path / "a.pdf").stat().st_size > 1000
