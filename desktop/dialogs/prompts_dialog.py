"""What the text channel is asked: normal and abnormal prompts, which channels run, which pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.dialogs.buttons import plain_button
from desktop.operations.channel_choice import ChannelChoice
from engine.core.errors import SightlineError
from engine.packs.pack_listing import Listed, list_packs
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
        look: given the choice that the examiner made; starts the analysis.
        parent: the window.
    """

    def __init__(
        self, choice: ChannelChoice, look: Callable[[ChannelChoice], None], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Channels and prompts")
        self._look = look
        self._rest: dict[str, Any] = {"language": "en"}
        self._edited = bool(choice.prompts)
        self.scene = QCheckBox("&Scene: what is unusual for this camera")
        self.text = QCheckBox("&Text: what the prompts describe")
        self.scene.setChecked("scene" in choice.channels)
        self.text.setChecked(True)
        self.pack = QComboBox()
        self.pack.setAccessibleName("Pack of the text channel")
        self.normal = _lines("Normal prompts", "person walking")
        self.abnormal = _lines("Abnormal prompts", "person riding a bicycle")
        self.wrong = QLabel()
        self.wrong.setProperty("role", "danger")
        self.wrong.setWordWrap(True)
        self.wrong.hide()
        self._lay_out()
        self._fill_packs(choice.pack)
        if choice.prompts:
            self._show_values(choice.prompts)
        else:
            self._show_own()
        self._allow()
        self.pack.currentIndexChanged.connect(lambda _place: self._turned())
        for edit in (self.normal, self.abnormal):
            edit.textChanged.connect(self._was_edited)
        self.text.toggled.connect(lambda _on: self._allow())
        self.scene.toggled.connect(lambda _on: self._allow())
        self.resize(640, 480)

    @property
    def choice(self) -> ChannelChoice:
        """What the examiner chose.

        Raises:
            SightlineError: the prompts are unsound.
        """
        boxes = {"scene": self.scene, "text": self.text}
        channels = tuple(name for name, box in boxes.items() if box.isChecked())
        if "text" not in channels:
            return ChannelChoice(channels)
        return ChannelChoice(channels, str(self.pack.currentData()), self._prompts().as_json())

    def load(self, path: Path) -> None:
        """Reads prompts from a file."""
        try:
            self._show(load_prompts(path))
        except SightlineError as error:
            self._say(error)

    def save(self, path: Path) -> None:
        """Writes the prompts to a file."""
        try:
            path.write_text(dump_prompts(self._prompts()), encoding="utf-8")
        except SightlineError as error:
            self._say(error)
        except OSError as error:
            self._say(
                SightlineError(f"cannot be written ({error.strerror})", path, "choose another")
            )

    def accept(self) -> None:
        """Starts the analysis, or says what is wrong with the prompts."""
        try:
            choice = self.choice
        except SightlineError as error:
            self._say(error)
            return
        super().accept()
        self._look(choice)

    def _prompts(self) -> PromptSet:
        said = {"normal": _words(self.normal), "abnormal": _words(self.abnormal)}
        return parse_prompts({**self._rest, **said})

    def _fill_packs(self, wanted: str) -> None:
        there: Sequence[Listed] = [one for one in list_packs() if one.pack is not None]
        for one in there:
            self.pack.addItem(one.name, one.name)
        place = self.pack.findData(wanted)
        if place < 0 and Path(wanted).is_dir():
            self.pack.addItem(Path(wanted).name, wanted)
            place = self.pack.count() - 1
        self.pack.setCurrentIndex(max(0, place))
        if not self.pack.count():
            self._say(SightlineError("no pack is installed", "", "import one under Help, Packs"))

    def _turned(self) -> None:
        if not self._edited:
            self._show_own()

    def _show_own(self) -> None:
        """Shows the pack's own prompts."""
        from engine.packs.pack import find_pack

        if not self.pack.count():
            return
        try:
            self._show(find_pack(str(self.pack.currentData())).prompts())
        except SightlineError as error:
            self._say(error)
        self._edited = False

    def _show(self, prompts: PromptSet) -> None:
        self._show_values(prompts.as_json())

    def _show_values(self, values: dict[str, Any]) -> None:
        self._rest = {name: values[name] for name in ("language", "templates") if name in values}
        self.normal.setPlainText("\n".join(values.get("normal", [])))
        self.abnormal.setPlainText("\n".join(values.get("abnormal", [])))
        self.wrong.hide()

    def _was_edited(self) -> None:
        self._edited = True
        self.wrong.hide()

    def _allow(self) -> None:
        asked = self.text.isChecked()
        for widget in (self.pack, self.normal, self.abnormal, self._load, self._save, self._own):
            widget.setEnabled(asked)
        possible = (asked and self.pack.count() > 0) or (not asked and self.scene.isChecked())
        self._ok.setEnabled(possible)

    def _say(self, error: SightlineError) -> None:
        self.wrong.setText(error.line())
        self.wrong.show()

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
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(QLabel("Pack"))
        row.addWidget(self.pack, 1)
        self._own = plain_button("The pack's own", self._show_own)
        self._load = plain_button("Load…", self._ask_load)
        self._save = plain_button("Save…", self._ask_save)
        for button in (self._own, self._load, self._save):
            row.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._ok = buttons.addButton("Analyse", QDialogButtonBox.ButtonRole.AcceptRole)
        self._ok.setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(QLabel(_ABOUT))
        layout.addWidget(self.scene)
        layout.addWidget(self.text)
        layout.addLayout(row)
        layout.addLayout(grid, 1)
        layout.addWidget(self.wrong)
        layout.addWidget(buttons)

    def _ask_load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Load prompts", "", _YAML)
        if chosen:
            self.load(Path(chosen))

    def _ask_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save prompts", "prompts.yaml", _YAML)
        if chosen:
            self.save(Path(chosen))


def _lines(name: str, example: str) -> QPlainTextEdit:
    edit = QPlainTextEdit()
    edit.setAccessibleName(name)
    edit.setPlaceholderText(example)
    edit.setTabChangesFocus(True)
    return edit


def _words(edit: QPlainTextEdit) -> list[str]:
    return [line.strip() for line in edit.toPlainText().splitlines() if line.strip()]
