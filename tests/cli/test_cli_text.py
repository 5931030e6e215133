"""The text channel from the command line, with the compact backbone and an untrained decoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.case import Case
from engine.cli.main import run
from engine.packs.pack import Pack
from tests.pipeline.pipeline_material import street_video
from tests.tvad.text_pack import PROMPTS, text_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return text_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return street_video(tmp_path_factory.mktemp("footage") / "street.mp4", 60, (20,))


def asked(folder: Path, *abnormal: str, normal: str = "person walking") -> Path:
    path = folder / "prompts.yaml"
    words = ", ".join(json.dumps(word) for word in abnormal)
    path.write_text(f"language: en\nnormal: [{json.dumps(normal)}]\nabnormal: [{words}]\n")
    return path


def analysed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = run(["analyze", *map(str, words), "--json", "--quiet"])
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if printed.out else {"error": printed.err}


def test_two_channels_are_analysed_asked_again_and_repeated(
    pack: Pack, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "a.case"
    words = (video, "--case", case, "--channels", "text,scene", "--pack", pack.folder)
    code, first = analysed(capsys, *words, "--device", "cpu")
    assert code == 0
    (done,) = first["runs"]
    assert set(done["channels"]) == {"scene", "text", "fused"}
    text = done["settings"]["text"]
    assert text["prompts"]["abnormal"] == list(PROMPTS.abnormal)
    assert (text["device"], text["number_type"], text["seed"]) == ("cpu", "float32", 0)
    assert len(text["pack_sha256"]) == 64
    assert done["settings"]["channels"] == ["scene", "text"]

    other = asked(tmp_path, "person on a bicycle")
    code, second = analysed(capsys, *words, "--prompts", other)
    assert code == 0
    assert second["runs"][0]["run_id"] == 2
    assert second["runs"][0]["settings"]["text"]["prompts"]["abnormal"] == ["person on a bicycle"]
    with Case.open(case) as opened:
        maps = [[one.raw for one in opened.chunks.stream(n, "text")] for n in (1, 2)]
        assert maps[0] != maps[1]
        motion = [[one.raw for one in opened.chunks.stream(n, "scene")] for n in (1, 2)]
        assert motion[0] == motion[1]

    code, again = analysed(capsys, "--case", case, "--repeat", 2)
    assert (code, again["same"]) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--channels", "scene", "--prompts", "p.yaml"], 2, "--prompts without the text channel"),
        (["--channels", "smell"], 2, "unknown channel"),
        (["--channels", "text", "--pack", "no-such-pack"], 4, "no such pack"),
        (["--channels", "text", "--pack", "PACK", "--device", "tpu"], 2, "no such device"),
        (["--channels", "text", "--pack", "PACK", "--device", "cuda:99"], 4, "no GPU 99"),
        (["--channels", "text", "--pack", "PACK", "--prompts", "gone.yaml"], 2, "cannot be read"),
    ],
)
def test_options_that_do_not_fit_are_named(
    words: list[str],
    code: int,
    said: str,
    pack: Pack,
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(pack.folder) if word == "PACK" else word for word in words]
    case = tmp_path / "a.case"
    assert run(["analyze", str(video), "--case", str(case), *given, "--quiet"]) == code
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert said in error


@pytest.mark.parametrize(
    ("abnormal", "said"),
    [([], "no abnormal prompt"), ([" "], "empty"), (["x" * 400], "400 characters"),
     (["person walking"], "both normal and abnormal")],
)  # fmt: skip
def test_unsound_prompts_are_named_and_nothing_is_written(
    abnormal: list[str],
    said: str,
    pack: Pack,
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = tmp_path / "a.case"
    words = ["--channels", "scene,text", "--pack", str(pack.folder)]
    words += ["--prompts", str(asked(tmp_path, *abnormal))]
    assert run(["analyze", str(video), "--case", str(case), *words, "--quiet"]) == 2
    assert said in capsys.readouterr().err
    assert not case.exists()


def test_a_pack_that_changed_since_is_refused(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, case = text_pack(tmp_path, "changing"), tmp_path / "a.case"
    words = (video, "--case", case, "--channels", "text", "--pack", pack.folder)
    assert analysed(capsys, *words)[0] == 0
    weights = pack.folder / "ahd.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    code, said = analysed(capsys, *words[:1], "--case", tmp_path / "b.case", *words[3:])
    assert code == 2
    assert not (tmp_path / "b.case").exists()
    assert "another hash" in said["error"]
    assert "ahd.safetensors" in said["error"]


def test_a_pack_of_another_version_is_refused_before_anything_is_written(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, case = text_pack(tmp_path, "older", motion_channels=12), tmp_path / "a.case"
    code, said = analysed(
        capsys, video, "--case", case, "--channels", "text", "--pack", pack.folder
    )
    assert code == 2
    assert "channels of motion for a decoder of 12" in said["error"]
    assert "train it again" in said["error"]
    assert not case.exists()
