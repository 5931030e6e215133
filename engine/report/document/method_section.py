"""Sets method, limits and audit log out in a report (R3, R4, R7, R11)."""

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
    """Returns every tool in order of use, and settings and machine of each current run."""
    runs = content.current_runs
    return {
        "steps": _steps(runs[-1] if runs else None, _has_answers(content)),
        "repeat": REPEAT,
        "runs": [_run(run, runs[:number]) for number, run in enumerate(runs)],
    }


def _has_answers(content: ReportContent) -> bool:
    dialogues = (row for evidence in content.evidence for row in evidence.dialogues)
    turns = (turn for row in dialogues for turn in row["turns"])
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
    steps = (
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
    return [{"name": name, "text": text, "tool": tool.strip(", ")} for name, text, tool in steps]


def _text_step(run: RunContent | None) -> list[tuple[str, str, str]]:
    """Returns the step of the text channel with pack, device and number type, if the run has it."""
    text = json.loads(run.row.settings).get("text") if run else None
    if not text:
        return []
    tool = f"pack {text['pack']} {text['version']}, SHA-256 {text['pack_sha256']}, "
    what = "A frozen visual backbone and its trained decoder compare every cell with the prompts."
    return [("Text channel", what, f"{tool}{text['number_type']} on {text['device']}")]


def _run(run: RunContent, before: Sequence[RunContent]) -> Section:
    stored = run.row
    env = json.loads(stored.environment)
    channels = "; ".join(
        f"{name}: largest score {figures['max']:.3f}, 99th percentile {figures['p99']:.3f}"
        for name, figures in run.channels.items()
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
            f"Calibration {calibration['calibration_id']}",
            f"{calibration['kind']}, channel {calibration['channel']}, "
            f"version {calibration['version']}, SHA-256 {calibration['sha256']}",
        )
        for calibration in run.calibrations
    ]
    same = [
        earlier.row.id
        for earlier in before
        if earlier.row.settings_sha256 == stored.settings_sha256
    ]
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
    """Returns what a reader must know before relying on the report."""
    channels = sorted({name for run in content.current_runs for name in run.channels})
    return {
        "said": [user_text(text) for text in content.limits],
        "rates": [_rate(rate) for rate in content.rates if rate["channel"] in channels],
        "unmeasured": [
            name for name in channels if name not in {rate["channel"] for rate in content.rates}
        ],
    }


def _rate(rate: Mapping[str, Any]) -> Section:
    return {
        "channel": rate["channel"],
        "data": f"{rate['dataset']}, {rate['split']}, {plural(rate['videos'], 'video', 'videos')}",
        "frames": f"{rate['frames']:,} ({rate['abnormal_frames']:,} abnormal)",
        "calibrate": rate["calibrate"],
        "false_alarm": _percent(rate["false_alarm_rate"]),
        "miss": _percent(rate["miss_rate"]),
        "micro_auc": "undefined" if rate["micro_auc"] is None else f"{rate['micro_auc']:.3f}",
        "threshold": f"{rate['threshold']:g}",
        "version": rate["sightline"],
    }


def _percent(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f} %"


def audit_section(content: ReportContent) -> Section:
    """Returns where the audit chain of the case ends, and what in it needs an explanation."""
    sentences = [
        f"The case's history has {content.audit_entries:,} entries, each bound by a hash to the "
        "one before it. The head below is that of the last entry before this report was recorded.",
        "The command verify --head with this head says whether the history in a copy of the case "
        "is the one that this report was made from.",
    ]
    sentences += [
        f"The clock of the machine ran backwards before entry {entry['seq']}: from "
        f"{when(entry['before'])} to {when(entry['utc'])}. Order is kept by number and chain."
        for entry in content.clocks[:20]
    ]
    if len(content.clocks) > 20:
        sentences.append(f"It did so {len(content.clocks)} times in all.")
    return {"said": sentences, "entries": content.audit_entries, "head": content.audit_head}
