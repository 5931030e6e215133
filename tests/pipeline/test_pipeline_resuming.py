"""A run that is stopped anywhere and resumed equals an uninterrupted one, byte for byte."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.case import Case, RunRow
from engine.core.errors import CancelledError, ResourceError
from engine.core.progress import CancelToken, Progress
from engine.core.settings import AnalysisSettings
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import Resuming
from tests.clips import write_video
from tests.pipeline.pipeline_material import (
    QUICK,
    RECIPE,
    Content,
    analysed,
    content,
    street,
    street_video,
)

ROOT = Path(__file__).parents[2]
REPORTS = 11


class Killed(BaseException):
    """The process ends here, without any chance to tidy up."""


@dataclass(frozen=True)
class Whole:
    """A video with what an uninterrupted run finds in it."""

    video: Path
    content: Content


def uninterrupted(video: Path, folder: Path, recipe: Recipe = RECIPE) -> Whole:
    with Case.create(folder) as case:
        return Whole(video, content(case, analysed(case, video, recipe).id))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    whole = uninterrupted(street_video(folder / "street.mp4"), folder / "whole.case")
    assert len(whole.content["maps"]) == 5  # type: ignore[arg-type]
    assert whole.content["events"]
    assert whole.content["trajectories"]
    assert whole.content["regions"]
    return whole


def stop_at(call: int, act: Callable[[], object]) -> Callable[[Progress], None]:
    calls = itertools.count(1)

    def report(_: Progress) -> None:
        if next(calls) == call:
            act()

    return report


def kill() -> None:
    raise Killed


def interrupt(folder: Path, video: Path, mode: str, call: int, recipe: Recipe = RECIPE) -> None:
    """Runs, or goes on, until the report number `call`; the run may end before that."""
    token = CancelToken()
    with Case.open(folder, write=True) as case:
        try:
            analysed(
                case,
                video,
                recipe,
                Resuming(finished=True),
                progress=stop_at(call, kill if mode == "kill" else token.cancel),
                cancel=token,
            )
        except Killed:
            assert case.runs.get(1).state == "running"
        except CancelledError:
            run = case.runs.get(1)
            assert run.state == "cancelled"
            assert run.analysed_frames == committed(case)


def committed(case: Case) -> int:
    last = case.chunks.last(1, "scene")
    return 0 if last is None else last.last_frame + 1


def resume(folder: Path, video: Path, recipe: Recipe = RECIPE) -> tuple[RunRow, Content]:
    with Case.open(folder, write=True) as case:
        before, known = committed(case), case.runs.all()
        run = analysed(case, video, recipe, Resuming(finished=True))
        assert run.id == 1
        assert run.state == "finished"
        if known and known[0].state != "finished":
            assert run.resumed_frames == before
        return run, content(case, run.id)


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["kill", "cancel"]), st.integers(1, REPORTS)),
        min_size=1,
        max_size=3,
    )
)
def test_resumed_equals_uninterrupted(whole: Whole, stops: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "stopped.case"
        Case.create(folder).close()
        for mode, call in stops:
            interrupt(folder, whole.video, mode, call)
        _, content = resume(folder, whole.video)
    assert content == whole.content


@pytest.mark.parametrize("call", [2, 5, REPORTS])
def test_a_run_stopped_after_a_chunk_takes_it_over(whole: Whole, call: int, tmp_path: Path) -> None:
    folder = tmp_path / "stopped.case"
    Case.create(folder).close()
    interrupt(folder, whole.video, "kill", call)
    run, content = resume(folder, whole.video)
    assert run.resumed_frames == min(130, 32 * (call - 1))
    assert content == whole.content


def test_a_run_stopped_before_its_first_chunk_starts_over(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "stopped.case"
    Case.create(folder).close()
    interrupt(folder, whole.video, "cancel", 1)
    run, content = resume(folder, whole.video)
    assert run.resumed_frames == 0
    assert content == whole.content


def test_a_damaged_video_is_resumed_the_same(whole: Whole, tmp_path: Path) -> None:
    """Damage lies before, on and after borders of chunks."""
    data = bytearray(whole.video.read_bytes())
    for share in (0.2, 0.24, 0.5, 0.74, 0.75):
        at = int(len(data) * share)
        data[at : at + 200] = bytes(200)
    video = tmp_path / "damaged.mp4"
    video.write_bytes(data)
    expected = uninterrupted(video, tmp_path / "whole.case").content
    damaged = [json.loads(span.info)["damaged"] for span in expected["spans"]]  # type: ignore[attr-defined]
    assert sum(map(len, damaged)) > 5
    for call in (2, 3, 4, 5):
        folder = tmp_path / f"stopped-{call}.case"
        Case.create(folder).close()
        interrupt(folder, video, "kill", call)
        assert resume(folder, video)[1] == expected


def limit_pages(case: Case, more: int) -> None:
    """Makes the database full after some more pages."""
    (row,) = case.database.rows("PRAGMA page_count")
    pages = row["page_count"]
    assert isinstance(pages, int)
    case.database.execute(f"PRAGMA max_page_count = {pages + more}")


@pytest.mark.parametrize("pages", [0, 2, 4, 6])
def test_a_full_disk_leaves_a_case_that_opens_and_a_run_that_resumes(
    whole: Whole, pages: int, tmp_path: Path
) -> None:
    folder = tmp_path / "full.case"
    with Case.create(folder) as case:
        limit_pages(case, pages)
        with pytest.raises(ResourceError) as raised:
            analysed(case, whole.video)
        assert raised.value.exit_code == 4
    with Case.open(folder) as case:
        assert all(run.state == "running" for run in case.runs.all())
    run, content = resume(folder, whole.video)
    assert run.state == "finished"
    assert content == whole.content


def test_too_little_space_is_said_before_anything_is_measured(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    full = usage._replace(free=1_000_000)
    folder = tmp_path / "full.case"
    with Case.create(folder) as case:
        with monkeypatch.context() as patch:
            patch.setattr("shutil.disk_usage", lambda _: full)
            with pytest.raises(ResourceError, match="MB free"):
                analysed(case, whole.video)
        assert case.chunks.last(1, "scene") is None
        assert content(case, analysed(case, whole.video).id) == whole.content
        assert len(case.runs.all()) == 1


def test_a_run_killed_while_it_stores_its_results_keeps_one_calibration(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.case.tables.results.derivations import ResultChanges

    folder = tmp_path / "stopped.case"

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with Case.create(folder) as case, monkeypatch.context() as patch:
        patch.setattr(ResultChanges, "replace", killed)
        with pytest.raises(Killed):
            analysed(case, whole.video)
    _, content = resume(folder, whole.video)
    assert content == whole.content
    with Case.open(folder) as case:
        assert len(case.calibrations.of_run(1, "scene")) == 1


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Five frames a second make chunks of fifty frames at the default settings."""
    folder = tmp_path_factory.mktemp("slow")
    video = write_video(
        folder / "slow.mp4",
        street(260, (60, 190)),
        options=QUICK,
        rate=Fraction(5),
        time_base=Fraction(1, 5),
    )
    whole = uninterrupted(video, folder / "whole.case", Recipe(AnalysisSettings()))
    assert whole.content["events"]
    return whole


def command(*words: object) -> list[str]:
    return [sys.executable, str(ROOT / "main.py"), "analyze", *map(str, words), "--json"]


def chunks_in(folder: Path) -> int:
    database = folder / "case.sqlite"
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM chunk").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def stopped_by(number: signal.Signals, words: list[str], folder: Path, least: int) -> int:
    """Starts a command and signals its process group once `least` chunks are there."""
    process = subprocess.Popen(
        words,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while chunks_in(folder) < least:
            try:
                process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                continue
            break
        if process.poll() is None:
            os.killpg(process.pid, number)
        return process.wait(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 3)]
)
def test_a_process_that_is_stopped_leaves_a_run_that_resumes(
    slow: Whole, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    folder = tmp_path / "stopped.case"
    words = command(slow.video, "--case", folder)
    assert stopped_by(number, words, folder, 2) == code
    done = subprocess.run(
        [*words, "--resume"], capture_output=True, check=True, text=True, timeout=120
    )
    (run,) = json.loads(done.stdout)["runs"]
    assert run["run_id"] == 1
    assert run["state"] == "finished"
    assert run["resumed_frames"] >= 100
    with Case.open(folder) as case:
        assert content(case, 1) == slow.content
