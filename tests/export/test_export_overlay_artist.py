"""Pictures that leave a case say how they are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.core.stream import Frame
from engine.export import overlay_artist as drawing
from engine.export.overlay_artist import FrameResults, OverlayArtist

HEIGHT, WIDTH = 90, 160


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def burn(picture: np.ndarray, text: Sequence[str]) -> np.ndarray:
        lines.extend(text)
        return picture

    monkeypatch.setattr(drawing, "burn_text", burn)
    return lines


def _artist(rotation: int) -> OverlayArtist:
    return OverlayArtist((WIDTH, HEIGHT), rotation, np.arange(3.0), ())


def _frame() -> Frame:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    return Frame(1, 1, image, damaged=False, pict_type="P")


@pytest.mark.parametrize(
    ("rotation", "turned"), [(0, []), (90, ["turned by 90 degrees"])], ids=["upright", "turned"]
)
def test_the_view_settings_are_named_on_every_overlay(
    written: list[str], rotation: int, turned: list[str]
) -> None:
    artist = _artist(rotation)
    heat = np.zeros((9, 16), np.float32)
    artist.draw(_frame(), FrameResults(1.0, heat, 0.2, True, ()))
    artist.draw_whole(_frame(), heat, (), ["00:00:00 - 00:00:01"])
    for setting in ("heat inferno", "at most 50% opaque", *turned):
        assert written.count(setting) == 2
    assert len(turned) == sum(line.startswith("turned") for line in written) / 2
