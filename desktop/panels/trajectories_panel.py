"""The trajectories of the evidence."""

from __future__ import annotations

from PySide6.QtGui import QAction

from desktop.panels.panel import Panel, next_action
from desktop.panels.row_list import Row
from desktop.panels.short_times import span_text
from desktop.state.evidence_view import EvidenceView
from desktop.state.view_state import Selection, ViewState
from desktop.state.visibility_filters import visible_trajectories
from desktop.theme.theme_tokens import DARK, Tokens
from engine.case import TrajectorySummary

_EMPTY = (
    "What moved will be listed here: when, from where to where, and how fast compared with the "
    "usual.\n\nAdd evidence and analyse it:"
)


class TrajectoriesPanel(Panel):
    """Lists the trajectories that the threshold does not hide."""

    def __init__(self, state: ViewState, add: QAction, analyse: QAction) -> None:
        super().__init__("Trajectories", _EMPTY, add)
        self._add = add
        self._state = state
        self._analyse = analyse
        self._tokens = DARK
        self._listed: object = None
        state.evidence.changed.connect(lambda _view: self._refresh())
        state.threshold.changed.connect(lambda _threshold: self._refresh())
        state.selection.changed.connect(self._select)
        self._refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Sets the colours of a theme."""
        self._tokens, self._listed = tokens, None
        self._refresh()

    def _refresh(self) -> None:
        view, threshold = self._state.evidence.value, self._state.threshold.value
        state = None if view is None or view.run is None else view.run.state
        key = (None if view is None else view.trajectories, state, threshold)
        if key == self._listed:
            return
        self._listed = key
        self.empty.set_text(_empty_text(view))
        self.empty.set_action(next_action(view, self._add, self._analyse))
        self.list.set_rows([self._row(row) for row in visible_trajectories(view, threshold)])
        self._select(self._state.selection.value)

    def _row(self, trajectory: TrajectorySummary) -> Row:
        speed, peak = trajectory.relative_speed, trajectory.peak_score
        times = "" if speed is None else f" · {speed:.1f}×"
        usual = "" if speed is None else f"\n{speed:.1f} times the usual speed there"
        path = f"{trajectory.from_cell} → {trajectory.to_cell}"
        return Row(
            id=trajectory.id,
            title=f"#{trajectory.number}  {span_text(trajectory.start_s, trajectory.end_s)}",
            detail=f"{path}{times}",
            right="" if peak is None else f"{peak:.2f}",
            icon="route",
            colour=self._tokens.score if (peak or 0) >= 0.5 else "",
            tip=f"Trajectory #{trajectory.number}\n{path}\nmoves {trajectory.direction}{usual}",
        )

    def _select(self, selection: Selection | None) -> None:
        selected_id = selection.id if selection and selection.kind == "trajectory" else None
        self.list.select(selected_id)


def _empty_text(view: EvidenceView | None) -> str:
    if view is None or view.run is None:
        return _EMPTY
    if view.run.state == "running":
        return "The analysis is in progress; trajectories are drawn at its end."
    if view.trajectories:
        return f"The threshold hides all {len(view.trajectories)} trajectories."
    return "Nothing that stands out moved through the picture."
