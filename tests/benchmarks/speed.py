"""Speed and memory: frames a second, `analyze` against bare decoding, one hour of footage.

Run: `python -m tests.benchmarks.speed`
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import av

from tests.benchmarks.footage_files import encode_1080p, loop
from tests.benchmarks.lines import Line, footage, run_json, table, timed

_COMMAND = "python -m tests.benchmarks.speed"
_RUNS = 3


def lines() -> list[Line]:
    """Measures and returns the lines of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_vtest(folder), *_decoding(folder), *_memory(folder), _help()]


def _footage(folder: Path) -> Path:
    """A folder of its own, because a case may not lie beside evidence."""
    inside = folder / "footage"
    inside.mkdir(exist_ok=True)
    return inside


def _vtest(folder: Path) -> list[Line]:
    video = footage() / "clips" / "vtest.avi"
    walls = []
    for number in range(_RUNS):
        result = run_json("analyze", video, "--case", folder / "cases" / f"v{number}.case")
        walls.append(result["runs"][0]["analysed_frames"] / result["runs"][0]["wall_s"])
    best = sorted(walls)[_RUNS // 2]
    return [
        Line(
            "`vtest.avi`, decoding included",
            ">= 40 frames/s",
            f"{best:.0f}/s",
            best >= 40,
            _COMMAND,
        )
    ]


def bare_decoding(video: Path, size: tuple[int, int]) -> float:
    """Returns the seconds that bare PyAV takes to decode a video to grey pictures of a size."""
    begun = time.perf_counter()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            frame.reformat(*size, "gray").to_ndarray()
    return time.perf_counter() - begun


def _decoding(folder: Path) -> list[Line]:
    video = _footage(folder) / "hd.mp4"
    encode_1080p(footage() / "clips" / "vtest.avi", video, 795)
    size = run_json("analyze", video, "--case", folder / "cases" / "hd0.case")["runs"][0][
        "analysis_size"
    ]
    ratios = []
    for number in range(1, _RUNS + 1):
        bare = bare_decoding(video, (size[0], size[1]))
        wall, _ = timed(
            "analyze", video, "--case", folder / "cases" / f"hd{number}.case", "--quiet"
        )
        ratios.append(wall / bare)
    ratio = sorted(ratios)[_RUNS // 2]
    name = "1080p H.264, wall time of `analyze` / bare decoding to the same size"
    summary = f"{ratio:.2f} ({', '.join(f'{value:.2f}' for value in ratios)})"
    return [Line(name, "<= 3", summary, ratio <= 3, _COMMAND)]


def _memory(folder: Path) -> list[Line]:
    peaks = {}
    for minutes in (5, 60):
        video = _footage(folder) / f"{minutes}.mp4"
        loop(_footage(folder) / "hd.mp4", video, minutes * 60)
        _, peaks[minutes] = timed(
            "analyze",
            video,
            "--case",
            folder / "cases" / f"{minutes}.case",
            "--stride",
            "25",
            "--quiet",
        )
        video.unlink()
    apart = abs(peaks[60] - peaks[5])
    return [
        Line(
            "peak memory, one hour of 1080p, every 25th frame",
            "< 700 MB",
            f"{peaks[60]:.0f} MB",
            peaks[60] < 700,
            _COMMAND,
        ),
        Line(
            "the same against five minutes",
            "within 50 MB",
            f"{peaks[5]:.0f} MB, {apart:.0f} MB apart",
            apart <= 50,
            _COMMAND,
        ),
    ]


def _help() -> Line:
    walls = sorted(timed("--help")[0] for _ in range(5))
    return Line("`main.py --help`", "< 0.5 s", f"{walls[2]:.2f} s", walls[2] < 0.5, _COMMAND)


if __name__ == "__main__":
    print(table(lines()))
