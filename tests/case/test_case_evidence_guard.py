"""R1: outputs do not lie beside evidence unless the examiner insists."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.case import refuse_beside_evidence
from engine.core.errors import BadInputError


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "footage" / "day 1").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    path = tmp_path / "footage" / "gate.mp4"
    path.write_bytes(b"video")
    return path


@pytest.mark.parametrize(
    "output",
    ["footage/out.csv", "footage/new.case", "footage/day 1/deep/out.pdf", "footage",
     "work/../footage/out.csv"],
)  # fmt: skip
def test_outputs_beside_a_video_or_below_are_refused(
    tmp_path: Path, video: Path, output: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        refuse_beside_evidence(tmp_path / output, [video], insist=False)
    assert caught.value.where == str(tmp_path / "footage")
    assert refuse_beside_evidence(tmp_path / output, [video], insist=True) == video.parent


def test_outputs_elsewhere_are_fine(tmp_path: Path, video: Path) -> None:
    for output in ("work/out.csv", "new.case", "footage 2/out.csv", "footage.case"):
        assert refuse_beside_evidence(tmp_path / output, [video], insist=False) is None
    assert refuse_beside_evidence(tmp_path / "footage" / "a.csv", [], insist=False) is None


def test_links_do_not_hide_the_folder(tmp_path: Path, video: Path) -> None:
    (tmp_path / "work" / "link").symlink_to(video.parent)
    with pytest.raises(BadInputError):
        refuse_beside_evidence(tmp_path / "work" / "link" / "a.csv", [video], insist=False)
    (tmp_path / "links").mkdir()
    linked = tmp_path / "links" / "gate.mp4"
    linked.symlink_to(video)
    for folder in (tmp_path / "links", video.parent):
        with pytest.raises(BadInputError):
            refuse_beside_evidence(folder / "a.csv", [linked], insist=False)


def test_of_a_folder_of_images_it_and_its_parent_count(tmp_path: Path) -> None:
    images = tmp_path / "footage" / "camera 1"
    images.mkdir(parents=True)
    for output in (images / "a.csv", tmp_path / "footage" / "a.csv", images / "x" / "a.csv"):
        with pytest.raises(BadInputError):
            refuse_beside_evidence(output, [images], insist=False)
    assert refuse_beside_evidence(tmp_path / "a.csv", [images], insist=False) is None


def test_the_folder_counts_when_the_evidence_is_gone(tmp_path: Path, video: Path) -> None:
    video.unlink()
    with pytest.raises(BadInputError):
        refuse_beside_evidence(video.parent / "a.csv", [video], insist=False)


def test_a_circle_of_links_is_an_error_not_a_crash(tmp_path: Path, video: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(BadInputError, match="leads nowhere"):
        refuse_beside_evidence(tmp_path / "a" / "x.csv", [video], insist=False)
