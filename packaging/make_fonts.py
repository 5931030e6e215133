"""Makes `resources/fonts/` from Debian's packages fonts-noto-core, fonts-noto-mono, fonts-noto-cjk.

Run by hand when the choice of characters changes; needs fonttools, which nothing else does:

    python packaging/make_fonts.py /usr/share/fonts resources/fonts

Decision 0008 says why these fonts and these characters.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

_LATIN = (
    (0x20, 0x7E), (0xA0, 0x52F), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x209F),
    (0x20A0, 0x20BF), (0x2100, 0x218F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF),
    (0xFFFD, 0xFFFD),
)  # fmt: skip
_ARABIC = ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))
_HEBREW = ((0x591, 0x5F4), (0xFB1D, 0xFB4F))
_CJK = ((0x2E80, 0x2FDF), (0x3000, 0x30FF), (0x3105, 0x312F), (0x3130, 0x318F), (0xFF01, 0xFFEE))

_TRUETYPE, _OPENTYPE = "truetype/noto", "opentype/noto"
_FONTS = (
    ("NotoSans-Regular.ttf", _LATIN), ("NotoSans-Bold.ttf", _LATIN),
    ("NotoSans-Italic.ttf", _LATIN), ("NotoSansMono-Regular.ttf", _LATIN[:2]),
    ("NotoSansArabic-Regular.ttf", _ARABIC), ("NotoSansArabic-Bold.ttf", _ARABIC),
    ("NotoSansHebrew-Regular.ttf", _HEBREW), ("NotoSansHebrew-Bold.ttf", _HEBREW),
)  # fmt: skip
_SIMPLIFIED_CHINESE = 2
"""Index of the face for simplified Chinese in the collection."""


def main(fonts: Path, target: Path) -> None:
    """Writes the subsets and `coverage.txt`, one range of code points a line."""
    target.mkdir(parents=True, exist_ok=True)
    covered: set[int] = set()
    for name, ranges in _FONTS:
        font = TTFont(fonts / _TRUETYPE / name)
        covered |= _write(font, _points(ranges), target / name)
    font = TTFont(fonts / _OPENTYPE / "NotoSansCJK-Regular.ttc", fontNumber=_SIMPLIFIED_CHINESE)
    points = _points(_CJK) | _usual_han()
    covered |= _write(font, points, target / "NotoSansCJKsc-Regular.otf")
    lines = [f"{first:04X}-{last:04X}" for first, last in _ranges(covered)]
    (target / "coverage.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def _write(font: TTFont, points: set[int], target: Path) -> set[int]:
    options = subset.Options(hinting=False, layout_features=["*"], name_IDs=["*"])
    options.notdef_outline = True
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    font.save(target)
    return set(font.getBestCmap())


def _usual_han() -> set[int]:
    """The characters of GB 2312, JIS X 0208, Big5's first level and KS X 1001."""
    points: set[int] = set()
    for codec, rows in (("gb2312", range(0xB0, 0xF8)), ("euc_jp", range(0xA1, 0xF5)),
                        ("euc_kr", range(0xA1, 0xC9)), ("big5", range(0xA1, 0xC7))):  # fmt: skip
        for high in rows:
            for low in range(0x40, 0xFF):
                try:
                    points.update(map(ord, bytes((high, low)).decode(codec)))
                except UnicodeDecodeError:
                    continue
    return {point for point in points if point >= 0x2E80}


def _points(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {point for first, last in ranges for point in range(first, last + 1)}


def _ranges(points: set[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for point in sorted(points):
        if first is None or last is None or point != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = point
        last = point
    if first is not None and last is not None:
        yield first, last


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
