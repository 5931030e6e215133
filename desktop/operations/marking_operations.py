"""Few-shot teaching: marking targets in frames."""

from __future__ import annotations

from desktop.operations.operations import Operations
from desktop.player.target_pointer import PointedTarget
from desktop.session.session import Session
from desktop.state.evidence_view import EvidenceView
from desktop.state.target_mark import TargetMark
from engine.core.errors import BadInputError, SightlineError


class MarkingOperations(Operations):
    """Adds and removes the marks from which a variant is taught.

    Args:
        session: the open case.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        session.closed.connect(lambda: self._state.targets.set(()))

    def mark(self, name: str, normal: bool, pointed: PointedTarget) -> None:
        """Marks a target in the frame on screen.

        Args:
            name: what it is.
            normal: whether it is normal; otherwise abnormal.
            pointed: where it is.
        """
        view, frame = self._state.evidence.value, self._state.shown.value
        if view is None or frame is None or frame.preview:
            self._refuse("there is no exact frame to mark yet", "", "wait for the frame")
            return
        try:
            mark = TargetMark(
                view.evidence.id, frame.index, frame.seconds, _check_name(name), normal,
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

    def remove(self, index: int) -> None:
        """Removes a mark by its index in the list; variants that were taught by it keep it."""
        marks = self._state.targets.value
        if not 0 <= index < len(marks):
            self._refuse("no mark is selected", "", "select one in the list of marks")
            return
        self._state.targets.set((*marks[:index], *marks[index + 1 :]))

    def clear(self) -> None:
        """Removes all marks."""
        self._state.targets.set(())

    def go_to(self, index: int) -> None:
        """Shows the frame of a mark."""
        mark, view = self._state.targets.value[index], self._state.evidence.value
        self._state.playing.set(False)
        if view is None or view.evidence.id != mark.evidence_id:
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


def _check_name(name: str) -> str:
    """Returns a name in the form that prompts have, or raises an error."""
    if not name.strip():
        raise BadInputError("the target has no name", "", "type what it is, then mark it")
    # Imported here because reading prompts takes a library that nothing else needs.
    from engine.packs.prompt_sets import parse_prompts

    values = {"language": "en", "normal": ["-"], "abnormal": [name]}
    return parse_prompts(values, "the name of a target").abnormal[0]


def _check_inside(view: EvidenceView, mark: TargetMark) -> None:
    xs, ys = ([point[axis] for point in mark.points] for axis in (0, 1))
    if max(xs) < 0 or max(ys) < 0 or min(xs) >= view.width or min(ys) >= view.height:
        raise BadInputError("a mark on nothing, outside the picture", "", "mark inside the picture")
