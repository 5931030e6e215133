"""Variants in the window: taught by marks, shown beside the old curve, switched, deleted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from desktop.dialogs.variants_dialog import VariantsDialog
from desktop.state.target_mark import TargetMark
from engine.case import Case
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver
from tests.desktop.review.test_desktop_teaching import look
from tests.few_shot.few_shot_material import RUNNER_S, made_case, runner_box


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_case(tmp_path_factory.mktemp("teaching"))


@pytest.fixture
def street(made_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "street.case"))


def mark_at(seconds: float, name: str = "cart") -> TargetMark:
    x, y, w, h = runner_box(seconds)
    corners = ((x, y), (x + w, y + h))
    return TargetMark(1, round(seconds * 25), seconds, name, False, "box", corners)


def dialog_of(driver: Driver) -> VariantsDialog:
    driver.do("teach.variants")
    dialog = driver.window.findChild(VariantsDialog)
    assert isinstance(dialog, VariantsDialog)
    driver.until(lambda: dialog.list.rows.rows, "the variants")
    return dialog


def rights(dialog: VariantsDialog) -> list[str]:
    return [row.right for row in dialog.list.rows.rows]


def test_a_variant_is_taught_used_compared_and_deleted(drive: Drive, street: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.until(lambda: driver.window.timeline._plot, "the plot")
        driver.state.targets.set(tuple(mark_at(seconds) for seconds in RUNNER_S))
        driver.window.teach.variant.setText("carts")
        driver.window.reveal(driver.window.teach)
        driver.do("teach.teach")
        driver.until(lambda: driver.state.compared.value, "the preview")
        (other,) = driver.state.compared.value
        assert len(other.curve.scores) == len(next(iter(driver.view.curves.values())).scores)
        assert 'Taught "carts"' in driver.window.notice.text
        assert driver.window.timeline._other.text() == "dashed: carts"
        look(driver, "teach-preview")

        dialog = dialog_of(driver)
        assert [row.title for row in dialog.list.rows.rows] == [
            "Original pack (no variant)",
            "carts",
        ]
        assert rights(dialog) == ["on screen", ""]
        dialog.list.select(1)
        dialog.compare.click()
        assert driver.state.compared.value[0].name == "carts"
        dialog.use.click()
        driver.until(lambda: rights(dialog) == ["used here", "on screen"], "the variant")
        assert driver.state.compared.value == ()
        scores = next(iter(driver.view.curves.values())).scores
        assert scores == pytest.approx(other.curve.scores, abs=1e-3)

        dialog.list.select(0)
        dialog.compare.click()
        driver.until(lambda: driver.state.compared.value, "the curve of the pack")
        look_dialog(dialog)
        dialog.use.click()
        driver.until(lambda: rights(dialog) == ["on screen", "used here"], "the pack again")
        dialog.list.select(1)
        dialog.delete.click()
        driver.until(lambda: rights(dialog) == ["on screen"], "its end")
        driver.do("edit.undo")
        driver.until(lambda: rights(dialog) == ["on screen", "used here"], "its return")
        dialog.close()

    assert drive([str(street)], script) == 0
    with Case.open(street) as case:
        assert [row.variant.name for row in case.variants.all()] == ["carts"]
        assert case.evidence.get(1).current_run == 1


def look_dialog(dialog: VariantsDialog) -> None:
    folder = os.environ.get("SIGHTLINE_PICTURES")
    if folder:
        dialog.grab().save(str(Path(folder) / "variants.png"))


def test_what_cannot_be_taught_is_said_in_one_line_and_nothing_is_kept(
    drive: Drive, street: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        notice = driver.window.notice
        driver.do("teach.teach")
        assert "No marks" in notice.text
        nothing = TargetMark(1, 30, 1.2, "cart", False, "point", ((80.0, 2.0),))
        driver.state.targets.set((nothing,))
        driver.do("teach.teach")
        driver.until(lambda: "nothing that moves there" in notice.text, "the refusal")
        assert "\n" not in notice.text
        notice.hide()
        driver.state.targets.set(tuple(mark_at(seconds) for seconds in RUNNER_S))
        driver.do("teach.teach")
        driver.do("evidence.cancel")
        driver.until(lambda: "Stopped" in notice.text, "the end of teaching")
        assert driver.state.compared.value == ()
        dialog = dialog_of(driver)
        assert not dialog.use.isEnabled()
        dialog.close()

    assert drive([str(street)], script) == 0
    with Case.open(street) as case:
        assert case.variants.all() == ()
