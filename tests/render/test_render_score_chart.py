from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from engine.render.score_chart import score_chart


def points(svg: str) -> list[tuple[float, float]]:
    (line,) = re.findall(r'<polyline points="([^"]+)"', svg)
    return [(float(x), float(y)) for x, _, y in (point.partition(",") for point in line.split())]


def test_a_single_hot_frame_of_an_hour_is_drawn() -> None:
    scores = np.zeros(90_000, np.float32)
    scores[45_001] = 1.0
    drawn = points(score_chart({"scene": scores}, np.arange(90_000) / 25, []))
    assert len(drawn) < 4000
    top = min(y for _, y in drawn)
    assert top == min(y for _, y in points(score_chart({"scene": np.ones(3)}, np.arange(3.0), [])))
    assert abs(next(x for x, y in drawn if y == top) - (44 + 985) / 2) < 2


def test_names_are_escaped_and_spans_stay_inside() -> None:
    spans = [("<b>&1", -5.0, 1e9), ("2", 1.0, 1.0)]
    svg = score_chart({"scene": np.zeros(10)}, np.arange(10.0), spans)
    root = ElementTree.fromstring(svg)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>&1" in texts
    for rectangle in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(rectangle.get("x", "0")) + float(rectangle.get("width", "0")) <= 1000


def test_one_frame_and_no_length_can_be_drawn() -> None:
    assert "<polyline" in score_chart({"scene": np.zeros(1)}, np.zeros(1), [])
