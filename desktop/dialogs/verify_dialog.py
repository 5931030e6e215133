"""Asks what a verification is to compare beyond what the case holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QWidget

from desktop.dialogs.dialog_parts import dialog_column, error_label
from desktop.theme.controls import line_field
from desktop.theme.layouts import row_of
from desktop.theme.stylesheet import mono
from engine.case import is_head


class VerifyDialog(QDialog):
    """Asks for an audit head that was recorded elsewhere, and for further hashes of the evidence.

    Args:
        verify: called with the head, which may be empty, and the names of the hashes.
        parent: window it belongs to.
    """

    def __init__(self, verify: Callable[[str, Sequence[str]], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Verify and compare")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._verify = verify
        self.head = line_field(
            "Head of the audit log, as noted elsewhere", "64 digits, from a report or a printed log"
        )
        self.head.setFont(mono())
        self.md5, self.sha1 = QCheckBox("MD5"), QCheckBox("SHA-1")
        self.error = error_label("A head has 64 digits from 0 to f.")
        form = QFormLayout()
        form.addRow("Audit &head to compare", self.head)
        form.addRow("Hash evidence also as", row_of(self.md5, self.sha1, None, spacing=-1))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        begin = self.buttons.addButton("Verify", QDialogButtonBox.ButtonRole.AcceptRole)
        begin.setDefault(True)
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        about = QLabel(
            "A history that was rewritten as a whole agrees with itself. Only a head that was\n"
            "noted elsewhere, in a report or on paper, shows it. SHA-256 is always computed;\n"
            "the others are for comparing with what another lab noted."
        )
        dialog_column(self, about, form, self.error, self.buttons, spacing=12)

    def _try(self) -> None:
        head = self.head.text().strip()
        is_wrong = bool(head) and not is_head(head)
        self.error.setVisible(is_wrong)
        if is_wrong:
            return
        also = [name for name, box in (("md5", self.md5), ("sha1", self.sha1)) if box.isChecked()]
        self._verify(head, also)
        self.accept()
