"""Marks over a still: where they were set, in any script, and on record."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, silent
from engine.export.export_run import ExportRequest, export_run
from engine.export.still_marks import StillMark, parse_marks, write_marked

MARKS = [
    {"kind": "box", "x": 60, "y": 50, "to_x": 20, "to_y": 20},
    {"kind": "arrow", "x": 150, "y": 100, "to_x": 100, "to_y": 60},
    {"kind": "text", "x": 10, "y": 90, "text": "车 السيارة <b>"},
]


def test_marks_lie_where_they_were_set_and_the_rest_is_untouched(tmp_path: Path) -> None:
    picture = np.full((120, 200, 3), 90, np.uint8)
    picture[5, 7] = (200, 10, 30)
    target = tmp_path / "marked.png"
    write_marked(target, picture, parse_marks(MARKS), CancelToken(), silent)
    read = cv2.imread(str(target))
    assert read is not None
    drawn = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
    assert drawn.shape == picture.shape
    changed = np.abs(drawn.astype(int) - picture).max(2) > 8
    for x, y in ((20, 35), (60, 35), (40, 20), (40, 50), (100, 60), (125, 80), (14, 98)):
        assert changed[y - 3 : y + 4, x - 3 : x + 4].any(), (x, y)
    assert not changed[30:42, 32:50].any()
    assert not changed[:12, :].any()
    assert [path.name for path in tmp_path.iterdir()] == ["marked.png"]


@pytest.mark.parametrize(
    "values",
    [
        "marks",
        [{"kind": "circle", "x": 1, "y": 1}],
        [{"kind": "box", "x": "one", "y": 1}],
        [{"kind": "box", "x": float("nan"), "y": 1}],
        [{"kind": "text", "x": 1, "y": 1, "text": "x" * 501}],
        [{"x": 1}],
        [7],
        [{"kind": "box", "x": 1, "y": 1}] * 101,
    ],
)
def test_what_is_no_mark_is_refused(values: object) -> None:
    with pytest.raises(BadInputError):
        parse_marks(values)


def test_a_marked_still_is_listed_beside_the_plain_one_with_its_marks_on_record(
    case: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "still.png"
    with Case.open(case, write=True) as opened:
        piece = opened.evidence.all()[0]
        run = opened.runs.resolve(piece, None)
        request = ExportRequest(target, 0.4, marks=(StillMark("box", 5, 5, 20, 20),))
        exported = export_run(opened, piece, run, request)
        names = [file.path.name for file in exported.files]
        assert names == ["still.png", "still-overlay.png", "still-marked.png"]
        listed = {Path(row.path).name for row in opened.exports.all()}
        assert set(names) <= listed
        entry = next(entry for entry in opened.audit.entries() if entry.action == "still.mark")
        assert json.loads(entry.params_json)["marks"][0]["kind"] == "box"
