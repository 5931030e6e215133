"""The self-test passes where nothing changed, and names what did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import run
from engine.core.progress import CancelToken, silent
from engine.dialogue.answer_parsing import yes_or_no
from engine.selftest import self_test


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What this machine measures."""
    return self_test.measure(CancelToken(), silent)


@pytest.fixture(autouse=True)
def measured_once(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]) -> None:
    monkeypatch.setattr(self_test, "measure", lambda *_: found)


def recorded(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: Any) -> None:
    """Puts another record in place of the shipped one."""
    record = json.loads(self_test.EXPECTED.read_text("utf-8"))
    file = folder / "self-test.json"
    file.write_text(json.dumps({**record, "others": [], **changes}), encoding="utf-8")
    monkeypatch.setattr(self_test, "EXPECTED", file)


def test_r6_a_fresh_installation_computes_what_is_on_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["selftest", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"]
    names = {one["name"] for one in said["checks"]}
    assert {
        "scores of scene",
        "scores of text",
        "scores of fused",
        "events",
        "facts",
        "answer",
    } <= names
    assert {"packs/compact/ahd.safetensors", "packs/compact/prompts.yaml"} <= names


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"files": {"packs/compact/prompts.yaml": "0" * 64}}, "packs/compact/prompts.yaml"),
        ({"files": {"packs/compact/gone.safetensors": "0" * 64}}, "is missing"),
        ({"settings_sha256": "0" * 64}, "default settings"),
        (
            {"results": {"scores": {"scene": [0.5]}, "events": [], "facts": [], "answer": None}},
            "scores of scene",
        ),
    ],
)
def test_what_changed_is_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    named: str,
) -> None:
    recorded(monkeypatch, tmp_path, **changes)
    assert run(["selftest"]) == 1
    out, error = capsys.readouterr()
    assert any(line.startswith("BAD") and named in line for line in out.splitlines())
    assert error.splitlines()[-1].startswith("error: ")


def test_scores_within_the_tolerance_pass_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, Any]
) -> None:
    for apart, code in ((0.0009, 0), (0.0011, 1)):
        scores = {name: [one + apart for one in row] for name, row in found["scores"].items()}
        recorded(monkeypatch, tmp_path, results={**found, "scores": scores})
        assert run(["selftest"]) == code


def test_results_of_another_kind_of_processor_are_as_good_as_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, Any]
) -> None:
    scores = {name: [one + 0.01 for one in row] for name, row in found["scores"].items()}
    differing = {**found, "scores": scores}
    recorded(monkeypatch, tmp_path, results=differing, others=[])
    assert run(["selftest"]) == 1
    recorded(monkeypatch, tmp_path, results=differing, others=[{"results": found}])
    assert run(["selftest"]) == 0


def test_a_damaged_record_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "self-test.json"
    file.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(self_test, "EXPECTED", file)
    assert run(["selftest"]) == 2
    assert "the record of the self-test cannot be read" in capsys.readouterr().err


def test_an_answer_of_other_words_passes_and_another_yes_or_no_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: dict[str, Any]
) -> None:
    said_yes = yes_or_no(found["answer"])
    assert said_yes is not None
    for answer, code in (("Yes, a lot of it." if said_yes else "No, nothing.", 0), ("", 1)):
        recorded(monkeypatch, tmp_path, results={**found, "answer": answer})
        assert run(["selftest"]) == code
