"""More of the same is found by an event, by a mark and by words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.case import Case
from engine.core.progress import CancelToken, silent
from engine.few_shot.feature_reader import open_features
from engine.few_shot.marked_cells import MotionReader
from engine.few_shot.moments import MomentFinder
from engine.few_shot.similarity_search import _open_detector
from engine.motion.motion_maps import MotionMaps
from tests.few_shot.few_shot_material import made_case, mark, marks_file, run_command


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_case(tmp_path_factory.mktemp("finding"))


def test_a_marked_target_is_the_most_like_itself(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = marks_file(tmp_path, mark(1.2), mark(1.4))
    code, result, _ = run_command(capsys, "find", "--case", case, "--marks", marks)
    assert code == 0
    first = result["moments"][0]
    assert first["itself"]
    assert sum(moment["itself"] for moment in result["moments"]) == 1
    assert first["start_s"] <= 1.6
    likeness = [moment["likeness"] for moment in result["moments"]]
    assert likeness == sorted(likeness, reverse=True)
    again = run_command(capsys, "find", "--case", case, "--marks", marks)[1]
    assert again == result


def test_who_is_in_view_at_the_same_time_is_someone_else(case: Path) -> None:
    with Case.open(case) as opened:
        detector = _open_detector(opened, None)
        row = opened.evidence.all()[0]
        features = open_features(opened, row, detector, CancelToken(), silent)
    likeness = np.zeros((2, *features.grid), np.float32)
    likeness[:, 3, 4], likeness[:, 3, -4] = 1.0, 0.9
    target = np.zeros(features.grid, np.bool_)
    target[3, -5] = True
    finder = MomentFinder(features, {1: target})
    for second, likeness_map in zip((0.0, 0.2), likeness, strict=True):
        finder.add(second, likeness_map)
    itself = {
        round(moment.likeness, 1): moment.itself for moment in finder.finish() if moment.likeness
    }
    assert itself == {1.0: False, 0.9: True}


def test_motion_is_decoded_once_for_marks_that_lie_close_together(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = MotionMaps.decode

    def counted(raw: bytes) -> MotionMaps:
        decoded.append(raw)
        return decode(raw)

    monkeypatch.setattr(MotionMaps, "decode", counted)
    with Case.open(case) as opened:
        detector = _open_detector(opened, None)
        row = opened.evidence.all()[0]
        features = open_features(opened, row, detector, CancelToken(), silent)
        reader = MotionReader(opened)
        first = [reader.around(features, frame)[0] for frame in (0, 1, 2)]
    assert len(decoded) == 1
    assert first[0] is first[2]


def test_words_and_events_are_looked_for(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result, _ = run_command(capsys, "find", "--case", case, "--text", "somebody in a hurry")
    assert code == 0
    assert all(0 <= moment["likeness"] <= 1 for moment in result["moments"])
    with Case.open(case) as opened:
        events = [row for row in opened.results.events(1) if row.event.trajectories]
    for row in events[:1]:
        code, result, _ = run_command(capsys, "find", "--case", case, "--like", row.id)
        assert (code, bool(result["moments"])) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say what to look for"),
        (["--like", "1", "--text", "x"], "say what to look for"),
        (["--like", "999"], "no such event"),
        (["--text", " "], "empty"),
        (["--text", "x" * 300], "300 characters"),
    ],
)
def test_questions_that_do_not_fit_are_named(
    words: list[str], message: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run_command(capsys, "find", "--case", case, *words)
    assert code == 2
    assert message in error


def test_a_case_without_features_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Case.create(tmp_path / "empty.case").close()
    code, _, error = run_command(capsys, "find", "--case", tmp_path / "empty.case", "--text", "dog")
    assert (code, "nothing in the case has kept features" in error) == (2, True)
