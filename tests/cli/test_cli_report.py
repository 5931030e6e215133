from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.case import Case
from engine.media import hash_file
from engine.report.csv_report import cell
from tests.cli.cli_material import Command


def test_the_json_report_holds_what_another_examiner_needs(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new folder" / "report.json"
    still = tmp_path / "still.png"
    assert command("export", "--case", case, "--evidence", 1, "--to", still).code == 0
    with Case.open(case) as opened:
        head, count = opened.audit.head, opened.audit.count
    ran = command("report", "--case", case, "--to", target, "--json")
    assert ran.code == 0
    assert ran.json["files"][0]["sha256"] == hash_file(target)["sha256"]
    report = json.loads(target.read_text("utf-8"))
    (evidence,) = report["evidence"]
    assert evidence["path"] == str(clip)
    assert evidence["sha256_recorded"] == evidence["sha256_now"] == hash_file(clip)["sha256"]
    assert (evidence["ok"], evidence["mismatches"]) == (True, [])
    assert evidence["properties"]["time_base"]
    (run,) = report["runs"]
    assert run["settings"]["stride"] == 1
    assert run["environment"]["packages"]["numpy"]
    assert run["warnings"][0]["kind"] == "short_calibration"
    assert run["calibrations"][0]["sources"][0]["sha256"] == evidence["sha256_now"]
    found = command("events", "--case", case, "--json").json["events"]
    assert report["events"] == [{**event, "tags": []} for event in found]
    assert report["trajectories"][0]["from"]
    assert [Path(one["path"]).name for one in report["exports"]] == [
        "still.png",
        "still-overlay.png",
    ]
    assert report["audit"] == {"entries": count, "head": head}
    assert command("verify", "--case", case, "--head", head).code == 0
    assert command("verify", "--case", case).code == 0


def test_the_csv_report_has_a_row_an_event(command: Command, case: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    assert command("report", "--case", case, "--to", target).code == 0
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    events = command("events", "--case", case, "--json").json["events"]
    assert [int(row["event_id"]) for row in rows] == [event["event_id"] for event in events]
    assert float(rows[0]["peak_score"]) == events[0]["peak_score"]
    assert rows[0]["evidence_unchanged"] == "yes"
    assert rows[0]["start"].startswith("00:00:0")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\n@x", "\u3000=1", "\u200b=1",
        "\u202e=1", "\x01=1", "\ufeff\u00a0@a", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a",
    ],
)  # fmt: skip
def test_no_text_becomes_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["1-2", "gate.mp4", "", -5, 1.5, None, "a=b"])
def test_other_cells_stay_what_they_are(value: object) -> None:
    assert cell(value) == value
    assert type(cell(value)) is type(value)


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_changed_evidence_is_marked_and_stays_on_record(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path, ending: str
) -> None:
    case, held = copied_case
    held.write_bytes(held.read_bytes()[:-1] + b"\xff")
    now = hash_file(held)["sha256"]
    target = tmp_path / f"report.{ending}"
    ran = command("report", "--case", case, "--to", target)
    assert ran.code == 0
    assert "warning: evidence 1 has changed" in ran.err
    text = target.read_text("utf-8-sig")
    with Case.open(case) as opened:
        recorded = opened.evidence.get(1).sha256
        assert len(opened.evidence.mismatches(1)) == 1
    assert now in text
    assert recorded in text
    if ending == "json":
        (evidence,) = json.loads(text)["evidence"]
        assert evidence["ok"] is False
        assert [one["sha256_now"] for one in evidence["mismatches"]] == [now]


def test_missing_evidence_does_not_stop_a_report(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, held = copied_case
    held.unlink()
    ran = command("report", "--case", case, "--to", tmp_path / "a.json", "--json")
    assert ran.code == 0
    assert ran.json["changed_evidence"] == [1]
    (evidence,) = json.loads((tmp_path / "a.json").read_text("utf-8"))["evidence"]
    assert (evidence["ok"], evidence["sha256_now"]) == (False, None)
    assert str(held) in evidence["error"]


def test_other_endings_and_places_are_refused(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    for ending in (".docx", ".png", ""):
        ran = command("report", "--case", case, "--to", tmp_path / f"report{ending}")
        assert ran.code == 2
        assert ".pdf, .html, .json, .csv, .zip" in ran.error
    ran = command("report", "--case", case, "--to", clip.with_name("report.json"))
    assert ran.code == 2
    assert str(clip.parent) in ran.error
    (tmp_path / "mine.csv").write_text("mine")
    assert command("report", "--case", case, "--to", tmp_path / "mine.csv").code == 2
    assert (tmp_path / "mine.csv").read_text() == "mine"
    with Case.open(case) as opened:
        assert not opened.exports.all()
