"""Marks become a variant that is kept, used, repeated and thrown away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.case import Case
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken
from engine.few_shot.marks import MAX_MARKS, parse_marks
from engine.few_shot.teach_variant import teach
from engine.packs.pack import write_pack
from engine.tvad.decoder_file import DECODER, decoder_bytes
from tests.few_shot.few_shot_material import RUNNER_S, made_case, mark, marks_file, run_command
from tests.packs.pack_material import manifest
from tests.tvad.text_pack import untrained_decoder

TWO = [mark(second) for second in RUNNER_S]


@pytest.fixture(scope="module")
def base_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_case(tmp_path_factory.mktemp("teaching"))


@pytest.fixture
def case(base_case: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base_case, tmp_path / "street.case"))


def state(case: Path) -> tuple[int, int, list[str]]:
    with Case.open(case) as opened:
        names = [row.variant.name for row in opened.variants.all()]
        return opened.audit.count, len(opened.runs.all()), names


def test_a_variant_is_kept_used_repeated_and_thrown_away(
    case: Path, base_case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = marks_file(tmp_path, *TWO)
    code, result, _ = run_command(
        capsys, "teach", "--case", case, "--marks", marks, "--name", "carts"
    )
    assert code == 0
    assert (result["variant"]["marks"], result["variant"]["names"]) == (2, ["cart"])
    (preview,) = result["preview"]
    assert preview["max_after"] >= preview["max_before"]

    code, again, _ = run_command(capsys, "teach", "--case", case, "--repeat", "carts")
    assert (code, again["same"]) == (0, True)

    video = base_case.parent / "footage" / "street.mp4"
    code, done, _ = run_command(capsys, "analyze", video, "--case", case, "--variant", "carts")
    assert code == 0
    (run,) = done["runs"]
    assert run["settings"]["variant"]["sha256"] == result["variant"]["sha256"]
    assert "cart" in run["settings"]["text"]["prompts"]["abnormal"]
    with Case.open(case) as opened:
        old, new = (opened.results.scores(number, "fused") for number in (1, run["run_id"]))
        assert (abs(new - old) > 0.01).sum() == preview["changed_frames"]
        before, after = (opened.results.scores(n, "text") for n in (1, run["run_id"]))
        assert after.max() > max(0.6, before.max())

    code, _, _ = run_command(capsys, "teach", "--case", case, "--discard", "carts")
    assert code == 0
    assert state(case)[2] == []
    code, same, _ = run_command(capsys, "analyze", "--case", case, "--repeat", run["run_id"])
    assert (code, same["same"]) == (0, True)
    code, verified, _ = run_command(capsys, "verify", "--case", case)
    assert (code, verified["records"]["bad"]) == (0, [])
    code, log, _ = run_command(capsys, "log", "--case", case)
    actions = [entry["action"] for entry in log["entries"]]
    assert actions.count("variant.add") == actions.count("variant.remove") == 1


def test_what_is_marked_as_normal_falls_and_its_prompt_changes_sides(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = [mark(second, "vehicle", True) for second in RUNNER_S]
    code, result, _ = run_command(
        capsys, "teach", "--case", case, "--marks", marks_file(tmp_path, *marks), "--name", "n"
    )
    assert code == 0
    assert result["preview"][0]["max_after"] <= result["preview"][0]["max_before"]
    with Case.open(case) as opened:
        assert (
            '"normal": ["person walking", "vehicle"]' in opened.variants.by_name("n").variant.recipe
        )


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([], "no marks"),
        ([mark(box=[1000, 10, 20, 20])], "a mark on nothing, outside the picture"),
        ([mark(99.0)], "a mark on nothing, beyond the footage"),
        ([mark(point=[80.0, 2.0])], "a mark on nothing: no region and nothing that moves there"),
        ([mark(point=[-5.0, 2.0])], "a mark on nothing"),
        ([mark(), mark(1.6, normal=True)], "marked as normal and as abnormal"),
        ([mark(), mark(name="trolley", normal=True)], "marks contradict each other"),
        ([mark() | {"evidence_id": 7}], "no such evidence"),
        ([mark() | {"box": [1, 2, 0, 4]}], "a box without an area"),
        ([mark() | {"box": [1, 2, 3, float("nan")]}], "not a box"),
        ([mark() | {"point": [1, 2]}], "exactly one shape"),
        ([mark() | {"time": "soon"}], "time"),
        ([mark() | {"time": -1}], "without a time"),
        ([mark(name=" ")], "empty"),
        ([mark(name="x" * 200)], "200 characters"),
        ([mark() | {"normal": "no"}], "without evidence_id or normal"),
        ([mark(brush={"points": [[1, 2]], "radius": 0})], "without a radius"),
        (["mark"], "not a mark"),
        ([mark()] * (MAX_MARKS + 1), "2,001 marks"),
        ([mark(name="person walking")], "no normal prompt"),
    ],
)  # fmt: skip
def test_marks_that_cannot_be_taught_are_named_and_nothing_is_kept(
    marks: list[Any], message: str, case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(case)
    given = marks_file(tmp_path, *marks)
    code, _, error = run_command(capsys, "teach", "--case", case, "--marks", given, "--name", "bad")
    assert code == 2
    assert error.startswith("error: ")
    assert message in error
    assert state(case) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--marks", "gone.json", "--name", "x"], "marks cannot be read"),
        (["--marks", "gone.json"], "belong together"),
        (["--repeat", "x"], "no variant of that name"),
        (["--discard", "x"], "no variant of that name"),
        (["--repeat", "x", "--discard", "x"], "exclude each other"),
    ],
)
def test_options_that_do_not_fit_are_named(
    words: list[str], message: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run_command(capsys, "teach", "--case", case, *words)
    assert code == 2
    assert message in error


def test_a_name_is_given_once(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = marks_file(tmp_path, *TWO)
    words = ("teach", "--case", case, "--marks", marks, "--name")
    assert run_command(capsys, *words, "carts")[0] == 0
    code, _, error = run_command(capsys, *words, "carts")
    assert (code, "a variant of that name is there" in error) == (2, True)
    assert run_command(capsys, *words, "\t")[0] == 2


def test_one_mark_is_taken_with_a_warning(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = marks_file(tmp_path, mark(point=[45.0, 48.0]))
    code, result, _ = run_command(
        capsys, "teach", "--case", case, "--marks", marks, "--name", "one"
    )
    assert code == 0
    assert any("one mark only" in warning for warning in result["warnings"])


def test_features_that_are_gone_are_measured_again(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = marks_file(tmp_path, *TWO)
    assert run_command(capsys, "teach", "--case", case, "--marks", marks, "--name", "carts")[0] == 0
    shutil.rmtree(case / "cache")
    code, result, _ = run_command(capsys, "teach", "--case", case, "--repeat", "carts")
    assert (code, result["same"]) == (0, True)


def test_a_pack_that_was_replaced_since_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = made_case(tmp_path)
    marks = marks_file(tmp_path, *TWO)
    assert run_command(capsys, "teach", "--case", case, "--marks", marks, "--name", "carts")[0] == 0
    before = state(case)
    folder = tmp_path / "untrained"
    prompts = (folder / "prompts.yaml").read_bytes()
    files = {DECODER: decoder_bytes(untrained_decoder(9)), "prompts.yaml": prompts}
    write_pack(folder, manifest("untrained"), files)
    for words in (["--marks", marks, "--name", "more"], ["--repeat", "carts"]):
        code, _, error = run_command(capsys, "teach", "--case", case, *words)
        assert (code, "is not the one that was used" in error) == (2, True)
    video = tmp_path / "footage" / "street.mp4"
    code, _, error = run_command(capsys, "analyze", video, "--case", case, "--variant", "carts")
    assert (code, "is not the one that was used" in error) == (2, True)
    assert state(case) == before


def test_a_cancelled_lesson_leaves_nothing(case: Path) -> None:
    before = state(case)
    token = CancelToken()

    def stop(_progress: object) -> None:
        token.cancel()

    with Case.open(case, write=True) as opened, pytest.raises(CancelledError):
        teach(opened, parse_marks(TWO), "carts", token, stop)
    assert state(case) == before


def test_a_variant_needs_a_case_that_has_it(
    base_case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, case = base_case.parent / "footage" / "street.mp4", tmp_path / "new.case"
    code, _, error = run_command(capsys, "analyze", video, "--case", case, "--variant", "carts")
    assert code == 2
    assert str(case) in error
    assert not case.exists()


def test_normal_marks_of_which_no_channel_speaks_say_what_to_do(
    case: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "engine.few_shot.text_learning.TextLearner._responding_prompts", lambda *_: ()
    )
    monkeypatch.setattr("engine.few_shot.teach_variant.learn_motion", lambda *_: None)
    marks = marks_file(tmp_path, *(mark(second, normal=True) for second in RUNNER_S))
    before = state(case)
    code, _, errors = run_command(
        capsys, "teach", "--case", case, "--marks", marks, "--name", "quiet"
    )
    assert code == 2
    assert "mark what raises an alarm" in errors
    assert state(case) == before
