"""Everything behind the window: state, session and operations."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.operations.case_operations import CaseOperations
from desktop.operations.dialogue_operations import DialogueOperations
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.marking_operations import MarkingOperations
from desktop.operations.review_operations import ReviewOperations
from desktop.operations.search_operations import SearchOperations
from desktop.operations.similarity_operations import SimilarityOperations
from desktop.operations.variant_operations import VariantOperations
from desktop.session.background import Background
from desktop.session.case_edits import AddWatched, Arrange
from desktop.session.session import Session
from desktop.session.user_settings import LastPosition, SettingsFile, UserSettings
from desktop.state.delayed_call import delayed_call
from desktop.state.observable import Observable
from desktop.state.view_state import OverlaySettings, ViewState

_SAVE_MS = 1500  # of changes are saved together; below the two seconds that may be lost


class Workspace(QObject):
    """Owns what outlives panels and menus; has no widgets.

    Attributes:
        settings: of the user, saved to a file within two seconds of a change.
        state: what the panels share.
        session: the open case.
        background: tasks that need no case.
        evidence: operations on evidence.
        review: operations of review.
        search: goes to moments of any evidence.
        marking: marks targets.
        variants: teaches by the marks, and chooses the variant that is used.
        similarity: the similarity search.
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
        self.search = SearchOperations(self.session, self.review)
        self.marking = MarkingOperations(self.session)
        self.variants = VariantOperations(self.session, self.evidence)
        self.similarity = SimilarityOperations(
            self.session, self.review, self.search, self.background
        )
        self.dialogue = DialogueOperations(self.session, self.settings, self.review)
        self.cases = CaseOperations(self.session, self.evidence, self.settings, self.background)
        saved = self.settings.value
        self.state.overlay.set(OverlaySettings(opacity=saved.opacity, colour_map=saved.colour_map))
        self._save = delayed_call(self, _SAVE_MS, self.save)
        state = self.state
        for value in (self.settings, state.position, state.overlay, state.evidence):
            value.changed.connect(lambda _value: self._save_soon())

    def arrange(self, evidence_id: int, step: int) -> None:
        """Moves evidence up (-1) or down (1) in the list."""
        ids = [item.id for item in self.session.items]
        index = ids.index(evidence_id) if evidence_id in ids else -1
        if index >= 0 and 0 <= index + step < len(ids):
            ids.insert(index + step, ids.pop(index))
            self.session.editor.edit(Arrange(tuple(ids)))

    def add_watched(self, evidence_id: int, spans: tuple[tuple[int, int], ...]) -> None:
        """Records which frames were watched, if the case can be written."""
        case = self.session.case
        if case is not None and not case.reading_only:
            self.session.editor.edit(AddWatched(evidence_id, spans))

    def save(self) -> None:
        """Writes the settings, with the frame on screen as the place to come back to."""
        self._save.stop()
        case, view = self.session.case, self.state.evidence.value
        settings = self.settings.value
        if case is not None:
            evidence_id = None if view is None else view.evidence.id
            frame = self.state.position.value
            settings = settings.at(LastPosition(str(case.path), evidence_id, frame))
        overlay = self.state.overlay.value
        self._file.save(settings.with_heat_style(overlay.opacity, overlay.colour_map))

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
