from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.case import Case
from engine.core.progress import Progress
from tests.cli.cli_material import QUICK, Command, moving, short
from tests.clips import write_video


def test_json_has_what_other_programs_rely_on(command: Command, clip: Path, new_case: Path) -> None:
    ran = command("analyze", clip, "--case", new_case, "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    value = ran.json
    assert set(value) >= {"case", "failed", "runs"}
    assert value["case"] == str(new_case)
    assert value["failed"] == []
    (run,) = value["runs"]
    assert {
        "run_id", "state", "evidence_id", "path", "sha256", "frames", "analysed_frames",
        "resumed_frames", "analysis_size", "settings", "duration_s", "wall_s", "channels",
        "events", "trajectories", "warnings",
    } <= set(run)  # fmt: skip
    assert run["state"] == "finished"
    assert run["path"] == str(clip)
    assert run["frames"] == run["analysed_frames"] == 75
    assert run["resumed_frames"] == 0
    assert run["analysis_size"] == [160, 120]
    assert run["duration_s"] == pytest.approx(3.0)
    assert 0 <= run["channels"]["scene"]["p99"] <= run["channels"]["scene"]["max"] <= 1
    assert run["settings"]["motion"]["flow_preset"]
    assert all(set(one) == {"kind", "share", "text"} for one in run["warnings"])


def test_people_read_a_line_a_video(command: Command, clip: Path, new_case: Path) -> None:
    ran = command("analyze", clip, "--case", new_case)
    assert ran.code == 0
    assert ran.out.startswith("gate.mp4: 75 frames in ")
    assert "warning: learned from 3 s only" in ran.out


def test_resume_fresh_and_default(command: Command, clip: Path, new_case: Path) -> None:
    def run_id(*words: str) -> int:
        (run,) = command("analyze", clip, "--case", new_case, "--json", *words).json["runs"]
        return int(run["run_id"])

    assert run_id("--resume") == 1
    assert run_id("--resume") == 1
    assert run_id() == 2
    assert run_id("--fresh") == 3
    assert run_id("--resume") == 3
    assert run_id("--stride", "2") == 4
    assert run_id("--resume") == 3


def test_repeat_says_whether_a_run_agrees(
    command: Command, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = command("analyze", "--case", case, "--repeat", 1, "--json")
    assert same.code == 0
    assert same.json["same"] is True
    assert same.json["repeats"] == 1
    monkeypatch.setattr("engine.motion.motion_meter.SPEED_UNIT", 0.25)
    differs = command("analyze", "--case", case, "--repeat", 1, "--json")
    assert differs.code == 1
    assert differs.json["same"] is False
    assert "maps" in differs.json["differences"]
    assert "differs" in differs.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--repeat", "1", "video.mp4"], "--repeat"),
        (["--repeat", "99"], "no such run"),
        (["--resume", "--fresh"], "exclude"),
        (["--fresh", "--repeat", "1"], "exclude"),
        (["--channels", "smell"], "smell"),
        (["--channels", ""], "channel"),
        (["--normal", "n", "--normal-span", "1..2"], "exclude"),
        (["--normal-span", "5"], "span"),
        (["--normal-span", "9..2"], "before it starts"),
        (["--normal", "/nowhere/normal.mp4"], "/nowhere/normal.mp4"),
    ],
)
def test_options_that_cannot_be_meant(
    command: Command, case: Path, clip: Path, words: list[str], said: str
) -> None:
    video = [] if "--repeat" in words else [clip]
    ran = command("analyze", *video, "--case", case, *words)
    assert ran.code == 2
    assert said in ran.error
    with Case.open(case) as opened:
        assert len(opened.runs.all()) == 1


@pytest.mark.parametrize("stride", ["0", "-3"])
def test_a_stride_below_one(command: Command, clip: Path, new_case: Path, stride: str) -> None:
    ran = command("analyze", clip, "--case", new_case, "--stride", stride)
    assert ran.code == 2
    assert "stride" in ran.error


def test_a_stride_beyond_the_video(command: Command, clip: Path, new_case: Path) -> None:
    ran = command("analyze", clip, "--case", new_case, "--stride", 10**6, "--json")
    assert ran.code == 0
    assert ran.json["runs"][0]["analysed_frames"] == 1


def test_the_same_video_twice_is_one_piece_of_evidence(
    command: Command, place: Path, new_case: Path
) -> None:
    video = short(place / "one.mp4")
    assert command("analyze", video, video, "--case", new_case).code == 0
    with Case.open(new_case) as case:
        assert len(case.evidence.all()) == 1
        assert len(case.runs.all()) == 2


def test_a_wish_to_stop_ends_with_three_and_a_run_that_resumes(
    command: Command, clip: Path, new_case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.core.progress import CancelToken

    def stop(_: CancelToken) -> bool:
        return new_case.exists()

    with monkeypatch.context() as patch:
        patch.setattr(CancelToken, "cancelled", property(stop))
        ran = command("analyze", clip, "--case", new_case)
    assert ran.code == 3
    assert ran.error.startswith("error: cancelled")
    assert command("analyze", clip, "--case", new_case, "--resume").code == 0


@pytest.mark.parametrize("name", ["Tür 東京 🎥.mp4", "a\nerror: forged.mp4", "\x1b[31mred.mp4"])
def test_names_of_any_characters_are_analysed_and_shown_safely(
    command: Command, place: Path, new_case: Path, name: str
) -> None:
    video = short(place / name)
    ran = command("analyze", video, "--case", new_case)
    assert ran.code == 0
    assert all(char.isprintable() or char == "\n" for char in ran.out + ran.err)
    assert len([line for line in ran.out.splitlines() if "warning:" not in line]) == 1
    listed = command("analyze", video, "--case", new_case, "--resume", "--json")
    assert listed.json["runs"][0]["path"] == str(video)
    assert all(char.isprintable() for char in listed.out.rstrip("\n"))
    video.write_bytes(b"")
    failed = command("analyze", video, "--case", new_case)
    assert failed.code == 2
    assert all(char.isprintable() or char == "\n" for char in failed.out + failed.err)


def test_a_name_of_bytes_that_are_no_text(command: Command, place: Path, new_case: Path) -> None:
    video = place / os.fsdecode(b"caf\xe9.mp4")
    video.write_bytes(short(place / "plain.mp4").read_bytes())
    ran = command("analyze", video, "--case", new_case, "--json")
    assert ran.code == 0
    assert ran.json["runs"][0]["path"] == str(video)
    assert command("analyze", video, "--case", new_case, "--resume").code == 0
    assert command("events", "--case", new_case).code == 0


def test_a_very_long_path(command: Command, place: Path, new_case: Path) -> None:
    deep = place
    for _ in range(12):
        deep = deep / ("d" * 200)
        deep.mkdir()
    video = deep / ("v" * 200 + ".mp4")
    video.write_bytes(short(place / "plain.mp4").read_bytes())
    assert command("analyze", video, "--case", new_case).code == 0
    ran = command("analyze", place / ("n" * 5000 + ".mp4"), "--case", new_case)
    assert ran.code == 2
    assert ran.err.count("\n") == 1


def test_normal_footage_from_the_command_line(
    command: Command, place: Path, new_case: Path
) -> None:
    video, normal = short(place / "one.mp4"), short(place / "normal.mp4", 20)
    ran = command("analyze", video, "--normal", normal, "--case", new_case, "--json")
    assert ran.code == 0
    settings = ran.json["runs"][0]["settings"]
    assert settings["calibration"] == "normal"
    assert settings["normal"][0]["path"] == str(normal)
    spans = command("analyze", video, "--normal-span", "0..0:00.2", "--case", new_case, "--json")
    assert spans.json["runs"][0]["settings"]["normal_spans"] == [[0.0, 0.2]]
    outside = command("analyze", video, "--normal-span", "50..60", "--case", new_case)
    assert outside.code == 2
    assert "00:00:50.000..00:01:00.000" in outside.error


def test_a_copy_survives_the_original(command: Command, place: Path, new_case: Path) -> None:
    video = short(place / "one.mp4")
    assert command("analyze", video, "--copy", "--case", new_case).code == 0
    video.unlink()
    assert command("analyze", "--repeat", 1, "--case", new_case).code == 0


def test_another_stream_is_another_run(command: Command, place: Path, new_case: Path) -> None:
    video = write_video(place / "two.mkv", moving(), options=QUICK, streams=2)
    assert command("analyze", video, "--case", new_case).code == 0
    ran = command("analyze", video, "--stream", 1, "--resume", "--case", new_case, "--json")
    assert ran.json["runs"][0]["run_id"] == 2
    missing = command("analyze", video, "--stream", 7, "--case", new_case)
    assert missing.code == 2
    assert "7" in missing.error


def test_images_at_a_frame_rate(command: Command, place: Path, new_case: Path) -> None:
    from PIL import Image

    folder = place / "images"
    folder.mkdir()
    for number, frame in enumerate(moving(10)):
        Image.fromarray(frame).save(folder / f"{number}.png")
    ran = command("analyze", folder, "--fps", 5, "--case", new_case, "--json")
    assert ran.json["runs"][0]["duration_s"] == pytest.approx(2.0)
    assert "made_pts" in {one["kind"] for one in ran.json["runs"][0]["warnings"]}
    for rate in ("0", "-1", "nan", "inf", "1e9"):
        refused = command("analyze", folder, "--fps", rate, "--case", new_case)
        assert refused.code == 2
        assert "internal" not in refused.error


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_progress_is_a_line_every_ten_seconds_unless_quiet(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cli import output

    clock = Clock()
    monkeypatch.setattr(output, "time", clock)
    output.set_quiet(False)
    with output.shown_progress() as progress:
        for second in range(35):
            clock.now = float(second)
            progress(Progress("analysing", second, 35, 12.34, 35.0 - second))
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == "analysing: 10 of 35 frames, 12/s, 00:00:25 left"
    output.set_quiet(True)
    with output.shown_progress() as progress:
        clock.now = 1000.0
        progress(Progress("analysing", 1, 35))
    output.set_quiet(False)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_quiet_says_nothing_but_the_result(command: Command, clip: Path, new_case: Path) -> None:
    ran = command("analyze", clip, "--case", new_case, "--quiet", "--json")
    assert ran.code == 0
    assert ran.err == ""
    assert json.loads(ran.out)
