"""Draws the stills and charts of a report, and makes the document that names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.case import Case
from engine.core.errors import SightlineError
from engine.core.progress import CancelToken, ProgressCallback
from engine.pipeline.interpolation import expand_scores
from engine.pipeline.stored_run import stored_run
from engine.render.score_chart import score_chart
from engine.report.document.event_stills import EventStills, draw_event_stills, illustrated_events
from engine.report.document.report_document import report_document
from engine.report.report_content import EvidenceContent, ReportContent


def illustrate_report(
    case: Case,
    content: ReportContent,
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> dict[str, Any]:
    """Draws the stills and charts of a report and makes its document.

    Args:
        case: the open case.
        content: the content of the report.
        folder: a folder in which the folder `pictures` is made.
        cancel: is checked between stills.
        progress: is called with the number of stills drawn.

    Returns:
        The document: values of the types that JSON has.

    Raises:
        CancelledError: the user stopped.
        OSError: a still or a chart cannot be written.
    """
    images = folder / "pictures"
    images.mkdir()
    stills: dict[int, EventStills] = {}
    without: dict[int, str] = {}
    charts: dict[int, str] = {}
    in_all = sum(len(illustrated_events(evidence)) for evidence in content.evidence)
    for evidence in content.evidence:
        number = evidence.state.row.id
        drawn, without[number] = draw_event_stills(case, evidence, images, cancel, progress, in_all)
        stills.update(drawn)
        chart = _chart(case, evidence)
        if chart:
            charts[number] = f"scores-{number}.svg"
            (images / charts[number]).write_text(chart, encoding="utf-8")
    return report_document(content, stills, without, charts)


def _chart(case: Case, evidence: EvidenceContent) -> str:
    """Draws the scores of the current run; empty when there are none that can be shown."""
    if evidence.current is None:
        return ""
    try:
        stored = stored_run(case, evidence.current.row)
        plan, run_id = stored.plan, stored.run.id
        names = sorted(case.results.channels(run_id), key=lambda name: name != stored.leading)
        scores = {
            name: expand_scores(case.results.scores(run_id, name), plan.seconds, stored.seconds)
            for name in names
        }
    except SightlineError:
        # Where its stills would be, the document says that the maps of the run do not fit.
        return ""
    # The leading channel comes first in the legend and last on the paper, over the others.
    return score_chart(scores, stored.seconds, _spans(evidence))


def _spans(evidence: EvidenceContent) -> Sequence[tuple[str, float, float]]:
    return [
        (str(event["event_id"]), event["start_s"], event["end_s"])
        for event in illustrated_events(evidence)
    ]
