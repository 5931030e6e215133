"""What a verification shall compare beyond what the case holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.theme.stylesheet import mono
from engine.case import is_head


class VerifyingDialog(QDialog):
    """Asks for a noted head of the audit log and for further hashes of the evidence.

    Args:
        verify: takes the head, empty without, and the names of the hashes.
        parent: window it belongs to.
    """

    def __init__(self, verify: Callable[[str, Sequence[str]], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Verify and compare")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._verify = verify
        self.head = QLineEdit()
        self.head.setFont(mono())
        self.head.setPlaceholderText("64 digits, from a report or a printed log")
        self.head.setAccessibleName("Head of the audit log, as noted elsewhere")
        self.md5, self.sha1 = QCheckBox("MD5"), QCheckBox("SHA-1")
        self.wrong = QLabel("A head has 64 digits from 0 to f.")
        self.wrong.setProperty("role", "danger")
        self.wrong.hide()
        hashes = QHBoxLayout()
        hashes.addWidget(self.md5)
        hashes.addWidget(self.sha1)
        hashes.addStretch(1)
        form = QFormLayout()
        form.addRow("Noted &head", self.head)
        form.addRow("Hash evidence also as", hashes)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        begin = self.buttons.addButton("Verify", QDialogButtonBox.ButtonRole.AcceptRole)
        begin.setDefault(True)
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        said = QLabel(
            "A history that was rewritten as a whole agrees with itself. Only a head that was\n"
            "noted elsewhere, in a report or on paper, shows it. SHA-256 is always computed;\n"
            "the others are for comparing with what another lab noted."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(said)
        layout.addLayout(form)
        layout.addWidget(self.wrong)
        layout.addWidget(self.buttons)

    def _try(self) -> None:
        head = self.head.text().strip()
        wrong = bool(head) and not is_head(head)
        self.wrong.setVisible(wrong)
        if wrong:
            return
        also = [name for name, box in (("md5", self.md5), ("sha1", self.sha1)) if box.isChecked()]
        self._verify(head, also)
        self.accept()
