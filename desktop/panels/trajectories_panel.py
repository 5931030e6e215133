"""The trajectories of the evidence."""

from __future__ import annotations

from PySide6.QtGui import QAction

from desktop.panels.panel import Panel, offered
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
    """Lists the trajectories that the threshold leaves."""

    def __init__(self, state: ViewState, add: QAction, analyse: QAction) -> None:
        super().__init__("Trajectories", _EMPTY, add)
        self._add = add
        self._state = state
        self._analyse = analyse
        self._tokens = DARK
        self._shown: object = None
        state.evidence.changed.connect(lambda _view: self._refresh())
        state.threshold.changed.connect(lambda _least: self._refresh())
        state.selection.changed.connect(self._select)
        self._refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of a theme."""
        self._tokens, self._shown = tokens, None
        self._refresh()

    def _refresh(self) -> None:
        view, least = self._state.evidence.value, self._state.threshold.value
        state = None if view is None or view.run is None else view.run.state
        key = (None if view is None else view.trajectories, state, least)
        if key == self._shown:
            return
        self._shown = key
        self.empty.say(_empty(view))
        self.empty.offer(offered(view, self._add, self._analyse))
        self.list.set_rows([self._row(one) for one in visible_trajectories(view, least)])
        self._select(self._state.selection.value)

    def _row(self, one: TrajectorySummary) -> Row:
        speed = one.relative_speed
        times = "" if speed is None else f" · {speed:.1f}×"
        said = "" if speed is None else f"\n{speed:.1f} times the usual speed there"
        way = f"{one.from_cell} → {one.to_cell}"
        return Row(
            id=one.id,
            title=f"#{one.number}  {span_text(one.start_s, one.end_s)}",
            detail=f"{way}{times}",
            right="" if one.peak_score is None else f"{one.peak_score:.2f}",
            icon="route",
            colour=self._tokens.score if (one.peak_score or 0) >= 0.5 else "",
            tip=f"Trajectory #{one.number}\n{way}\nmoves {one.direction}{said}",
        )

    def _select(self, selection: Selection | None) -> None:
        chosen = selection.id if selection and selection.kind == "trajectory" else None
        self.list.select(chosen)


def _empty(view: EvidenceView | None) -> str:
    if view is None or view.run is None:
        return _EMPTY
    if view.run.state == "running":
        return "The analysis is in progress; trajectories are drawn at its end."
    if view.trajectories:
        return f"The threshold hides all {len(view.trajectories)} trajectories."
    return "Nothing that stands out moved through the picture."
