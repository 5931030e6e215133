"""The review of built dialogues: a list, the footage, and what is made of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.lab.correction_form import Correction
from desktop.lab.review_footage import Footage
from desktop.lab.review_items import Item, Material, frame_item
from desktop.panels.row_list import Row, RowList
from desktop.theme.icons import icon
from desktop.theme.theme_tokens import Tokens
from engine.case.store.audit import actor
from engine.core.errors import SightlineError
from engine.lab.dialogue_corpus.files.reviews import CorpusReview, ReviewSubject, Verdict

_FILTERS = ("Everything", "Not reviewed yet", "Doubted by the checks", "Corrected or rejected")
_EVERY, _OPEN, _DOUBTED, _CHANGED = range(4)
_ICONS = {"accepted": "circle-check", "corrected": "pencil", "rejected": "circle-x"}
_LATER = "heeded when the dialogues are built again"


class ReviewWindow(QDialog):
    """Lets an examiner go through what was built; every verdict is kept at once.

    Args:
        material: of the folder.
        tokens: colours of the theme.
        parent: the window.
    """

    failed = Signal(object)
    """A SightlineError: a review cannot be kept, or footage cannot be read."""

    def __init__(self, material: Material, tokens: Tokens, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Review of {material.folder.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._material = material
        self._items = {index: item for index, item in enumerate(material.items)}
        self._standing = material.reviews.standing
        self.filter = QComboBox()
        self.filter.setAccessibleName("What is listed")
        self.filter.addItems(_FILTERS)
        self.list = RowList("Records and sentences")
        self.footage = Footage()
        self.footage.set_tokens(tokens)
        self.correction = Correction()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName("What is known of it")
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self._lay_out()
        self._connect()
        self.resize(1240, 780)
        self._fill()
        self._go_to(next(iter(self._visible_indices()), None))
        self.list.setFocus()

    @property
    def item(self) -> Item | None:
        """What is selected."""
        index = self.list.selected_id
        return None if index is None else self._items.get(index)

    def accept_item(self) -> None:
        """Says that it is right as it is, and goes on."""
        self._review("accepted")

    def reject_item(self) -> None:
        """Says that it is to be left out, and goes on."""
        self._review("rejected")

    def reject_frame(self) -> None:
        """Leaves the target's record of the frame on screen out."""
        record = self.footage.record_here()
        if record is None:
            self._say("No record of the target in this frame.")
            return
        subject = ReviewSubject("frame", record.video, record.target, record.frame, record.frame)
        if self._keep(subject, "rejected", {}):
            if subject not in {item.subject for item in self._items.values()}:
                self._items[len(self._items)] = frame_item(subject)
            self._fill()

    def undo(self) -> None:
        """Takes the latest review back and shows what it was about."""
        try:
            review = self._material.reviews.undo(actor())
        except SightlineError as error:
            self.failed.emit(error)
            self._say(error.line())
            return
        if review is None:
            self._say("Nothing to take back.")
            return
        self._standing = self._material.reviews.standing
        self.filter.setCurrentIndex(_EVERY)
        self._fill()
        self._go_to(self._index_of(review.subject))
        self._say(f"Taken back: {review.verdict} by {review.who}.")

    def next_item(self, step: int = 1) -> None:
        """Goes to the next item of the list, or the one before."""
        visible = self._visible_indices()
        selected = self.list.selected_id
        here = visible.index(selected) if selected in visible else -1
        if 0 <= here + step < len(visible):
            self._go_to(visible[here + step])

    def reject(self) -> None:
        """Gives a correction up, otherwise closes."""
        if self.correction.active:
            self.correction.give_up()
            self.list.setFocus()
        else:
            super().reject()

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.filter, self.list, self.count):
            column.addWidget(widget)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.footage, 1)
        column.addWidget(self.summary)
        column.addWidget(self.correction)
        column.addLayout(self._buttons())
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(left)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([400, 840])
        split.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 16, 16, 16)
        whole.addWidget(split)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for text, name, key, run in (
            ("Accept", "circle-check", "A", self.accept_item),
            ("Correct", "pencil", "C", self.correction.begin),
            ("Reject", "circle-x", "R", self.reject_item),
            ("Reject this frame", "ban", "Shift+R", self.reject_frame),
            ("Undo", "undo-2", "Ctrl+Z", self.undo),
        ):
            button = QPushButton(icon(name), text)
            button.setToolTip(f"{text} ({key})")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _on=False, run=run: run())
            row.addWidget(button)
            self._key(key, run)
        self._key("N", self.next_item)
        self._key("Shift+N", lambda: self.next_item(-1))
        self._key("Space", self.footage.play_pause)
        self._key("Left", lambda: self.footage.step(-1))
        self._key("Right", lambda: self.footage.step(1))
        close = QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        row.addStretch(1)
        row.addWidget(close)
        return row

    def _key(self, key: str, run: Callable[[], object]) -> None:
        QShortcut(QKeySequence(key), self).activated.connect(lambda: run())

    def _connect(self) -> None:
        self.filter.currentIndexChanged.connect(lambda _index: self._refilter())
        self.list.selectionModel().currentChanged.connect(self._on_selection)
        self.correction.saved.connect(self._save_correction)
        self.footage.failed.connect(self.failed)
        self.finished.connect(lambda _result: self.footage.close_threads())

    def _review(self, verdict: Verdict) -> None:
        item = self.item
        if item is not None and self._keep(item.subject, verdict, {}):
            self._go_on()

    def _save_correction(self, changes: Mapping[str, str]) -> None:
        item = self.item
        if item is None:
            return
        before = self._standing.get(item.subject)
        earlier = {} if before is None else before.changes
        if self._keep(item.subject, "corrected", {**earlier, **changes}):
            self.list.setFocus()
            self._go_on()

    def _keep(self, subject: ReviewSubject, verdict: Verdict, changes: Mapping[str, str]) -> bool:
        try:
            self._material.reviews.add(subject, verdict, actor(), changes)
        except SightlineError as error:
            self.failed.emit(error)
            self._say(error.line())
            return False
        self._standing = self._material.reviews.standing
        return True

    def _go_on(self) -> None:
        """Shows the verdict and goes to the next item, which the filter may have left in place."""
        visible, here = self._visible_indices(), self.list.selected_id
        after = visible[visible.index(here) + 1 :] if here in visible else visible
        self._fill()
        still = set(self._visible_indices())
        self._go_to(next((index for index in after if index in still), here))

    def _refilter(self) -> None:
        self._fill()
        if self.list.selected_id is None:
            self._go_to(next(iter(self._visible_indices()), None))

    def _fill(self) -> None:
        rows = [
            self._row(index, item)
            for index, item in self._items.items()
            if self._passes_filter(item, self._standing.get(item.subject))
        ]
        self.list.set_rows(rows)
        done = sum(item.subject in self._standing for item in self._items.values())
        self.count.setText(f"{done:,} of {len(self._items):,} reviewed · {_LATER}")
        self.count.setWordWrap(True)

    def _passes_filter(self, item: Item, review: CorpusReview | None) -> bool:
        chosen = self.filter.currentIndex()
        if chosen == _OPEN:
            return review is None
        if chosen == _DOUBTED:
            return item.doubted
        return chosen == _EVERY or (review is not None and review.verdict != "accepted")

    def _row(self, index: int, item: Item) -> Row:
        review = self._standing.get(item.subject)
        title = item.title if review is None else _title(item, review)
        verdict = "not reviewed" if review is None else review.verdict
        return Row(
            index, title, item.detail, "" if review is None else verdict,
            _ICONS.get(verdict, "triangle-alert" if item.doubted else "circle"), icon_label=verdict,
        )  # fmt: skip

    def _visible_indices(self) -> list[int]:
        return [row.id for row in self.list.rows.rows]

    def _index_of(self, subject: ReviewSubject) -> int | None:
        return next((index for index, item in self._items.items() if item.subject == subject), None)

    def _go_to(self, index: int | None) -> None:
        before = self.list.selected_id
        self.list.select(index)
        if index is None or index == before:
            self._show()

    def _on_selection(self, _now: QModelIndex, _before: QModelIndex) -> None:
        self._show()

    def _show(self) -> None:
        item = self.item
        if item is None:
            self.correction.show_fields({})
            self.summary.setText("" if self._visible_indices() else "Nothing of that kind is here.")
            return
        review = self._standing.get(item.subject)
        changes = {} if review is None else review.changes
        self.correction.show_fields({**item.fields, **changes} if item.fields else {})
        titles = [item.title] if item.subject.kind == "sentence" else []
        lines = [*titles, item.detail, *(f"Doubt: {doubt}." for doubt in item.doubts)]
        if review is not None:
            when = review.when[:19].replace("T", " ")
            lines.append(f"{review.verdict.capitalize()} by {review.who}, {when} UTC.")
        self.summary.setText("\n".join(lines))
        self.footage.show_item(self._material, item)

    def _say(self, text: str) -> None:
        self.summary.setText(text)


def _title(item: Item, review: CorpusReview) -> str:
    changed = ", ".join(text for text in review.changes.values() if text)
    return f"{changed} (was: {item.title})" if changed else item.title
