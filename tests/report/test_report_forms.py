"""A report says everything, in every form, and nothing in it is taken for anything but text."""

from __future__ import annotations

import base64
import csv
import hashlib
import html.parser
import json
import re
import shutil
import subprocess
import unicodedata
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.case import Case, NewCitation, NewDialogue, NewNote, NewTurn
from engine.case.tables.dialogues import TurnAnswer
from engine.media import hash_file
from tests.cli.cli_material import Command, Ran
from tests.report.report_material import ARABIC, CHINESE, SCRIPT, TYPST, MakeReport


def tool(name: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} is not installed")
    return tool


def text_of(pdf: Path, *options: str) -> str:
    words = [tool("pdftotext"), *options, str(pdf), "-"]
    return subprocess.run(words, capture_output=True, check=True, timeout=60).stdout.decode()


def test_the_pdf_is_pdf_a_with_metadata_and_output_intent(make_report: MakeReport) -> None:
    pdf = make_report("pdf", "--examiner", "Dr Ada Examiner")
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-1.7")
    qpdf = tool("qpdf")
    checked = subprocess.run([qpdf, "--check", str(pdf)], capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    plain = subprocess.run(
        [qpdf, "--qdf", "--object-streams=disable", str(pdf), "-"],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    assert re.search(rb"pdfaid:part>2<", plain)
    assert re.search(rb"pdfaid:conformance>B<", plain)
    assert b"/OutputIntents" in plain
    assert b"/GTS_PDFA1" in plain
    assert b"/Outlines" in plain
    assert b"Dr Ada Examiner" in plain
    for name in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/URI"):
        assert name not in plain
    fonts = subprocess.run(
        [tool("pdffonts"), str(pdf)], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()[2:]
    assert fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)


def test_text_in_the_pdf_can_be_selected_and_found(
    make_report: MakeReport, reviewed_case: Path, clip: Path
) -> None:
    text = text_of(make_report("pdf"), "-raw")
    joined = "".join(text.split())
    assert hash_file(clip)["sha256"] in joined
    with Case.open(reviewed_case) as opened:
        heads = {entry.hash for entry in opened.audit.entries()}
    assert any(head in joined for head in heads)
    assert "".join(f"{SCRIPT} {TYPST}".split()) in joined
    assert "".join(CHINESE.split()) in joined
    assert "[U+1F600]" in text
    assert "[U+202E]evil" in text
    # Where shaping joined letters, their forms come back to the letters.
    words = set(unicodedata.normalize("NFKC", text).split())
    assert words & set(ARABIC.split()) or "السيارة" in unicodedata.normalize("NFKC", text)


def test_long_names_leave_no_line_longer_than_the_page(
    command: Command, clip: Path, tmp_path: Path
) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    names = ["x" * 220 + ".mp4", "2025_Überwachung-" * 9 + "东侧停车场.mp4", "تسجيل" * 20 + ".mp4"]
    for name in names:
        shutil.copy(clip, footage / name)
    case = tmp_path / ("long" * 40 + ".case")
    assert command("analyze", *sorted(footage.iterdir()), "--case", case, "--quiet").code == 0
    pdf = tmp_path / "report.pdf"
    assert command("report", "--case", case, "--to", pdf).code == 0
    boxes = re.findall(
        r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)"', text_of(pdf, "-bbox")
    )
    assert len(boxes) > 200
    margin, width = 20 / 25.4 * 72, 595.28
    assert min(float(left) for left, _ in boxes) > margin - 1
    assert max(float(right) for _, right in boxes) < width - margin + 1


class Page(html.parser.HTMLParser):
    """Collects elements, addresses and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.policy = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = {name: value or "" for name, value in attrs}
        self.addresses += [values[name] for name in ("src", "href", "action") if name in values]
        self.handlers += [name for name in values if name.startswith("on") or name == "style"]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_html_holds_everything_and_asks_nobody_for_anything(
    make_report: MakeReport, clip: Path
) -> None:
    source = make_report("html").read_text("utf-8")
    page = Page(source)
    assert not page.tags & {"script", "iframe", "object", "embed", "form", "base"}
    assert not page.handlers
    assert all(address.startswith(("data:image/", "data:,", "#")) for address in page.addresses)
    assert "default-src 'none'" in page.policy
    (style,) = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.policy
    assert "url(" not in style
    assert "@import" not in style
    for text in (SCRIPT, TYPST, ARABIC, CHINESE, "first words", "a mark", "by hand"):
        assert text in page.text
    assert hash_file(clip)["sha256"] in page.text
    assert f'dir="rtl">{ARABIC}' in source


def test_a_name_with_quotes_and_markup_stays_text(
    command: Command, clip: Path, tmp_path: Path
) -> None:
    name = "\"><img src=x onerror='alert(1)'>&amp;{{7*7}}.mp4"
    footage = tmp_path / "footage"
    footage.mkdir()
    shutil.copy(clip, footage / name)
    case = tmp_path / "a.case"
    assert command("analyze", footage / name, "--case", case, "--quiet").code == 0
    for ending in ("html", "pdf", "zip"):
        assert command("report", "--case", case, "--to", tmp_path / f"r.{ending}").code == 0
    page = Page((tmp_path / "r.html").read_text("utf-8"))
    assert name in page.text
    assert not page.handlers
    assert "x" not in page.addresses
    assert "".join(name.split()) in "".join(text_of(tmp_path / "r.pdf", "-raw").split())


def test_a_browser_shows_the_page_without_a_word(make_report: MakeReport, tmp_path: Path) -> None:
    chromium = tool("chromium")
    page = make_report("html")
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--v=0", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000",
            f"--screenshot={tmp_path / 'page.png'}", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert "CONSOLE" not in done.stderr


def test_changed_evidence_ends_with_0_and_shows_both_hashes_and_the_mark(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, copy = copied_case
    copy.write_bytes(copy.read_bytes()[:-1] + b"\xff")
    now = hash_file(copy)["sha256"]
    with Case.open(case) as opened:
        recorded = opened.evidence.get(1).sha256
    for ending in ("html", "pdf", "zip"):
        ran = command("report", "--case", case, "--to", tmp_path / f"r.{ending}")
        assert ran.code == 0
        assert "warning: evidence 1 has changed" in ran.err
    page = Page((tmp_path / "r.html").read_text("utf-8")).text
    printed = "".join(text_of(tmp_path / "r.pdf", "-raw").split())
    for text in (page, printed):
        assert now in text
        assert recorded in text
        assert "CHANGED" in text
    assert "no picture of it can be shown" in page
    assert "data:image/jpeg" not in (tmp_path / "r.html").read_text("utf-8")


def test_missing_evidence_is_reported_as_missing(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, copy = copied_case
    copy.unlink()
    assert command("report", "--case", case, "--to", tmp_path / "r.html").code == 0
    text = Page((tmp_path / "r.html").read_text("utf-8")).text
    assert "Evidence 1 is missing or cannot be read" in text
    assert "MISSING" in text


def test_without_an_examiner_the_report_and_the_log_say_so(
    command: Command, reviewed_case: Path, tmp_path: Path
) -> None:
    ran = command("report", "--case", reviewed_case, "--to", tmp_path / "a.html", "--json")
    assert "warning: no examiner is named" in ran.err
    assert ran.json["examiner"] is None
    assert "not given" in Page((tmp_path / "a.html").read_text("utf-8")).text
    entry = command("log", "--case", reviewed_case, "--action", "report", "--json").json["entries"][
        0
    ]
    assert json.loads(entry["params_json"])["examiner"] is None
    named = ["--examiner", " Ada  B. ", "--organisation", "Lab", "--reference", "4711"]
    assert command("report", "--case", reviewed_case, "--to", tmp_path / "b.html", *named).err == ""
    result = command("report", "--case", reviewed_case, "--to", tmp_path / "c.json")
    assert result.err == ""
    details = json.loads((tmp_path / "c.json").read_text("utf-8"))["details"]
    assert details == {"examiner": "Ada B.", "organisation": "Lab", "reference": "4711"}
    assert command("verify", "--case", reviewed_case).code == 0


def test_tagged_takes_only_what_has_a_tag(command: Command, make_report: MakeReport) -> None:
    everything = json.loads(make_report("json").read_text("utf-8"))
    chosen = json.loads(make_report("json", "--tagged").read_text("utf-8"))
    assert chosen["selection"] == "tagged"
    assert [event["tags"] for event in chosen["events"]] == [["report"]]
    assert len(everything["own_events"]) == 1
    assert chosen["own_events"] == []
    assert chosen["runs"][0]["triage"] == everything["runs"][0]["triage"]
    text = Page(make_report("html", "--tagged").read_text("utf-8")).text
    assert "only events to which the examiner gave a tag" in text
    assert "by hand" not in text


@pytest.fixture
def asked_case(reviewed_case: Path) -> Path:
    """The case with an answer about its event, one that was stopped, and facts about a span."""
    with Case.open(reviewed_case, write=True) as opened, opened.change() as change:
        row = opened.results.events(1)[0]
        bounds = (row.event.first_frame, row.event.last_frame, row.event.start_pts,
                  row.event.end_pts, row.event.start_s, row.event.end_s)  # fmt: skip
        about = change.dialogues.add(NewDialogue(1, 1, None, row.id, *bounds))
        fact = {"kind": "time", "text": f"The span lasts 3 s {SCRIPT}"}
        turn = NewTurn("Any anomaly?", (fact,), {}, "compact", "ab" * 32, "llama.cpp")
        first = change.dialogues.ask(about, turn)
        change.dialogues.answer(
            first, TurnAnswer("complete", f"No. {SCRIPT} {TYPST}", 4, agrees=False)
        )
        change.dialogues.cite(first, [NewCitation(1, 0.4, 0.8, 100, 200, None)])
        second = change.dialogues.ask(about, replace(turn, question=ARABIC))
        change.dialogues.answer(second, TurnAnswer("cancelled", "From the", 2))
        span = change.dialogues.add(NewDialogue(1, 1, None, None, *bounds))
        change.dialogues.ask(span, NewTurn("Known?", (fact,), {}, missing="no pack", state="facts"))
    return reviewed_case


def test_dialogues_stand_with_their_event_and_are_marked_as_machine_written(
    make_report: MakeReport, asked_case: Path
) -> None:
    page = Page(make_report("html").read_text("utf-8")).text
    for words in (
        f"The span lasts 3 s {SCRIPT}",
        "Machine-written by the pack compact",
        f"No. {SCRIPT}",
        "disagrees with the heatmap",
        "Facts: as above",
        "Incomplete: stopped by the examiner",
        "No answer of a language model: no pack",
        "Rests on 00:00:00.400",
    ):
        assert words in page, words
    assert page.index("The span lasts") < page.index("Machine-written by")
    text = text_of(make_report("pdf"))
    assert "Machine-written by the pack compact" in " ".join(text.split())
    assert "stopped by the examiner" in " ".join(text.split())
    dialogues = json.loads(make_report("json").read_text("utf-8"))["dialogues"]
    assert [len(dialogue["turns"]) for dialogue in dialogues] == [2, 1]
    assert dialogues[0]["turns"][0]["machine_written"]
    tagged = json.loads(make_report("json", "--tagged").read_text("utf-8"))["dialogues"]
    assert [dialogue["event_id"] for dialogue in tagged] == [dialogues[0]["event_id"]]


def test_the_package_holds_what_it_takes_to_repeat(
    command: Command, make_report: MakeReport, reviewed_case: Path, clip: Path, tmp_path: Path
) -> None:
    target = make_report("zip")
    with zipfile.ZipFile(target) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    listed = {file["path"]: (file["size"], file["sha256"]) for file in manifest["files"]}
    assert listed == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    assert {"report.pdf", "report.html", "report.json", "events.csv", "audit.jsonl"} <= set(files)
    assert files["evidence.sha256"].decode() == f"{hash_file(clip)['sha256']}  {clip.name}\n"
    with Case.open(reviewed_case) as case:
        entries = [entry.__dict__ for entry in case.audit.entries()]
    log = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    assert log == entries[: len(log)]
    assert manifest["audit"] == {"entries": len(log), "head": log[-1]["hash"]}
    recipe = json.loads(files["runs/run-1.json"])
    assert recipe["settings"]["stride"] == 1
    guide = files["READ ME FIRST.txt"].decode()
    assert f"analyze {clip.name} --case repeat.case" in guide
    again, out = tmp_path / "repeat.case", tmp_path / "again"
    assert command("analyze", clip, "--case", again, "--quiet").code == 0
    for name, ending in (("trajectories", "json"), ("regions", "txt")):
        words = ["export", "--case", again, "--evidence", 1, "--to", out / f"x.{ending}"]
        assert command(*words).code == 0
        assert (out / f"x.{ending}").read_bytes() == files[f"runs/run-1-{name}.{ending}"]


def test_cells_of_the_package_are_no_formulas(
    command: Command, reviewed_case: Path, tmp_path: Path
) -> None:
    with Case.open(reviewed_case, write=True) as opened, opened.change() as change:
        change.results.set_state(1, "dismissed", "=HYPERLINK(1)")
    assert command("report", "--case", reviewed_case, "--to", tmp_path / "a.csv").code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["state_reason"] == "'=HYPERLINK(1)"
    assert float(rows[0]["peak_score"]) > 0
    assert [row["channel"] for row in rows][-1] == "examiner"


def test_a_note_of_a_megabyte_is_cut_in_the_pdf_only(
    command: Command, reviewed_case: Path, tmp_path: Path
) -> None:
    long = "a word " * 150_000 + "THE END"
    with Case.open(reviewed_case, write=True) as opened, opened.change() as change:
        change.notes.add(NewNote("case", long))
    for ending in ("pdf", "html", "json"):
        assert (
            command("report", "--case", reviewed_case, "--to", tmp_path / f"r.{ending}").code == 0
        )
    printed = " ".join(text_of(tmp_path / "r.pdf", "-raw").split())
    assert "cut here: 1,030,007 of 1,050,007 characters follow" in printed
    assert "THE END" not in printed
    assert "THE END" in (tmp_path / "r.html").read_text("utf-8")
    assert "THE END" in (tmp_path / "r.json").read_text("utf-8")


def test_a_clock_that_ran_backwards_is_told(
    command: Command, reviewed_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz or UTC) - timedelta(days=2)

    with monkeypatch.context() as patch:
        patch.setattr("engine.case.store.audit.datetime", Earlier)
        with Case.open(reviewed_case, write=True) as opened, opened.change() as change:
            change.notes.add(NewNote("case", "two days before"))
            number = opened.audit.count
    assert command("report", "--case", reviewed_case, "--to", tmp_path / "r.json").code == 0
    (step,) = json.loads((tmp_path / "r.json").read_text("utf-8"))["backward_clocks"]
    assert step["seq"] == number
    assert command("report", "--case", reviewed_case, "--to", tmp_path / "r.html").code == 0
    text = Page((tmp_path / "r.html").read_text("utf-8")).text
    assert f"ran backwards before entry {number}" in text
    assert command("verify", "--case", reviewed_case).code == 0


def test_a_case_without_anything_can_be_reported(command: Command, tmp_path: Path) -> None:
    Case.create(tmp_path / "empty.case").close()
    for ending in ("pdf", "html", "json", "csv", "zip"):
        ran: Ran = command(
            "report", "--case", tmp_path / "empty.case", "--to", tmp_path / f"r.{ending}"
        )
        assert ran.code == 0, ran.err
