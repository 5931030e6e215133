"""The requirements of forensic practice, a test named after each that is met.

`docs/forensics.md` has a row for each of them; that of R6 is in `test_self_test.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.case import Case, NewNote
from engine.media import hash_file
from tests.cli.cli_material import Command
from tests.report.test_report_forms import Page

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "forensics.md"


def make_report(command: Command, case: Path, to: Path, *words: object) -> str:
    ran = command("report", "--case", case, "--to", to, *words)
    assert ran.code == 0, ran.err
    return Page(to.read_text("utf-8")).text if to.suffix == ".html" else ""


def log_of(command: Command, case: Path, action: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = command(
        "log", "--case", case, "--action", action, "--json"
    ).json["entries"]
    return entries


def test_r1_the_source_is_never_changed_nor_written_beside(
    command: Command, clip: Path, tmp_path: Path
) -> None:
    folder, case = clip.parent, tmp_path / "a.case"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert command("analyze", clip, "--case", case, "--quiet").code == 0
    make_report(command, case, tmp_path / "r.zip")
    words = ["archive", "--case", case, "--to", tmp_path / "a.zip", "--with-evidence"]
    assert command(*words).code == 0
    refused = command("report", "--case", case, "--to", folder / "r.html")
    assert refused.code == 2
    assert str(folder) in refused.error
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert after == before
    insisted = folder / "insisted.html"
    assert command("report", "--case", case, "--to", insisted, "--beside-evidence").code == 0
    insisted.unlink()
    assert json.loads(log_of(command, case, "export")[-1]["params_json"])["beside_evidence"]


def test_r2_evidence_is_hashed_and_a_mismatch_blocks_and_stays_on_record(
    command: Command, copied_case: tuple[Path, Path], clip: Path, tmp_path: Path
) -> None:
    case, copy = copied_case
    with Case.open(case) as opened:
        assert opened.evidence.get(1).sha256 == hash_file(clip)["sha256"]
        assert opened.runs.get(1).evidence_sha256 == hash_file(clip)["sha256"]
    original = copy.read_bytes()
    copy.write_bytes(original + b"\0")
    assert command("verify", "--case", case).code == 1
    still = command("export", "--case", case, "--evidence", 1, "--to", tmp_path / "a.png")
    assert still.code == 2
    assert "changed since it was added" in still.error
    copy.write_bytes(original)
    assert command("verify", "--case", case).code == 0
    text = make_report(command, case, tmp_path / "r.html")
    assert "was found changed or missing 2 times before; it is unchanged now" in text
    assert set(hash_file(clip, ("sha256", "md5", "sha1"))) == {"sha256", "md5", "sha1"}


def test_r3_the_audit_trail_says_who_did_what_when_with_what(
    command: Command, case: Path, tmp_path: Path
) -> None:
    make_report(command, case, tmp_path / "r.html")
    entries = command("log", "--case", case, "--json").json["entries"]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    for before, entry in zip([None, *entries], entries, strict=False):
        assert entry["utc"].endswith("+00:00")
        assert re.fullmatch(r".+@.+", entry["actor"])
        params = json.loads(entry["params_json"])
        assert re.fullmatch(r"[+-]\d{4}", params["local_offset"])
        assert params["version"]
        assert entry["prev_hash"] == (before["hash"] if before else "0" * 64)
    actions = {entry["action"] for entry in entries}
    assert {"case.create", "evidence.add", "run.start", "run.finish", "report.write"} <= actions


def test_r4_the_report_names_every_tool_and_the_machine(
    command: Command, case: Path, tmp_path: Path
) -> None:
    page = make_report(command, case, tmp_path / "r.html")
    with Case.open(case) as opened:
        env = json.loads(opened.runs.get(1).environment)
    for name in ("av", "opencv-python-headless", "numpy", "scipy"):
        assert f"{name} {env['packages'][name]}" in page
    for text in ("libavcodec", "Typst", "Jinja", env["processor"], env["system"], env["python"]):
        assert text in page


def test_r5_a_processed_copy_is_a_new_file_with_its_own_hash(
    command: Command, case: Path, tmp_path: Path
) -> None:
    still = tmp_path / "still.png"
    assert command("export", "--case", case, "--evidence", 1, "--to", still).code == 0
    text = make_report(command, case, tmp_path / "r.html")
    for name in ("still.png", "still-overlay.png"):
        assert name in text
        assert hash_file(tmp_path / name)["sha256"] in text
    assert "not that they are authentic" in text


def test_r7_a_run_can_be_repeated_from_what_is_stored_and_agrees(
    command: Command, case: Path, tmp_path: Path
) -> None:
    make_report(command, case, tmp_path / "r.zip")
    with zipfile.ZipFile(tmp_path / "r.zip") as opened:
        recipe = json.loads(opened.read("runs/run-1.json"))
        assert opened.read("runs/run-1-regions.txt")
    assert recipe["settings"]["motion"]["flow_preset"]
    assert recipe["environment"]["decoder"]["libavcodec"]
    assert recipe["environment"]["threads"]
    assert len(recipe["evidence_sha256"]) == len(recipe["settings_sha256"]) == 64
    assert recipe["calibrations"][0]["sha256"]
    assert command("analyze", "--repeat", 1, "--case", case, "--quiet").code == 0
    assert "bit for bit" in make_report(command, case, tmp_path / "r.html")


def test_r8_times_are_pts_and_the_burned_in_clock_stands_apart(
    command: Command, case: Path, tmp_path: Path
) -> None:
    event = command("events", "--case", case, "--json").json["events"][0]
    with Case.open(case, write=True) as opened, opened.change() as change:
        change.evidence.set_clock_offset(1, 3600.0)
    text = make_report(command, case, tmp_path / "r.html")
    assert f"{event['start_pts']} – {event['end_pts']}, peak {event['peak_pts']}" in text
    assert "+3600.000 s from stream time" in text
    assert "01:00:0" in text
    for name in ("duplicates", "missing", "discarded", "discontinuities", "gaps"):
        assert name in text


def test_r9_pictures_are_marked_as_derivatives_of_a_named_frame(
    command: Command, case: Path, tmp_path: Path
) -> None:
    text = make_report(command, case, tmp_path / "r.html")
    assert "Pictures are reduced JPEG illustrations made from the exact frame" in text
    assert re.search(r"Frame \d+, PTS \d+, 00:00:0", text)
    assert "inferno, at most 50 % opaque" in text


def test_r10_an_amendment_never_erases_what_it_amends(
    command: Command, case: Path, tmp_path: Path
) -> None:
    with Case.open(case, write=True) as opened, opened.change() as change:
        first = change.notes.add(NewNote("case", "the coat was red"))
        change.notes.amend(first, "the coat was brown")
    text = make_report(command, case, tmp_path / "r.html")
    assert "the coat was red" in text
    assert text.index("the coat was brown") < text.index("the coat was red")
    assert command("verify", "--case", case).code == 0


def test_r11_limits_and_error_rates_stand_in_the_report_and_a_human_signs(
    command: Command, case: Path, tmp_path: Path
) -> None:
    text = make_report(command, case, tmp_path / "r.html")
    assert "It is not a probability of anything" in text
    assert "False alarms" in text
    assert re.search(r"scene\s*ped2, test, \d+ videos", text)
    assert "no text in it is written by a language model" in text
    assert "the conclusions drawn from it are mine" in text
    for line in ("Name", "Signature", "Date"):
        assert line in text


def test_r12_the_package_has_a_manifest_over_all_its_files(
    command: Command, case: Path, tmp_path: Path
) -> None:
    make_report(command, case, tmp_path / "r.zip")
    with zipfile.ZipFile(tmp_path / "r.zip") as opened:
        manifest = json.loads(opened.read("manifest.json"))
        named = {file["path"]: file["sha256"] for file in manifest["files"]}
        assert set(opened.namelist()) == {*named, "manifest.json"}
        for name, sha256 in named.items():
            assert hashlib.sha256(opened.read(name)).hexdigest() == sha256
    assert {"report.json", "audit.jsonl", "evidence.sha256", "runs/run-1.json"} <= set(named)


def test_r13_a_responsible_examiner_is_named_or_the_lack_is_recorded(
    command: Command, case: Path, tmp_path: Path
) -> None:
    assert "Examinernot given" in make_report(command, case, tmp_path / "a.html")
    assert json.loads(log_of(command, case, "report")[-1]["params_json"])["examiner"] is None
    text = make_report(command, case, tmp_path / "b.html", "--examiner", "Dr Ada Examiner")
    assert "Dr Ada Examiner" in text
    assert "it decides nothing" in text
    assert json.loads(log_of(command, case, "report")[-1]["params_json"])["examiner"]


def test_r14_nothing_goes_out_to_a_network(
    command: Command, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    make_report(command, case, tmp_path / "r.zip")
    assert command("archive", "--case", case, "--to", tmp_path / "a.zip").code == 0
    with zipfile.ZipFile(tmp_path / "r.zip") as opened:
        page = opened.read("report.html").decode()
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


def test_every_requirement_has_a_row_and_says_which_test_shows_it() -> None:
    rows = dict(re.findall(r"^\| (R\d+) \| (.*) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    assert list(rows) == [f"R{number}" for number in range(1, 15)]
    here = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    tests = set(re.findall(r"def (test_r\d+_\w+)", here))
    named = set(re.findall(r"`(test_r\d+_\w+)`", " ".join(rows.values())))
    assert named == tests
