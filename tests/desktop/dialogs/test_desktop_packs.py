"""The dialog of packs: it lists, verifies and imports, and says what is wrong in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.dialogs.packs_dialog import PacksDialog, about_html
from desktop.session.background import Background
from engine.packs import pack_listing as listing
from engine.packs.manifest_schema import BackboneUse, Memory
from engine.packs.pack_folders import PACKS_VARIABLE, WEIGHTS_VARIABLE
from engine.packs.pack_listing import list_packs
from engine.packs.pack_memory import Machine
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver
from tests.packs.pack_material import make_pack


@pytest.fixture
def user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    packs = tmp_path / "user-packs"
    monkeypatch.setenv(PACKS_VARIABLE, str(packs))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "user-weights"))
    monkeypatch.setattr(listing, "pack_folders", lambda: (tmp_path / "shipped", packs))
    return packs


@pytest.fixture
def dialog(qtbot: QtBot, user_folders: Path) -> Iterator[PacksDialog]:
    parent, background = QWidget(), Background()
    qtbot.addWidget(parent)
    dialog = PacksDialog(background, parent)
    yield dialog
    dialog.close()
    background.close()


@pytest.fixture
def until(qtbot: QtBot, dialog: PacksDialog) -> Callable[[Callable[[], object]], None]:
    """Waits until something holds."""

    def wait(condition: Callable[[], object]) -> None:
        def check() -> None:
            assert condition(), f"the dialog says {dialog.message!r}"

        qtbot.waitUntil(check, timeout=20_000)

    return wait


Until = Callable[[Callable[[], object]], None]


def test_an_empty_list_says_what_to_do(dialog: PacksDialog, until: Until) -> None:
    dialog.open_fresh()
    until(lambda: dialog.message.startswith("No packs yet"))
    assert not dialog._verify.isEnabled()


def test_packs_are_listed_with_licence_size_and_memory(
    dialog: PacksDialog, user_folders: Path, until: Until
) -> None:
    make_pack(user_folders)
    make_pack(user_folders, "vast", memory=Memory(1 << 39))
    (user_folders / "broken").mkdir()
    dialog.open_fresh()
    until(lambda: len(dialog.list.rows.rows) == 3)
    broken, tiny, vast = dialog.list.rows.rows
    assert broken.right == "cannot be used"
    assert "Apache-2.0" in tiny.detail
    assert "fits" in tiny.detail
    assert "too large for this machine" in vast.detail
    assert "pack.json is missing" in dialog.about
    dialog.list.select(1)
    assert "trained by this project on rendered footage" in dialog.about
    assert "needs 104.9 MB of memory" in dialog.about
    assert "pixel_auc" in dialog.about
    dialog.list.select(2)
    assert "too little memory" in dialog.about


def test_verifying_says_which_file_differs(
    dialog: PacksDialog, user_folders: Path, until: Until
) -> None:
    pack = make_pack(user_folders)
    dialog.open_fresh()
    until(lambda: dialog._verify.isEnabled())
    dialog._verify.click()
    until(lambda: "is what its manifest says" in dialog.message)
    assert "verified" in dialog.list.rows.rows[0].detail
    (pack.folder / "LICENSE").write_bytes(b"Apache-3.0\n")
    dialog._verify.click()
    until(lambda: "another hash" in dialog.message)
    assert "LICENSE" in dialog.message
    assert "differs" in dialog.list.rows.rows[0].detail
    assert "another hash" in dialog.about


def test_importing_lists_and_chooses_the_new_pack(
    dialog: PacksDialog, user_folders: Path, tmp_path: Path, until: Until
) -> None:
    make_pack(user_folders, "first")
    pack = make_pack(tmp_path / "lab", "zeta")
    dialog.open_fresh()
    until(lambda: dialog.list.selected_id == 0)
    dialog.import_from(pack.folder)
    until(lambda: dialog.list.selected_id == 1)
    assert "zeta" in dialog.about
    assert (user_folders / "zeta" / "pack.json").is_file()


def test_a_bad_import_is_one_line_and_leaves_nothing(
    dialog: PacksDialog, user_folders: Path, tmp_path: Path, until: Until
) -> None:
    pack = make_pack(tmp_path / "lab")
    (pack.folder / "run.py").write_text("print()")
    dialog.open_fresh()
    until(lambda: dialog.message.startswith("No packs yet"))
    dialog.import_from(pack.folder)
    until(lambda: "run.py" in dialog.message)
    assert "does not name" in dialog.message
    assert not list(user_folders.glob("*"))
    assert all(button.isEnabled() for button in dialog._idle_buttons[1:])


def test_texts_of_a_manifest_are_shown_as_text(user_folders: Path) -> None:
    make_pack(
        user_folders,
        licence="<img src='file:///etc/passwd'>",
        backbone=BackboneUse("<b>bold</b>", {}, {}, {}),
    )
    (listed,) = list_packs()
    page = about_html(listed, Machine(1 << 34, 1 << 33, None), None)
    assert "<img" not in page
    assert "<b>bold" not in page


def test_the_menu_opens_it(drive: Drive, user_folders: Path, sample_case: Path) -> None:
    make_pack(user_folders)

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.do("help.packs")
        dialog = driver.window.findChild(PacksDialog)
        assert dialog is not None
        driver.until(lambda: dialog.isVisible() and dialog.list.rows.rows, "the packs")
        dialog.close()

    assert drive([str(sample_case)], script) == 0
