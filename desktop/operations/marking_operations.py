"""Teaching by example: marking targets in frames."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.player.target_pointer import Pointed
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.state.target_mark import TargetMark
from engine.core.errors import BadInputError, SightlineError


class TeachingOperations(QObject):
    """Marks targets to teach by.

    Args:
        session: the open case.
    """

    problem = Signal(object)
    """A SightlineError to be shown once."""

    said = Signal(str)
    """Something to know that is not seen otherwise."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._state = session.state
        session.closed.connect(lambda: self._state.targets.set(()))

    def mark(self, name: str, normal: bool, pointed: Pointed) -> None:
        """Marks a target in the frame on screen.

        Args:
            name: what it is.
            normal: whether it is normal; otherwise abnormal.
            pointed: where it is.
        """
        view, shown = self._state.evidence.value, self._state.shown.value
        if view is None or shown is None or shown.preview:
            self.problem.emit(
                BadInputError("there is no exact frame to mark yet", "", "wait for the frame")
            )
            return
        try:
            mark = TargetMark(
                view.evidence.id, shown.index, shown.seconds, _checked(name), normal,
                pointed.shape, pointed.points, pointed.radius, view.evidence.name,
            )  # fmt: skip
            _check_inside(view, mark)
            self._check_side(mark)
        except SightlineError as error:
            self.problem.emit(error)
            return
        marks = self._state.targets.value
        if mark not in marks:
            self._state.targets.set((*marks, mark))

    def remove(self, place: int) -> None:
        """Removes a mark by its place in the list; one that was taught by stays in its variant."""
        marks = self._state.targets.value
        if not 0 <= place < len(marks):
            self.problem.emit(
                BadInputError("no mark is selected", "", "select one in the list of marks")
            )
            return
        self._state.targets.set((*marks[:place], *marks[place + 1 :]))

    def clear(self) -> None:
        """Removes all marks."""
        self._state.targets.set(())

    def go_to(self, place: int) -> None:
        """Shows the frame of a mark."""
        mark, view = self._state.targets.value[place], self._state.evidence.value
        self._state.playing.set(False)
        if view is not None and view.evidence.id == mark.evidence_id:
            self._state.position.set(mark.frame)
        else:
            self._session.show(mark.evidence_id)
            self._state.position.set(mark.frame)

    def _check_side(self, mark: TargetMark) -> None:
        for other in self._state.targets.value:
            if other.name.casefold() == mark.name.casefold() and other.normal != mark.normal:
                raise BadInputError(
                    f'"{other.name}" is marked as {other.side} already',
                    "",
                    f"name this {mark.side} target otherwise, or remove the other marks",
                )


def _checked(name: str) -> str:
    """Returns a name in the form that prompts have."""
    if not name.strip():
        raise BadInputError("the target has no name", "", "type what it is, then mark it")
    # Imported here because reading prompts takes a library that nothing else needs.
    from engine.packs.prompt_sets import parse_prompts

    values = {"language": "en", "normal": ["-"], "abnormal": [name]}
    return parse_prompts(values, "the name of a target").abnormal[0]


def _check_inside(view: EvidenceView, mark: TargetMark) -> None:
    across, down = ([one[axis] for one in mark.points] for axis in (0, 1))
    outside = (
        max(across) < 0 or max(down) < 0 or min(across) >= view.width or min(down) >= view.height
    )
    if outside:
        raise BadInputError("a mark on nothing, outside the picture", "", "mark inside the picture")
