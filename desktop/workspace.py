"""Everything behind the window: state, session and operations, put together once."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from desktop.operations.case_operations import CaseOperations
from desktop.operations.dialogue_operations import DialogueOperations
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.marking_operations import TeachingOperations
from desktop.operations.review_operations import ReviewOperations
from desktop.operations.search_operations import FindingOperations
from desktop.operations.similarity_operations import AlikeOperations
from desktop.operations.variant_operations import VariantOperations
from desktop.session.background import Background
from desktop.session.case_edits import AddWatched, Arrange
from desktop.session.session import Session
from desktop.session.user_settings import Place, SettingsFile, UserSettings
from desktop.state.observable import Observable
from desktop.state.view_state import OverlaySettings, ViewState

_SAVE_MS = 1500


class Workspace(QObject):
    """Owns what outlives panels and menus; has no widgets.

    Attributes:
        settings: of the user, kept in a file within two seconds of a change.
        state: what the panels share.
        session: the open case.
        background: tasks that need no case.
        evidence: operations on evidence.
        review: operations of review.
        finding: goes to moments of any evidence.
        teaching: marks targets.
        variants: teaches by the marks, and says which variant counts.
        alike: finds more of the same.
        dialogue: operations of the dialogue.
        cases: operations on cases.
    """

    def __init__(self, file: SettingsFile) -> None:
        super().__init__()
        self._file = file
        self.settings: Observable[UserSettings] = Observable(file.load())
        self.state = ViewState()
        self.session = Session(self.state)
        self.background = Background()
        self.evidence = EvidenceOperations(self.session, self.settings, self.background)
        self.review = ReviewOperations(self.session, self.evidence)
        self.finding = FindingOperations(self.session, self.review)
        self.teaching = TeachingOperations(self.session)
        self.variants = VariantOperations(self.session, self.evidence)
        self.alike = AlikeOperations(
            self.session, self.evidence, self.review, self.finding, self.background
        )
        self.dialogue = DialogueOperations(self.session, self.settings, self.evidence, self.review)
        self.cases = CaseOperations(self.session, self.evidence, self.settings, self.background)
        saved = self.settings.value
        self.state.overlay.set(OverlaySettings(opacity=saved.opacity, colour_map=saved.colour_map))
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(_SAVE_MS)
        self._save.timeout.connect(self.save)
        for one in (self.settings, self.state.position, self.state.overlay, self.state.evidence):
            one.changed.connect(lambda _value: self._save_soon())

    def arrange(self, evidence_id: int, step: int) -> None:
        """Moves evidence up (-1) or down (1) in the list."""
        ids = [one.id for one in self.session.items]
        place = ids.index(evidence_id) if evidence_id in ids else -1
        if place >= 0 and 0 <= place + step < len(ids):
            ids.insert(place + step, ids.pop(place))
            self.session.editor.edit(Arrange(tuple(ids)))

    def watched(self, evidence_id: int, spans: tuple[tuple[int, int], ...]) -> None:
        """Keeps what was watched, when the case can be written."""
        case = self.session.case
        if case is not None and not case.reading_only:
            self.session.editor.edit(AddWatched(evidence_id, spans))

    def save(self) -> None:
        """Writes the settings with where the user is now."""
        self._save.stop()
        case, view = self.session.case, self.state.evidence.value
        settings = self.settings.value
        if case is not None:
            evidence_id = None if view is None else view.evidence.id
            place = Place(str(case.path), evidence_id, self.state.position.value)
            settings = settings.at(place)
        overlay = self.state.overlay.value
        self._file.save(settings.drawn(overlay.opacity, overlay.colour_map))

    def close(self) -> None:
        """Saves, and ends threads and processes."""
        self.save()
        self.background.close()
        self.session.close()
        # Closing the session changes what is shown, which would be saved as where the user was.
        self._save.stop()

    def _save_soon(self) -> None:
        if not self._save.isActive():
            self._save.start()
