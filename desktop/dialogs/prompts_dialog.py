"""The prompts of the text channel, its pack, and the choice of channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QWidget,
)

from desktop.dialogs.dialog_parts import dialog_column, error_label, plain_button
from desktop.operations.channel_choice import ChannelChoice
from desktop.theme.layouts import row_of
from engine.core.channels import CHANNELS, TEXT
from engine.core.errors import SightlineError
from engine.packs.pack_listing import list_packs
from engine.packs.prompt_sets import PromptSet, dump_prompts, load_prompts, parse_prompts

_ABOUT = (
    "The text channel looks for what the prompts describe. A prompt is a few words, a line each;\n"
    "other prompts are read from kept features, without decoding the video again."
)
_YAML = "Prompts (*.yaml *.yml)"


class PromptsDialog(QDialog):
    """Edits the prompts of a run and starts an analysis with them.

    Args:
        choice: of the run on screen.
        analyse: called with the choice that the examiner made.
        parent: the window.
    """

    def __init__(
        self,
        choice: ChannelChoice,
        analyse: Callable[[ChannelChoice], None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Channels and prompts")
        self._analyse = analyse
        self._other_values: dict[str, Any] = {"language": "en"}
        self._is_edited = bool(choice.prompts)
        self.channels: dict[str, QCheckBox] = {}
        for name, channel in CHANNELS.items():
            box = QCheckBox(f"&{name.capitalize()}: {channel.description}")
            box.setChecked(name in choice.channels or channel.needs_pack)
            box.toggled.connect(lambda _on: self._enable_fields())
            self.channels[name] = box
        self.pack = QComboBox()
        self.pack.setAccessibleName("Pack of the text channel")
        self.normal = _prompt_field("Normal prompts", "person walking")
        self.abnormal = _prompt_field("Abnormal prompts", "person riding a bicycle")
        self.error = error_label()
        self.error.setWordWrap(True)
        self._lay_out()
        self._fill_packs(choice.pack)
        if choice.prompts:
            self._show_values(choice.prompts)
        else:
            self._show_pack_prompts()
        self._enable_fields()
        self.pack.currentIndexChanged.connect(lambda _index: self._on_pack_change())
        for edit in (self.normal, self.abnormal):
            edit.textChanged.connect(self._on_edit)
        self.resize(640, 480)

    @property
    def choice(self) -> ChannelChoice:
        """What the examiner chose.

        Raises:
            SightlineError: the prompts are not valid.
        """
        channels = tuple(name for name, box in self.channels.items() if box.isChecked())
        if TEXT not in channels:
            return ChannelChoice(channels)
        return ChannelChoice(channels, str(self.pack.currentData()), self._prompts().as_json())

    def load(self, path: Path) -> None:
        """Reads prompts from a file."""
        try:
            self._show_values(load_prompts(path).as_json())
        except SightlineError as error:
            self._show_error(error)

    def save(self, path: Path) -> None:
        """Writes the prompts to a file."""
        try:
            path.write_text(dump_prompts(self._prompts()), encoding="utf-8")
        except SightlineError as error:
            self._show_error(error)
        except OSError as error:
            self._show_error(
                SightlineError(f"cannot be written ({error.strerror})", path, "choose another")
            )

    def accept(self) -> None:
        """Starts the analysis, or says what is wrong with the prompts."""
        try:
            choice = self.choice
        except SightlineError as error:
            self._show_error(error)
            return
        super().accept()
        self._analyse(choice)

    def _prompts(self) -> PromptSet:
        prompts = {
            "normal": _stripped_lines(self.normal),
            "abnormal": _stripped_lines(self.abnormal),
        }
        return parse_prompts({**self._other_values, **prompts})

    def _fill_packs(self, pack: str) -> None:
        for listed in list_packs():
            if listed.pack is not None:
                self.pack.addItem(listed.name, listed.name)
        index = self.pack.findData(pack)
        if index < 0 and Path(pack).is_dir():
            self.pack.addItem(Path(pack).name, pack)
            index = self.pack.count() - 1
        self.pack.setCurrentIndex(max(0, index))
        if not self.pack.count():
            self._show_error(
                SightlineError("no pack is installed", "", "import one under Help, Packs")
            )

    def _on_pack_change(self) -> None:
        if not self._is_edited:
            self._show_pack_prompts()

    def _show_pack_prompts(self) -> None:
        """Shows the pack's own prompts."""
        from engine.packs.pack import find_pack

        if not self.pack.count():
            return
        try:
            prompts = find_pack(str(self.pack.currentData())).prompts()
            self._show_values(prompts.as_json())
        except SightlineError as error:
            self._show_error(error)
        self._is_edited = False

    def _show_values(self, values: dict[str, Any]) -> None:
        self._other_values = {
            name: values[name] for name in ("language", "templates") if name in values
        }
        self.normal.setPlainText("\n".join(values.get("normal", [])))
        self.abnormal.setPlainText("\n".join(values.get("abnormal", [])))
        self.error.hide()

    def _on_edit(self) -> None:
        self._is_edited = True
        self.error.hide()

    def _enable_fields(self) -> None:
        has_text = self.channels[TEXT].isChecked()
        for widget in (self.pack, self.normal, self.abnormal, self._load, self._save, self._own):
            widget.setEnabled(has_text)
        is_any_chosen = any(box.isChecked() for box in self.channels.values())
        self._ok.setEnabled(self.pack.count() > 0 if has_text else is_any_chosen)

    def _show_error(self, error: SightlineError) -> None:
        self.error.setText(error.line())
        self.error.show()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for column, (title, edit) in enumerate(
            (("Normal: never looked for", self.normal), ("Abnormal: looked for", self.abnormal))
        ):
            label = QLabel(title)
            label.setBuddy(edit)
            grid.addWidget(label, 0, column)
            grid.addWidget(edit, 1, column)
        self._own = plain_button("The pack's own", self._show_pack_prompts)
        self._load = plain_button("Load…", self._ask_load)
        self._save = plain_button("Save…", self._ask_save)
        row = row_of(QLabel("Pack"), (self.pack, 1), self._own, self._load, self._save)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._ok = buttons.addButton("Analyse", QDialogButtonBox.ButtonRole.AcceptRole)
        self._ok.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        boxes = self.channels.values()
        dialog_column(self, QLabel(_ABOUT), *boxes, row, (grid, 1), self.error, buttons)

    def _ask_load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Load prompts", "", _YAML)
        if chosen:
            self.load(Path(chosen))

    def _ask_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save prompts", "prompts.yaml", _YAML)
        if chosen:
            self.save(Path(chosen))


def _prompt_field(name: str, example: str) -> QPlainTextEdit:
    edit = QPlainTextEdit()
    edit.setAccessibleName(name)
    edit.setPlaceholderText(example)
    edit.setTabChangesFocus(True)
    return edit


def _stripped_lines(edit: QPlainTextEdit) -> list[str]:
    return [line.strip() for line in edit.toPlainText().splitlines() if line.strip()]
