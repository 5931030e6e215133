"""Finding more of the same in rendered footage: a marked target again, and held-out words.

Run: `python -m tests.benchmarks.lab.similarity_search --rendered DIR [--work DIR] [--choices 20]
[--videos 24]`; DIR is a folder that `main.py synth --videos 60 --seed 1 --split test` wrote.
Each abnormal video is cut in two at a keyframe: a target marked in one half appears again in the
other.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from engine.case import Case
from engine.few_shot.marks import Mark
from engine.few_shot.moments import Moment
from engine.few_shot.similarity_search import SimilaritySearchResult, find_by_text, find_similar
from engine.lab.datasets.rendered_footage import RenderedVideo, rendered_videos
from engine.lab.synthesis.phrases import ABNORMAL
from tests.benchmarks.lab.teaching import box_around
from tests.benchmarks.lines import Line, absolute, run_json, table

_COMMAND = (
    "python -m tests.benchmarks.lab.similarity_search"
    " --rendered DIR --choices {choices} --videos {videos}"
)
_LEAST_PIXELS = 150
_LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Half:
    """One half of a video as it is evidence.

    Attributes:
        video: the whole.
        first: its first frame there.
        frames: how many it has.
    """

    video: RenderedVideo
    first: int
    frames: int

    def target(self, moment: Moment) -> int | None:
        """Returns the number of the target that fills most of a moment's box; None for nothing."""
        frame = min(self.frames - 1, moment.peak_frame) + self.first
        box = moment.box
        inside = self.video.ids(frame)[box.y : box.y + box.h, box.x : box.x + box.w]
        counts = np.bincount(inside.ravel(), minlength=2)[1:]
        if counts.sum() < _LEAST_SHARE * inside.size:
            return None
        return 1 + int(counts.argmax())


def lines(rendered: Path, work: Path, choices: int = 20, videos: int = 24) -> list[Line]:
    """Measures and returns the lines of the table.

    Args:
        rendered: the test split.
        work: keeps the cut videos and their case.
        choices: random targets that are marked.
        videos: abnormal videos that are cut.
    """
    halves = _cut(rendered, work / "halves", videos)
    case_folder = work / "halves.case"
    if not case_folder.exists():
        run_json("analyze", *halves, "--case", case_folder, "--channels", "scene,text")
    command = _COMMAND.format(choices=choices, videos=videos)
    with Case.open(case_folder, write=True) as case:
        known = {row.id: halves[case.evidence_path(row)] for row in case.evidence.all()}
        again = np.array(_marked(case, known, choices))
        words = _said(case, known)
    every = np.array([value for values in words.values() for value in values])
    summary = ", ".join(f"{name} {np.mean(values):.2f}" for name, values in sorted(words.items()))
    return [
        Line(f"a marked target's other half among {2 * videos} videos: mean average precision",
             ">= 0.8", f"{again.mean():.3f} of {choices} marks; first in {np.mean(again == 1):.0%}",
             bool(again.mean() >= 0.8), command),
        Line("held-out words: mean average precision", ">= 0.6",
             f"{every.mean():.3f} of {len(every)} ({summary})", bool(every.mean() >= 0.6), command),
    ]  # fmt: skip


def average_precision(relevant: list[bool], total: int) -> float:
    """Returns the mean of the precision at each relevant place; what is missing counts 0."""
    hits = np.cumsum(relevant)
    places = np.flatnonzero(relevant)
    return float(np.sum(hits[places] / (places + 1)) / total)


def _cut(rendered: Path, to: Path, count: int) -> dict[Path, Half]:
    to.mkdir(parents=True, exist_ok=True)
    halves: dict[Path, Half] = {}
    abnormal = [video for video in rendered_videos(rendered, "test") if not video.normal][:count]
    for video in abnormal:
        packets = _packets(video.path)
        keys = [number for number, (_, key) in enumerate(packets) if key]
        middle = min(keys, key=lambda key: abs(key - len(packets) // 2))
        for name, first, last in (("a", 0, middle), ("b", middle, len(packets))):
            path = to / f"{video.name}_{name}.mp4"
            if not path.exists():
                _copy(video.path, path, first, last)
            halves[path.resolve()] = Half(video, first, last - first)
    return halves


def _packets(path: Path) -> list[tuple[int, bool]]:
    with av.open(str(path)) as reader:
        every = [packet for packet in reader.demux(video=0) if packet.dts is not None]
        return [(packet.dts, packet.is_keyframe) for packet in every if packet.dts is not None]


def _copy(source: Path, target: Path, first: int, last: int) -> None:
    """Copies packets, in the order of decoding, without encoding them again."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        begun: int | None = None
        for number, packet in enumerate(reader.demux(video=0)):
            if packet.dts is None or packet.pts is None or not first <= number < last:
                continue
            begun = packet.dts if begun is None else begun
            packet.dts, packet.pts = packet.dts - begun, packet.pts - begun
            packet.stream = stream
            writer.mux(packet)


def _marked(case: Case, halves: dict[int, Half], choices: int) -> list[float]:
    """Marks a target in two frames of one half and looks for it in the other, again and again."""
    precisions: list[float] = []
    rng = np.random.default_rng(0)
    while len(precisions) < choices:
        evidence_id = int(rng.choice(list(halves)))
        half = halves[evidence_id]
        other = next(
            number
            for number, candidate in halves.items()
            if candidate.video is half.video and candidate.first != half.first
        )
        abnormal = half.video.abnormal(half.first, half.first + half.frames - 1)
        if not abnormal:
            continue
        target = abnormal[int(rng.integers(len(abnormal)))].number
        marks = _marks(half, evidence_id, target, rng)
        if marks is None or not _seen(halves[other], target):
            continue
        answer = find_similar(case, marks=marks)
        relevant = _ranked(answer, halves, (other, target))
        precisions.append(average_precision(relevant, 1))
        name = half.video.name
        print(f"{name} target {target}: {precisions[-1]:.2f}", flush=True)
    return precisions


def _ranked(
    answer: SimilaritySearchResult, halves: dict[int, Half], sought: tuple[int, int]
) -> list[bool]:
    """Says of each other target, most alike first, whether it is the one that was wanted."""
    relevant, is_found = [], False
    for moment in answer.moments:
        hit = (moment.evidence_id, halves[moment.evidence_id].target(moment))
        right = hit == sought
        if moment.itself or (right and is_found):
            continue
        is_found = is_found or right
        relevant.append(right)
    return relevant


def _said(case: Case, halves: dict[int, Half]) -> dict[str, list[float]]:
    """Looks for every class by each of its held-out phrases; average precision by class."""
    ranks: dict[str, list[float]] = {}
    for name, phrases in ABNORMAL.items():
        sought = {
            (number, target.number)
            for number, half in halves.items()
            for target in half.video.abnormal(half.first, half.first + half.frames - 1)
            if name in target.abnormal_classes and _seen(half, target.number)
        }
        for words in phrases.held_out if sought else ():
            relevant, met = [], set()
            for moment in find_by_text(case, words).moments:
                hit = (moment.evidence_id, halves[moment.evidence_id].target(moment))
                if hit not in met or hit not in sought:
                    relevant.append(hit in sought)
                met.add(hit)
            ranks.setdefault(name, []).append(average_precision(relevant, len(sought)))
        print(f"{name}: {ranks.get(name)}", flush=True)
    return ranks


def _seen(half: Half, target: int) -> bool:
    """Whether a target is large enough in the middle frames of a half to be found."""
    frames = np.linspace(half.first, half.first + half.frames - 1, 7).round().astype(int)[1:-1]
    return any(
        (half.video.ids(frame) == target).sum() >= _LEAST_PIXELS for frame in frames.tolist()
    )


def _marks(
    half: Half, evidence_id: int, target: int, rng: np.random.Generator
) -> list[Mark] | None:
    marks = []
    for frame in np.sort(rng.choice(half.frames, 2, replace=False)).tolist():
        inside = half.video.ids(half.first + frame) == target
        if inside.sum() < _LEAST_PIXELS:
            return None
        seconds = frame / half.video.fps
        marks.append(Mark(evidence_id, seconds, "marked target", False, "box", box_around(inside)))
    return marks


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rendered", type=absolute, required=True)
    parser.add_argument("--work", type=absolute)
    parser.add_argument("--choices", type=int, default=20)
    parser.add_argument("--videos", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        print(table(lines(options.rendered, work, options.choices, options.videos)))


if __name__ == "__main__":
    main()
