from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.case import Case
from engine.export.number_rows import read_rows
from engine.export.region_rows import COLUMNS
from engine.media import hash_file, open_source
from tests.cli.cli_material import FRAMES, Command, moving_blob
from tests.clips import write_video


def picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def exported(case: Path) -> list[tuple[str, str]]:
    with Case.open(case) as opened:
        return [(row.path, row.sha256) for row in opened.exports.all()]


def test_a_still_is_exactly_the_frame_of_a_sequential_decode(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    with open_source(clip) as source:
        frames = [frame.image for frame in source.frames(pixels="rgb")]
    for number in (0, 13, FRAMES - 1):
        target = tmp_path / f"{number}.png"
        ran = command(
            "export", "--case", case, "--evidence", 1, "--start", number / 25, "--to", target,
            "--json",
        )  # fmt: skip
        assert ran.code == 0
        assert ran.json["first_frame"] == ran.json["last_frame"] == number
        wanted = frames[number]
        assert wanted is not None
        assert np.array_equal(picture(target), wanted)
        overlay = picture(tmp_path / f"{number}-overlay.png")
        assert overlay.shape == wanted.shape
        assert not np.array_equal(overlay, wanted)


def test_every_export_is_recorded_with_its_hash(
    command: Command, case: Path, tmp_path: Path
) -> None:
    for ending in ("png", "npz", "txt", "json", "mp4"):
        target = tmp_path / "out" / f"gate.{ending}"
        ran = command("export", "--case", case, "--evidence", 1, "--to", target, "--json")
        assert ran.code == 0
        assert set(ran.json) >= {"case", "evidence_id", "run_id", "files"}
        assert ran.json["files"][0]["path"] == str(target)
        for file in ran.json["files"]:
            path = Path(file["path"])
            assert file["sha256"] == hash_file(path)["sha256"]
            assert file["size"] == path.stat().st_size
            assert (file["path"], file["sha256"]) in exported(case)
    assert len(list((tmp_path / "out").iterdir())) == 6
    assert command("verify", "--case", case).code == 0


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    assert {name: array.dtype.str for name, array in arrays.items()} == {
        "scores": "<f4", "heatmap": "<f2", "pts": "<i8", "analysed": "|b1",
    }  # fmt: skip
    return arrays


def test_arrays_hold_every_frame_and_agree_with_the_case(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "all.npz"
    assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
    arrays = read_arrays(target)
    heat = arrays["heatmap"]
    with Case.open(case) as opened:
        scores = opened.results.scores(1, "scene")
    with open_source(clip) as source:
        assert np.array_equal(arrays["pts"], source.index.pts)
    assert np.array_equal(arrays["scores"], scores)
    assert arrays["analysed"].all()
    assert len(heat) == FRAMES
    assert 0 <= heat.min() < heat.max() <= 1
    assert heat.max() > 0.5
    part = tmp_path / "part.npz"
    span = ("--start", 1.0, "--end", "00:00:02.000")
    assert command("export", "--case", case, "--evidence", 1, *span, "--to", part).code == 0
    cut = read_arrays(part)
    assert np.array_equal(cut["pts"], arrays["pts"][25:51])
    assert np.array_equal(cut["scores"], arrays["scores"][25:51])
    assert np.array_equal(cut["heatmap"], heat[25:51])


def test_skipped_frames_are_interpolated_over_time(
    command: Command, clip: Path, tmp_path: Path
) -> None:
    case, target = tmp_path / "stride.case", tmp_path / "stride.npz"
    assert command("analyze", clip, "--case", case, "--stride", 4).code == 0
    assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
    arrays = read_arrays(target)
    heat = arrays["heatmap"].astype(np.float32)
    analysed = np.arange(0, FRAMES, 4)
    assert np.flatnonzero(arrays["analysed"]).tolist() == analysed.tolist()
    wanted = np.interp(np.arange(FRAMES), analysed, arrays["scores"][analysed])
    assert arrays["scores"] == pytest.approx(wanted, abs=1e-6)
    middle = (heat[0:72:4] + heat[4:76:4]) / 2
    assert heat[2:72:4] == pytest.approx(middle, abs=2e-3)
    part = tmp_path / "part.npz"
    span = ("--start", 18 / 25, "--end", 19 / 25)
    assert command("export", "--case", case, "--evidence", 1, *span, "--to", part).code == 0
    assert np.array_equal(read_arrays(part)["heatmap"], heat[18:20].astype("f2"))


def test_equal_runs_give_equal_files(
    command: Command, clip: Path, analysed: Path, tmp_path: Path
) -> None:
    # Another case, elsewhere, later, in which the run has another number.
    other = tmp_path / "Fall ü 北.case"
    for _ in range(2):
        assert command("analyze", clip, "--case", other, "--fresh").code == 0
    first = Path(shutil.copytree(analysed, tmp_path / "first.case"))
    for ending in ("npz", "txt", "json"):
        contents = []
        for case in (first, other):
            target = tmp_path / f"{case.stem}.{ending}"
            assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
            contents.append(target.read_bytes())
        assert contents[0] == contents[1]


def test_regions_and_trajectories_say_what_the_case_says(
    command: Command, case: Path, tmp_path: Path
) -> None:
    rows, paths = tmp_path / "regions.txt", tmp_path / "paths.json"
    for target in (rows, paths):
        assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
    with Case.open(case) as opened:
        regions = [row.region for row in opened.results.regions(1)]
        (trajectory,) = [row.trajectory for row in opened.results.trajectories(1)]
    table = read_rows(rows, COLUMNS, whole=1)
    assert table[:, 0].tolist() == [region.frame for region in regions]
    assert table[:, 1:5].tolist() == [list(region.box.corners) for region in regions]
    assert table[:, 5].tolist() == [region.score for region in regions]
    content = json.loads(paths.read_text("utf-8"))
    (written,) = content["trajectories"]
    assert (content["width"], content["height"], content["frames"]) == (160, 120, FRAMES)
    assert (written["from"], written["to"]) == (trajectory.from_cell, trajectory.to_cell)
    assert written["boxes"] == trajectory.boxes.tolist()
    assert written["frames"] == trajectory.frames.tolist()


def test_results_leave_without_the_evidence_but_pictures_name_what_is_missing(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, held = copied_case
    held.unlink()
    for ending in ("npz", "txt", "json"):
        target = tmp_path / f"a.{ending}"
        assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0
    for ending in ("png", "mp4"):
        ran = command("export", "--case", case, "--evidence", 1, "--to", tmp_path / f"a.{ending}")
        assert ran.code == 2
        assert "missing" in ran.error
        assert str(held) in ran.error
    assert not list(tmp_path.glob("a*.png"))


def test_changed_evidence_is_refused_and_recorded(
    command: Command, copied_case: tuple[Path, Path], tmp_path: Path
) -> None:
    case, held = copied_case
    held.write_bytes(held.read_bytes() + b"\0")
    ran = command("export", "--case", case, "--evidence", 1, "--to", tmp_path / "a.mp4")
    assert ran.code == 2
    assert "changed" in ran.error
    with Case.open(case) as opened:
        assert len(opened.evidence.mismatches(1)) == 1
        assert not opened.exports.all()
    assert [path.name for path in tmp_path.iterdir()] == [case.name]


def test_a_clip_keeps_the_distances_of_variable_pts(command: Command, tmp_path: Path) -> None:
    footage, case, target = tmp_path / "in" / "vfr.mkv", tmp_path / "v.case", tmp_path / "v.mp4"
    footage.parent.mkdir()
    pts = [40 * number + 7 * (number % 3) for number in range(FRAMES)]
    write_video(footage, moving_blob(), pts=pts, time_base=Fraction(1, 1000))
    assert command("analyze", footage, "--case", case).code == 0
    ran = command(
        "export", "--case", case, "--evidence", 1, "--start", 0.4, "--end", 1.0, "--to", target,
        "--json",
    )  # fmt: skip
    first, last = ran.json["first_frame"], ran.json["last_frame"]
    wanted = [time for time in pts if 400 <= time <= 1000]
    assert (last - first + 1, pts[first], pts[last]) == (len(wanted), wanted[0], wanted[-1])
    with av.open(str(target)) as opened:
        times = [frame.time for frame in opened.decode(video=0)]
    assert times == pytest.approx([(time - wanted[0]) / 1000 for time in wanted], abs=1e-6)


def test_a_rotated_clip_stands_upright(command: Command, tmp_path: Path) -> None:
    footage, case = tmp_path / "in" / "phone.mp4", tmp_path / "r.case"
    footage.parent.mkdir()
    write_video(footage, moving_blob(), rotation=90)
    assert command("analyze", footage, "--case", case).code == 0
    target = tmp_path / "still.png"
    at = ("--start", 2.4, "--to", target)
    assert command("export", "--case", case, "--evidence", 1, *at).code == 0
    plain, overlay = picture(target), picture(tmp_path / "still-overlay.png")
    assert plain.shape == (120, 160, 3)
    assert overlay.shape == (160, 120, 3)
    # Away from text and heat both show the same pixels, turned clockwise.
    turned = np.rot90(plain, -1)
    assert np.array_equal(overlay[90:120, :10], turned[90:120, :10])
    clip = tmp_path / "clip.mp4"
    assert command("export", "--case", case, "--evidence", 1, "--to", clip).code == 0
    with av.open(str(clip)) as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (120, 160, FRAMES)


def test_nothing_is_written_beside_evidence_unless_insisted(
    command: Command, case: Path, clip: Path
) -> None:
    for target in (clip.with_name("out.npz"), clip.parent / "deep" / "er" / "out.npz"):
        words = ("export", "--case", case, "--evidence", 1, "--to", target)
        ran = command(*words)
        assert ran.code == 2
        assert str(clip.parent) in ran.error
        assert [path.name for path in clip.parent.iterdir()] == [clip.name]
    try:
        assert command(*words, "--beside-evidence").code == 0
        with Case.open(case) as opened:
            said = [entry.params_json for entry in opened.audit.entries()][-1]
        assert json.loads(said)["beside_evidence"] == str(clip.parent)
    finally:
        shutil.rmtree(clip.parent / "deep")


def test_evidence_is_never_overwritten_even_when_insisted(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    before = clip.read_bytes()
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    for target in (clip, link):
        ran = command(
            "export", "--case", case, "--evidence", 1, "--to", target, "--beside-evidence"
        )
        assert ran.code == 2
        assert "evidence" in ran.error
    assert clip.read_bytes() == before
    assert link.is_symlink()


def test_the_cases_own_files_are_safe(command: Command, copied_case: tuple[Path, Path]) -> None:
    case, held = copied_case
    before = held.read_bytes()
    for target in (held, case / "a.npz", case / "evidence" / "a.npz"):
        ran = command("export", "--case", case, "--evidence", 1, "--to", target)
        assert ran.code == 2
        assert "derived" in ran.error
    assert held.read_bytes() == before
    target = case / "derived" / "a.npz"
    assert command("export", "--case", case, "--evidence", 1, "--to", target).code == 0


def test_only_own_unchanged_exports_are_replaced(
    command: Command, case: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.txt"
    words = ("export", "--case", case, "--evidence", 1, "--to", target)
    target.write_text("notes of the examiner")
    assert command(*words).code == 2
    assert target.read_text() == "notes of the examiner"
    target.unlink()
    assert command(*words).code == 0
    assert command(*words, "--end", 1).code == 0
    target.write_text("edited")
    ran = command(*words)
    assert ran.code == 2
    assert "already" in ran.error
    assert target.read_text() == "edited"
    twin = tmp_path / "b-overlay.png"
    twin.write_bytes(b"mine")
    ran = command("export", "--case", case, "--evidence", 1, "--to", tmp_path / "b.png")
    assert ran.code == 2
    assert not (tmp_path / "b.png").exists()
    assert twin.read_bytes() == b"mine"
    assert not list(tmp_path.glob(".*.part"))


def test_a_compared_clip_shows_each_frame_as_it_is_beside_itself(
    command: Command, case: Path, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "both.mp4"
    words = ("export", "--case", case, "--evidence", 1, "--to", target, "--compare")
    ran = command(*words, "--start", 1.0, "--end", 1.2, "--json")
    assert ran.code == 0
    with open_source(clip) as source, open_source(target) as written:
        plain = source.frame(ran.json["first_frame"]).image
        both = written.frame(0).image
    assert plain is not None
    assert both is not None
    assert both.shape == (plain.shape[0], 2 * plain.shape[1], 3)
    left, right = np.split(both.astype(np.int16), 2, axis=1)
    assert np.abs(left - plain).mean() < 6
    assert np.abs(right - plain).mean() > 6
