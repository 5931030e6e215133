"""The engine process as the window sees it: the real `main.py --worker` behind its pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.case import Case
from engine.media import hash_file
from tests.pipeline.pipeline_material import street_video
from tests.tvad.text_pack import text_pack

MAIN = Path(__file__).parents[2] / "main.py"


class Worker:
    """One engine process and the case it serves."""

    def __init__(self, case: Path, token: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(MAIN), "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.last = 0
        assert self.ask("hello", case=str(case), token=token)[-1]["type"] == "done"

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def begin(self, kind: str, **fields: object) -> int:
        self.last += 1
        self.send(protocol.encode(self.last, kind, **fields))
        return self.last

    def replies(self, request_id: int) -> Iterator[dict[str, Any]]:
        """Yields the replies to a request up to its end; every line must be a message."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            assert said["v"] == 1
            if said["id"] == request_id:
                yield said
                if said["type"] in ("done", "error"):
                    return
        raise AssertionError("the process ended")

    def ask(self, kind: str, **fields: object) -> list[dict[str, Any]]:
        return list(self.replies(self.begin(kind, **fields)))

    def answer(self, kind: str, **fields: object) -> dict[str, Any]:
        last = self.ask(kind, **fields)[-1]
        assert last["type"] == "done", last
        return last

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street_video(tmp_path_factory.mktemp("footage") / "street.mp4", 330, (60, 200))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "gate.case") as opened:
        yield opened


@pytest.fixture
def worker(case: Case) -> Iterator[Worker]:
    started = Worker(case.path, case.token or "")
    yield started
    started.close()


def analysed(worker: Worker, video: Path) -> tuple[int, dict[str, Any]]:
    evidence_id = worker.answer("add", path=str(video))["evidence_id"]
    return evidence_id, worker.answer("analyse", evidence_id=evidence_id)["run"]


def test_a_video_is_added_analysed_checked_and_reported(
    worker: Worker, case: Case, video: Path, tmp_path: Path
) -> None:
    added = worker.answer("add", path=str(video))
    assert added["sha256"] == hash_file(video)["sha256"]
    said = worker.ask("analyse", evidence_id=added["evidence_id"], unheard_of=1)
    chunks = [one for one in said if one["type"] == "chunk"]
    progress = [one for one in said if one["type"] == "progress" and one["stage"] == "analysing"]
    assert [one["first_frame"] for one in chunks] == [0, 250]
    assert chunks[-1]["last_pts"] > chunks[-1]["first_pts"]
    assert progress[-1]["total"] == 330
    run = said[-1]["run"]
    assert (run["state"], run["analysed_frames"]) == ("finished", 330)
    assert run["events"] >= 1
    heat = case.results.heat(run["run_id"], "scene", 70)
    assert heat is not None
    assert heat.heat.max() > 128
    assert worker.answer("verify")["ok"]
    compared = worker.answer("verify", head="0" * 64, also=["md5"])
    assert not compared["ok"]
    assert compared["audit"]["head_in_chain"] is False
    video_md5 = hash_file(Path(compared["evidence"][0]["path"]), ("md5",))["md5"]
    assert compared["evidence"][0]["also"] == {"md5": video_md5}
    refused = worker.ask("verify", also=["crc32"])[-1]
    assert (refused["type"], "not a known hash" in str(refused)) == ("error", True)
    report = worker.answer("report", to=str(tmp_path / "report.json"))
    assert hash_file(tmp_path / "report.json")["sha256"] == report["sha256"]
    pdf = worker.ask("report", to=str(tmp_path / "report.pdf"), tagged=True)
    assert pdf[-1]["type"] == "done", pdf[-1]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    archive = worker.answer("archive", to=str(tmp_path / "case.zip"), with_evidence=True)
    assert hash_file(tmp_path / "case.zip")["sha256"] == archive["sha256"]
    assert archive["left_out"] == []
    refused = worker.ask("report", to=str(tmp_path / "report.exe"))[-1]
    assert (refused["type"], refused["code"]) == ("error", 2)


def test_marking_normal_and_ignoring_derive_again_without_decoding(
    worker: Worker, case: Case, video: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / "street.mp4"
    copy.parent.mkdir()
    copy.write_bytes(video.read_bytes())
    _, run = analysed(worker, copy)
    assert run["events"] >= 1
    run_id = run["run_id"]
    event = case.results.events(run_id)[0]
    with case.change() as change:
        change.results.set_state(event.id, "relevant", "the runner")
    copy.rename(copy.with_name("gone.mp4"))
    everything = [[[0, 0], [160, 0], [160, 96], [0, 96]]]
    done = worker.answer("recalibrate", run_id=run_id, ignore=everything)
    assert (done["events"], done["trajectories"]) == (0, 0)
    again = worker.answer("recalibrate", run_id=run_id)
    assert again["events"] == run["events"]
    corner = [[[0, 0], [16, 0], [16, 16], [0, 16]]]
    worker.answer("recalibrate", run_id=run_id, ignore=corner)
    settings = case.results.derivations(run_id)[-1].settings or ""
    assert json.loads(settings)["ignore"] == corner
    worker.answer("recalibrate", run_id=run_id, normal_spans=[[0, 2.0]])
    assert case.calibrations.of_run(run_id, "scene")[-1].calibration.kind == "span"


def test_triage_goes_over_to_the_same_events_of_a_recalibration(
    worker: Worker, case: Case, video: Path
) -> None:
    _, run = analysed(worker, video)
    event = case.results.events(run["run_id"])[0]
    with case.change() as change:
        change.results.set_state(event.id, "dismissed", "a cat")
    corner = [[[0, 0], [16, 0], [16, 16], [0, 16]]]
    worker.answer("recalibrate", run_id=run["run_id"], ignore=corner)
    new = case.results.events(run["run_id"])[0]
    assert (new.id != event.id, new.state, new.state_reason) == (True, "dismissed", "a cat")


def test_a_cancelled_run_goes_on_where_it_stopped(worker: Worker, case: Case, video: Path) -> None:
    evidence_id = worker.answer("add", path=str(video))["evidence_id"]
    request = worker.begin("analyse", evidence_id=evidence_id)
    for said in worker.replies(request):
        if said["type"] == "chunk":
            worker.begin("cancel", target=request)
    assert (said["type"], said["code"]) == ("error", 3)
    assert case.runs.all()[-1].state == "cancelled"
    run = worker.answer("analyse", evidence_id=evidence_id)["run"]
    assert run["run_id"] == case.runs.all()[0].id
    assert run["resumed_frames"] > 0


def test_a_killed_process_leaves_a_case_that_another_finishes_the_same(
    case: Case, video: Path
) -> None:
    first = Worker(case.path, case.token or "")
    evidence_id = first.answer("add", path=str(video))["evidence_id"]
    for said in first.replies(first.begin("analyse", evidence_id=evidence_id)):
        if said["type"] == "chunk":
            os.kill(first.process.pid, signal.SIGKILL)
            break
    first.close()
    second = Worker(case.path, case.token or "")
    run = second.answer("analyse", evidence_id=evidence_id)["run"]
    assert run["resumed_frames"] > 0
    fresh = second.answer("analyse", evidence_id=evidence_id, mode="fresh")["run"]
    second.close()
    events = [[row.event for row in case.results.events(one["run_id"])] for one in (run, fresh)]
    assert events[0] == events[1]


def test_it_ends_with_its_window_in_the_middle_of_a_run(
    worker: Worker, case: Case, video: Path
) -> None:
    evidence_id = worker.answer("add", path=str(video))["evidence_id"]
    request = worker.begin("analyse", evidence_id=evidence_id)
    for said in worker.replies(request):
        if said.get("stage") == "analysing":
            break
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(20) == 0
    assert case.runs.all()[-1].state in ("running", "cancelled")


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"not json\n",
        b"[1, 2]\n",
        b'{"v": 2, "id": 1, "type": "hello"}\n',
        b'{"v": 1, "id": "x", "type": "hello"}\n',
        b'{"v": 1, "id": 1}\n',
        b"\xff\xfe\x00\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_garbage_is_refused_and_the_next_request_is_served(worker: Worker, line: bytes) -> None:
    worker.send(line)
    refused = next(iter(worker.replies(0)))
    assert refused["type"] == "error"
    assert worker.answer("verify")["ok"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("sing", {}),
        ("add", {}),
        ("add", {"path": 5}),
        ("add", {"path": "/nowhere/at/all.mp4"}),
        ("analyse", {"evidence_id": "one"}),
        ("analyse", {"evidence_id": 99}),
        ("analyse", {"evidence_id": 1, "mode": "soon"}),
        ("recalibrate", {"run_id": 99}),
        ("recalibrate", {"run_id": 1, "normal_spans": [[5, 1]]}),
        ("recalibrate", {"run_id": 1, "ignore": [[[0, 0], [1, 1]]]}),
        ("recalibrate", {"run_id": 1, "ignore": [[[0, 0], [1, 1], ["x", 2]]]}),
        ("recalibrate", {"run_id": 1, "ignore": [[[0, 0], [1, 1], [1e400, 2]]] * 1}),
        ("teach", {"name": "x"}),
        ("teach", {"name": "x", "marks": [{"evidence_id": 1}]}),
        ("teach", {"repeat": "unheard of"}),
        ("find", {}),
        ("find", {"text": "dog", "event_id": 1}),
        ("find", {"event_id": "one"}),
        ("analyse", {"evidence_id": 1, "variant": 5}),
        ("hello", {"case": "/nowhere", "token": "x"}),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    worker: Worker, kind: str, fields: dict[str, Any]
) -> None:
    worker.last += 1
    said = {"v": 1, "id": worker.last, "type": kind, **fields}
    worker.send(json.dumps(said).encode() + b"\n")
    (refused,) = worker.replies(worker.last)
    assert (refused["type"], refused["code"] in (2, 4)) == ("error", True)
    assert refused["what"]


def test_a_session_that_does_not_own_the_case_is_refused(case: Case) -> None:
    worker = Worker(case.path, case.token or "")
    refused = worker.ask("hello", case=str(case.path), token="another")[-1]
    worker.close()
    assert (refused["type"], refused["code"]) == ("error", 4)


def test_shutdown_ends_it(worker: Worker) -> None:
    assert worker.answer("shutdown")["type"] == "done"
    assert worker.process.wait(20) == 0


def test_the_text_channel_is_asked_and_asked_again(
    worker: Worker, case: Case, tmp_path: Path
) -> None:
    pack = text_pack(tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    short = street_video(folder / "short.mp4", 50, (20,))
    evidence_id = worker.answer("add", path=str(short))["evidence_id"]
    wish = {"evidence_id": evidence_id, "channels": ["scene", "text"], "pack": str(pack.folder)}
    first = worker.answer("analyse", **wish)["run"]
    assert set(first["channels"]) == {"scene", "text", "fused"}
    prompts = {"language": "en", "normal": ["street"], "abnormal": ["dog"]}
    said = worker.ask("analyse", **wish, prompts=prompts)
    assert {one["stage"] for one in said if one["type"] == "progress"} >= {"reading kept features"}
    second = said[-1]["run"]
    assert second["run_id"] != first["run_id"]
    assert second["settings"]["text"]["prompts"]["abnormal"] == ["dog"]
    assert case.results.heat(second["run_id"], "text", 30) is not None
    for wrong in ({"prompts": {"language": "en"}}, {"channels": ["smell"]}, {"device": "tpu"}):
        refused = worker.ask("analyse", **{**wish, **wrong})[-1]
        assert (refused["type"], refused["code"]) == ("error", 2)


def test_facts_are_asked_for_and_a_missing_model_is_said(worker: Worker, video: Path) -> None:
    added = worker.answer("add", path=str(video))
    worker.answer("analyse", evidence_id=added["evidence_id"])
    words = {"question": "Is there any anomaly?", "span": "2..4", "pack": "nowhere"}
    facts = worker.answer("ask", facts_only=True, **words)
    assert facts["facts"]
    assert facts["missing"] is None
    mute = worker.answer("ask", **words)
    assert "no such pack" in mute["missing"]
    assert mute["dialogue_id"] == facts["dialogue_id"]
    refused = worker.ask("ask", question="", span="2..4")[-1]
    assert (refused["type"], refused["what"]) == ("error", "an empty question")


def test_packs_are_listed_with_the_memory_they_need(worker: Worker) -> None:
    answer = worker.answer("packs")
    names = {one["name"] for one in answer["packs"]}
    assert "compact" in names
    assert answer["memory"]["total"] > 0
