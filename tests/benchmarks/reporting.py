"""What a report of 200 events costs: pictures against bare seeks, typesetting in time and memory.

    python -m tests.benchmarks.reporting [--events 200] [--seconds 120]

Encodes 1080p footage with a keyframe every 45 frames, analyses every fifth frame, and marks events
at places drawn from a fixed seed. Bare seeks go to the same frames in the same order with PyAV
alone: seek to the keyframe before, decode up to the frame, convert it to RGB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.case import Case, NewOwnEvent
from engine.cli.main import run
from engine.core.progress import CancelToken, silent
from engine.report.document.event_stills import draw_event_stills
from engine.report.document.illustrations import illustrate_report
from engine.report.pdf_report import write_pdf
from engine.report.report_content import report_content
from tests.clips import write_video

SIZE = 1920, 1080
RATE = 25


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(_measure(Path(name), options.events, options.seconds), indent=1))


def _measure(folder: Path, events: int, seconds: int) -> dict[str, object]:
    video, case_folder = folder / "footage" / "gate.mp4", folder / "gate.case"
    video.parent.mkdir()
    _encode(video, seconds)
    words = ["analyze", str(video), "--case", str(case_folder), "--stride", "5", "--quiet"]
    assert run(words) == 0
    figures: dict[str, object] = {"events": events, "video": f"1080p, {seconds} s"}
    with Case.open(case_folder, write=True) as case:
        frames = _mark(case, events, seconds)
        content = report_content(case)
        seeks = _bare_seeks(video, frames)
        pictures = folder / "first"
        pictures.mkdir()
        begun = time.perf_counter()
        drawn, why = draw_event_stills(
            case, content.evidence[0], pictures, CancelToken(), silent, events
        )
        took = time.perf_counter() - begun
        assert not why
        again = _bare_seeks(video, frames)
        bare = min(seeks, again)
        figures["pictures"] = sum(len(stills.pictures) for stills in drawn.values())
        figures["bare_seeks_s"] = [round(seeks, 2), round(again, 2)]
        figures["pictures_s"] = round(took, 2)
        figures["pictures_to_seeks"] = round(took / bare, 3)
        work = folder / "work"
        work.mkdir()
        values = illustrate_report(case, content, work, CancelToken(), silent)
        begun = time.perf_counter()
        write_pdf(folder / "report.pdf", values, work, CancelToken(), silent)
        figures["typesetting_s"] = round(time.perf_counter() - begun, 2)
    figures["peak_mb"] = _peak_mb(case_folder, folder / "again.pdf")
    figures["pdf_mb"] = round((folder / "report.pdf").stat().st_size / 1e6, 1)
    figures["pages"] = _pages(folder / "report.pdf")
    return figures


def _encode(video: Path, seconds: int) -> None:
    rng = np.random.default_rng(3)
    ground = np.kron(rng.integers(60, 150, (27, 48, 3)), np.ones((40, 40, 1), np.int64))
    still = ground.astype(np.uint8)
    frames = []
    for number in range(2 * RATE):
        image = still.copy()
        image[500:620, (37 * number) % 1800 : (37 * number) % 1800 + 90] = (230, 220, 70)
        frames.append(image)
    # The same objects again and again: the frames of minutes must not be in memory at once.
    whole = [frames[number % len(frames)] for number in range(seconds * RATE)]
    write_video(
        video, whole, rate=Fraction(RATE), options={"preset": "superfast", "g": "45", "bf": "2"}
    )


def _mark(case: Case, events: int, seconds: int) -> list[int]:
    (stream,) = case.evidence.streams(1)
    step = stream.stream.time_base_den // (stream.stream.time_base_num * RATE)
    rng = np.random.default_rng(8)
    starts = sorted(int(start) for start in rng.integers(0, seconds * RATE - 60, events))
    first_pts = stream.stream.first_pts
    with case.change() as change:
        for first in starts:
            last, peak = first + 50, first + 25
            start_pts, end_pts, peak_pts = (
                first_pts + step * index for index in (first, last, peak)
            )
            times = {"start_s": first / RATE, "end_s": last / RATE, "peak_s": peak / RATE}
            change.own_events.add(
                NewOwnEvent(
                    evidence_id=1, run_id=1, first_frame=first, last_frame=last, peak_frame=peak,
                    start_pts=start_pts, end_pts=end_pts, peak_pts=peak_pts, **times,
                    peak_score=0.5, summary="marked for the benchmark",
                )
            )  # fmt: skip
    return [start + 25 for start in starts]


def _bare_seeks(video: Path, frames: list[int]) -> float:
    begun = time.perf_counter()
    with av.open(str(video)) as opened:
        stream = opened.streams.video[0]
        stream.thread_type = "AUTO"
        assert stream.time_base is not None
        step = 1 / (RATE * stream.time_base)
        for frame in frames:
            pts = round(frame * step)
            opened.seek(pts, stream=stream)
            for picture in opened.decode(stream):
                if picture.pts is not None and picture.pts >= pts:
                    picture.to_ndarray(format="rgb24")
                    break
    return time.perf_counter() - begun


def _peak_mb(case: Path, target: Path) -> int:
    """Writes the report once more and returns the largest of its processes, in MB."""
    # By a small process in between: a child starts with the peak of the process that forked it.
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    )
    words = ["main.py", "report", "--case", str(case), "--to", str(target)]
    done = subprocess.run(
        [sys.executable, "-c", script, sys.executable, *words],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


def _pages(pdf: Path) -> int:
    done = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("Pages:")]
    return int(lines[0].split()[1]) if lines else 0


if __name__ == "__main__":
    main()
