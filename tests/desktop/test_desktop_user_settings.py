"""A damaged or hostile file of settings never keeps the window from starting."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.session.user_settings import LastPosition, SettingsFile, UserSettings

HUGE = 10**40


def load(folder: Path, text: str) -> UserSettings:
    path = folder / "window.json"
    path.write_text(text, encoding="utf-8")
    return SettingsFile(path).load()


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    settings = replace(
        UserSettings(), theme="light", opacity=0.25, stride=3, recent=("/a.case",),
        place=LastPosition("/a.case", 2, 77),
    )  # fmt: skip
    file = SettingsFile(tmp_path / "new" / "window.json")
    file.save(settings)
    assert file.load() == settings


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[]", "7", "\x00", "[" * 200_000, '{"a":' * 200_000,
        '{"theme": "dark", "theme": "light"}', '{"opacity": NaN}', '{"opacity": Infinity}',
    ],
)  # fmt: skip
def test_what_is_no_settings_file_counts_as_none(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == UserSettings()


@pytest.mark.parametrize(
    "values",
    [
        {"opacity": 1e308}, {"opacity": -0.1}, {"stride": 0}, {"stride": HUGE}, {"theme": "pink"},
        {"colour_map": "none"}, {"place": {"case": 5}}, {"recent": [1, None, {}]},
        {"layout": 5}, {"analyse_on_adding": "no"},
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_left_out(tmp_path: Path, values: dict[str, object]) -> None:
    assert load(tmp_path, json.dumps(values)) == UserSettings()


def test_numbers_that_fit_nowhere_are_left_out_of_the_last_position(tmp_path: Path) -> None:
    text = json.dumps({"place": {"case": "/a.case", "evidence_id": HUGE, "frame": HUGE}})
    assert load(tmp_path, text).place == LastPosition("/a.case", None, 0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_in_its_place_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "window.json")
    assert SettingsFile(tmp_path / "window.json").load() == UserSettings()
