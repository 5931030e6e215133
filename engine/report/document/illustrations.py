"""A report's pictures and charts, and the document that names them."""

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
from engine.report.document.event_stills import EventPictures, draw_events, shown_events
from engine.report.document.report_document import document
from engine.report.report_content import EvidenceContent, ReportContent


def illustrated(
    case: Case,
    content: ReportContent,
    folder: Path,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> dict[str, Any]:
    """Draws what a report shows and sets its content out as a document.

    Args:
        case: open.
        content: what the report says.
        folder: gets a folder `pictures`.
        cancel: looked at between pictures.
        progress: told how many pictures are drawn.

    Returns:
        The document: values of JSON's types.

    Raises:
        CancelledError: the user stopped.
        OSError: a picture cannot be written.
    """
    place = folder / "pictures"
    place.mkdir()
    pictures: dict[int, EventPictures] = {}
    without: dict[int, str] = {}
    charts: dict[int, str] = {}
    in_all = sum(len(shown_events(one)) for one in content.evidence)
    for one in content.evidence:
        number = one.state.row.id
        drawn, without[number] = draw_events(case, one, place, cancel, progress, in_all)
        pictures.update(drawn)
        chart = _chart(case, one)
        if chart:
            charts[number] = f"scores-{number}.svg"
            (place / charts[number]).write_text(chart, encoding="utf-8")
    return document(content, pictures, without, charts)


def _chart(case: Case, one: EvidenceContent) -> str:
    """Draws the scores of the current run; empty when there are none that can be shown."""
    if one.current is None:
        return ""
    try:
        stored = stored_run(case, one.current.row)
        plan, run_id = stored.plan, stored.run.id
        names = sorted(case.results.channels(run_id), key=lambda name: name != stored.leading)
        scores = {
            name: expand_scores(case.results.scores(run_id, name), plan.seconds, stored.seconds)
            for name in names
        }
    except SightlineError:
        # The document names runs whose maps do not fit where their pictures would be.
        return ""
    # The leading channel comes first in the legend and last on the paper, over the others.
    return score_chart(scores, stored.seconds, _spans(one))


def _spans(one: EvidenceContent) -> Sequence[tuple[str, float, float]]:
    events = [*(one.current.events if one.current else ()), *one.own_events]
    return [
        (str(event["event_id"]), event["start_s"], event["end_s"])
        for event in events
        if event["state"] != "dismissed"
    ]
