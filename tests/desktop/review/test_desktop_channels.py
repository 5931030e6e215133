"""Channels in the window: the prompt editor, analysing with it, and whose heat is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.dialogs.prompts_dialog import PromptsDialog
from desktop.operations.channel_choice import SCENE_ALONE, ChannelChoice, next_channel
from desktop.theme.stylesheet import apply_theme
from engine.case import Case, HeatBlock
from engine.packs.pack_folders import PACKS_VARIABLE
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver, pixels
from tests.packs.pack_material import PROMPTS, make_pack

OTHER = {"language": "en", "normal": ["street"], "abnormal": ["dog", "suitcase"]}


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packs"
    monkeypatch.setenv(PACKS_VARIABLE, str(folder))
    make_pack(folder, "tiny")
    return folder


class OpenPrompts:
    """A dialog and what it started."""

    def __init__(self, qtbot: QtBot, choice: ChannelChoice) -> None:
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.started: list[ChannelChoice] = []
        self.dialog = PromptsDialog(choice, self.started.append, self.parent)

    @property
    def wrong(self) -> str:
        return self.dialog.error.text() if not self.dialog.error.isHidden() else ""

    def select(self, pack: str) -> None:
        self.dialog.pack.setCurrentIndex(self.dialog.pack.findText(pack))


@pytest.fixture
def opened(qtbot: QtBot, packs: Path) -> Iterator[OpenPrompts]:
    prompts = OpenPrompts(qtbot, ChannelChoice(("scene",), "tiny"))
    yield prompts
    prompts.dialog.close()


def test_it_begins_with_the_packs_own_prompts_and_starts_what_was_chosen(
    opened: OpenPrompts,
) -> None:
    dialog = opened.dialog
    assert dialog.abnormal.toPlainText().splitlines() == list(PROMPTS.abnormal)
    dialog.abnormal.setPlainText("  person   running \n\nvehicle\n")
    dialog.accept()
    (choice,) = opened.started
    assert choice.channels == ("scene", "text")
    assert choice.pack == "tiny"
    assert choice.prompts["abnormal"] == ["person running", "vehicle"]
    assert choice.prompts["normal"] == list(PROMPTS.normal)
    assert choice.fields()["channels"] == ["scene", "text"]


@pytest.mark.parametrize(
    ("abnormal", "message"),
    [("", "no abnormal prompt"), ("x" * 300, "300 characters"), ("Person WALKING", "both normal")],
)
def test_unsound_prompts_are_named_and_start_nothing(
    opened: OpenPrompts, abnormal: str, message: str
) -> None:
    opened.dialog.abnormal.setPlainText(abnormal)
    opened.dialog.accept()
    assert message in opened.wrong
    assert not opened.started
    opened.dialog.abnormal.setPlainText("vehicle")
    assert not opened.wrong


def test_prompts_of_the_run_on_screen_come_back_and_survive_a_file(
    qtbot: QtBot, packs: Path, tmp_path: Path
) -> None:
    first = OpenPrompts(qtbot, ChannelChoice(("scene", "text"), "tiny", OTHER))
    assert first.dialog.abnormal.toPlainText() == "dog\nsuitcase"
    path = tmp_path / "prompts.yaml"
    first.dialog.save(path)
    second = OpenPrompts(qtbot, ChannelChoice(("text",), "tiny"))
    assert not second.dialog.channels["scene"].isChecked()
    second.dialog.load(path)
    assert second.dialog.choice.prompts["abnormal"] == OTHER["abnormal"]
    path.write_text("language: [")
    second.dialog.load(path)
    assert "no YAML" in second.wrong


def test_without_a_pack_it_says_so_and_only_the_scene_can_be_analysed(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.dialogs.prompts_dialog.list_packs", tuple)
    prompts = OpenPrompts(qtbot, SCENE_ALONE)
    assert "no pack is installed" in prompts.wrong
    assert not prompts.dialog._ok.isEnabled()
    prompts.dialog.channels["text"].setChecked(False)
    assert prompts.dialog._ok.isEnabled()
    prompts.dialog.accept()
    assert prompts.started == [ChannelChoice(("scene",))]
    assert prompts.started[0].fields() == {"channels": ["scene"]}


def test_it_is_drawn(opened: OpenPrompts, tmp_path: Path) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_theme(application, "dark")
    opened.dialog.show()
    picture = opened.dialog.grab()
    folder = os.environ.get("SIGHTLINE_PICTURES")
    if folder:
        picture.save(str(Path(folder) / "prompts.png"))
    assert picture.width() >= 600


def test_the_next_channel_goes_round() -> None:
    channels = ("fused", "scene", "text")
    current, following = "", []
    for _ in channels:
        current = next_channel(channels, current)
        following.append(current)
    assert following == ["scene", "text", ""]
    assert next_channel((), "text") == ""
    assert next_channel(("scene",), "") == ""


def with_text_channel(folder: Path) -> None:
    """Gives the run of a case a text channel whose heat fills the picture."""
    with Case.open(folder, write=True) as case:
        (run,) = case.runs.all()
        scores = case.results.scores(run.id, "scene")
        block = case.results.heat(run.id, "scene", 0)
        assert block is not None
        shape = (len(scores), *block.heat.shape[1:])
        frames = np.arange(len(scores))
        heat = {"fused": 0, "scene": 0, "text": 255}
        with case.change() as change:
            change.results.replace(
                run.id,
                scores={name: scores for name in heat},
                regions=[],
                trajectories=[],
                events=[],
                heat=[
                    HeatBlock(name, frames, np.full(shape, value, np.uint8))
                    for name, value in heat.items()
                ],
            )


def test_the_switch_shows_the_heat_and_the_score_of_a_channel(
    drive: Drive, sample_case: Path
) -> None:
    with_text_channel(sample_case)

    def script(driver: Driver) -> None:
        driver.until_shown()
        player, plot = driver.window.player, driver.window.timeline
        driver.until(lambda: plot._plot is not None, "the plot")
        assert set(driver.view.curves) == {"fused", "scene", "text"}

        def drawn() -> bytes:
            return pixels(player.still(overlay=True))

        plain = drawn()
        driver.do("view.channel")
        assert "scene" in driver.window.notice.text
        driver.until(lambda: player._ready, "the channel")
        driver.do("view.channel")
        assert driver.state.overlay.value.channel == "text"
        driver.until(lambda: drawn() != plain, "the heat of the text channel")
        assert plot._plot is not None
        assert plot._plot._leading == "text"
        driver.do("view.channel")
        driver.until(lambda: drawn() == plain, "the fused heat")

    assert drive([str(sample_case)], script) == 0
