from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import BadInputError
from engine.lab.evaluation.benchmark_rates import error_rates, store_rates
from engine.report.error_rates import known_rates


def test_rates_count_frames_on_the_wrong_side_of_the_score() -> None:
    labels = [np.array([False, False, True]), np.array([True, True, False, False])]
    scores = [np.array([0.1, 0.65, 0.9]), np.array([0.2, 0.65, 0.64, 0.0])]
    rates = error_rates(labels, scores, 0.65)
    assert rates["false_alarm_rate"] == pytest.approx(1 / 4)
    assert rates["miss_rate"] == pytest.approx(1 / 3, abs=1e-6)


def test_a_rate_without_frames_is_undefined() -> None:
    rates = error_rates([np.array([True])], [np.array([0.9])], 0.65)
    assert (rates["false_alarm_rate"], rates["miss_rate"]) == (None, 0.0)


def test_a_measurement_replaces_the_one_of_its_kind_only(tmp_path: Path) -> None:
    file = tmp_path / "rates.json"
    measurement = {"channel": "scene", "dataset": "a", "split": "test", "calibrate": "self"}
    store_rates(file, {**measurement, "miss_rate": 0.5})
    store_rates(file, {**measurement, "channel": "text", "miss_rate": 0.4})
    store_rates(file, {**measurement, "miss_rate": 0.3})
    assert [(rate["channel"], rate["miss_rate"]) for rate in known_rates(file)] == [
        ("scene", 0.3),
        ("text", 0.4),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["rates.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"rates": [5]}', '{"rates": 1}'])
def test_another_file_is_not_overwritten(tmp_path: Path, text: str) -> None:
    file = tmp_path / "letter.json"
    file.write_text(text)
    new = {"channel": "scene", "dataset": "a", "split": "test", "calibrate": "self"}
    with pytest.raises(BadInputError, match="not a file of error rates"):
        store_rates(file, new)
    assert file.read_text() == text


def test_the_shipped_rates_are_complete() -> None:
    rates = known_rates()
    assert {(rate["channel"], rate["calibrate"]) for rate in rates} >= {("scene", "normal")}
    assert all(0 <= rate["miss_rate"] <= 1 for rate in rates)
    assert json.dumps(rates)
