"""Method, limits and audit log in a report's document (R3, R4, R7, R11)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from engine.report.document.document_parts import Section, hash_row, plural, row, user_text, when
from engine.report.report_content import ReportContent, RunContent

REPEAT = (
    "Equal evidence, settings, version, machine and number of threads give equal results, bit for "
    "bit. Another processor or a GPU gives scores within 0.001 and the same events. "
    "The command analyze --repeat RUN replays a run and compares."
)


def method_section(content: ReportContent) -> Section:
    """Names every tool in order of use, and of each current run its settings and machine."""
    runs = [one.current for one in content.evidence if one.current]
    return {
        "steps": _steps(runs[-1] if runs else None, _has_answers(content)),
        "repeat": REPEAT,
        "runs": [_run(run, runs[:place]) for place, run in enumerate(runs)],
    }


def _has_answers(content: ReportContent) -> bool:
    turns = (turn for one in content.evidence for row in one.dialogues for turn in row["turns"])
    return any(turn["machine_written"] for turn in turns)


def _steps(run: RunContent | None, answers: bool) -> list[Section]:
    env: Mapping[str, Any] = json.loads(run.row.environment) if run else {}
    packages = env.get("packages", {})
    decoder = ", ".join(
        f"{name} {'.'.join(map(str, numbers))}" for name, numbers in env.get("decoder", {}).items()
    )
    av, cv, numpy, scipy = (
        packages.get(name, "version not recorded")
        for name in ("av", "opencv-python-headless", "numpy", "scipy")
    )
    python = env.get("python", "version not recorded")
    written = "only the answers marked machine-written are" if answers else "no text in it is"
    told = (
        ("Integrity", "SHA-256 over the whole of each file, when it was added, before each run "
         "and for this report.", f"Python {python}, hashlib"),
        ("Decoding", "Every frame of the native stream by its own PTS; the file is "
         "opened read-only.", f"PyAV {av}" + (f" with {decoder}" if decoder else "")),
        ("Motion", "Foreground against the median of frames around it; dense optical flow, "
         "averaged over time, in cells of the picture.", f"OpenCV {cv}, NumPy {numpy}"),
        ("Calibration", "What is usual for this camera: speeds and sizes by row, directions and "
         "visits by place, length of stays.", f"NumPy {numpy}, SciPy {scipy}"),
        ("Scoring", "How far each cell departs from the usual, 0.5 at its limit; a frame's score "
         "is the largest.", f"Sightline {run.row.version if run else ''}, SciPy {scipy}"),
        *_text_step(run),
        ("Tracking and events", "Hot regions are followed as targets; spans of the score with "
         "hysteresis are events.", f"Sightline {run.row.version if run else ''}"),
        ("Report", f"Set from the case by templates; {written} written by a language model.",
         f"Jinja {version('jinja2')}, Typst {version('typst')}"),
    )  # fmt: skip
    return [{"name": name, "text": text, "tool": tool.strip(", ")} for name, text, tool in told]


def _text_step(run: RunContent | None) -> list[tuple[str, str, str]]:
    """Names pack, device and number type of the text channel where it spoke."""
    text = json.loads(run.row.settings).get("text") if run else None
    if not text:
        return []
    tool = f"pack {text['pack']} {text['version']}, SHA-256 {text['pack_sha256']}, "
    said = "A frozen visual backbone and its trained decoder compare every cell with the prompts."
    return [("Text channel", said, f"{tool}{text['number_type']} on {text['device']}")]


def _run(run: RunContent, before: Sequence[RunContent]) -> Section:
    stored = run.row
    env = json.loads(stored.environment)
    channels = "; ".join(
        f"{name}: largest score {one['max']:.3f}, 99th percentile {one['p99']:.3f}"
        for name, one in run.channels.items()
    )
    rows = [
        row("Started", when(stored.started_utc)),
        row("Finished", when(stored.finished_utc or "")),
        row("Frames", f"{stored.frames:,}, of which {stored.analysed_frames:,} analysed"),
        row("Scores", channels or "none"),
        row("Sightline", stored.version),
        row("System", f"{env.get('system', '')}, {env.get('machine', '')}"),
        row("Processor", f"{env.get('processor', '')}, {env.get('processors', '?')} processors"),
        row("Threads", str(env.get("threads", "?"))),
        row("Python", str(env.get("python", ""))),
        row("Libraries", ", ".join(f"{n} {v}" for n, v in env.get("packages", {}).items())),
        hash_row("SHA-256 of evidence then", stored.evidence_sha256),
        hash_row("Hash of settings", stored.settings_sha256),
    ]
    rows += [
        row(
            f"Calibration {one['calibration_id']}",
            f"{one['kind']}, channel {one['channel']}, version {one['version']}, "
            f"SHA-256 {one['sha256']}",
        )
        for one in run.calibrations
    ]
    same = [one.row.id for one in before if one.row.settings_sha256 == stored.settings_sha256]
    settings = [
        {"name": name, "value": user_text(value)}
        for name, value in _flat(json.loads(stored.settings))
    ]
    return {
        "title": f"Run {stored.id} on evidence {stored.evidence_id}",
        "rows": rows,
        "settings": [] if same else settings,
        "same_as": f"the same as those of run {same[0]}" if same else "",
    }


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"{before}{name}", text


def limit_section(content: ReportContent) -> Section:
    """Says what a reader must know before relying on the report."""
    channels = sorted(
        {name for one in content.evidence if one.current for name in one.current.channels}
    )
    return {
        "said": [user_text(text) for text in content.limits],
        "rates": [_rate(one) for one in content.rates if one["channel"] in channels],
        "unmeasured": [
            name for name in channels if name not in {one["channel"] for one in content.rates}
        ],
    }


def _rate(one: Mapping[str, Any]) -> Section:
    return {
        "channel": one["channel"],
        "data": f"{one['dataset']}, {one['split']}, {plural(one['videos'], 'video', 'videos')}",
        "frames": f"{one['frames']:,} ({one['abnormal_frames']:,} abnormal)",
        "calibrate": one["calibrate"],
        "false_alarm": _percent(one["false_alarm_rate"]),
        "miss": _percent(one["miss_rate"]),
        "micro_auc": "undefined" if one["micro_auc"] is None else f"{one['micro_auc']:.3f}",
        "threshold": f"{one['threshold']:g}",
        "version": one["sightline"],
    }


def _percent(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f} %"


def audit_section(content: ReportContent) -> Section:
    """Says where the history of the case ends, and what in it needs an explanation."""
    said = [
        f"The case's history has {content.audit_entries:,} entries, each bound by a hash to the "
        "one before it. The head below is that of the last entry before this report was recorded.",
        "The command verify --head with this head says whether the history in a copy of the case "
        "is the one that this report was made from.",
    ]
    said += [
        f"The clock of the machine ran backwards before entry {one['seq']}: from "
        f"{when(one['before'])} to {when(one['utc'])}. Order is kept by number and chain."
        for one in content.clocks[:20]
    ]
    if len(content.clocks) > 20:
        said.append(f"It did so {len(content.clocks)} times in all.")
    return {"said": said, "entries": content.audit_entries, "head": content.audit_head}
