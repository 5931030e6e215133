"""Training samples for the dialogue: the truth of a span with all its heatmaps, cached on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.files import write_atomically
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.lab.dialogue_corpus.wording import SpanTruth
from engine.lab.parallel_tasks import map_in_processes
from engine.tvad.backbones.backbone import Backbone

TRUE = "true"
_VERSION = 2  # of the files; raise it when samples are made in another way, so that old ones go


@dataclass(frozen=True, eq=False)
class HeatmapInputs:
    """One heatmap of a span, with the video tokens that it selects.

    Attributes:
        heat: float32 [T'-1, R, C], 0..1.
        video: float32 [T', s, C], video tokens before the projector.
    """

    heat: NDArray[np.float32]
    video: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DialogueSample:
    """A span with its truth.

    Attributes:
        video: name of the video.
        span: first and last frame.
        truth: what is true of it.
        inputs: what each source of a heatmap gives: `true`, and `scene`, `text`, `fused` where they
            were measured and agree with the truth.
    """

    video: str
    span: tuple[int, int]
    truth: SpanTruth
    inputs: dict[str, HeatmapInputs]


@dataclass(frozen=True)
class SampleFile:
    """The samples of a video, on disk once they were made.

    Attributes:
        path: the file.
        make: makes the samples of the video; a picklable function.
    """

    path: Path
    make: Callable[[Backbone, CancelToken], Iterable[DialogueSample]]


def cached_samples(
    files: Sequence[SampleFile],
    backbone: Callable[[], Backbone],
    processes: int,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> Iterator[DialogueSample]:
    """Reads samples from files; makes and writes first what is missing, a file whole or not at all.

    Samples of another version of the program are made anew.

    Args:
        files: one for each video; samples come in this order.
        backbone: loads the backbone; called in each process, so it must be picklable.
        processes: how many videos are read at a time.
        progress: told after each video.
        cancel: looked at while samples are made.

    Raises:
        CancelledError: the user stopped; the files that were written stay.
        ResourceError: a process died.
    """
    missing = [file for file in files if not _is_current(file.path)]
    done = len(files) - len(missing)
    for _ in map_in_processes(backbone, _write, missing, processes, cancel):
        done += 1
        progress(Progress("dialogues", done, len(files), unit="videos"))
    for file in files:
        yield from unpack_samples(file.path.read_bytes())


def _write(backbone: Backbone, file: SampleFile, cancel: CancelToken) -> None:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file.path, pack_samples(list(file.make(backbone, cancel))))


def _is_current(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        length = int.from_bytes(file.read(4), "little")
        return bool(json.loads(file.read(length))[0] == _VERSION)


def pack_samples(samples: Sequence[DialogueSample]) -> bytes:
    """Packs samples into bytes; maps and tokens keep half precision."""
    arrays: dict[str, NDArray[np.float16]] = {}
    about = []
    for index, sample in enumerate(samples):
        about.append([sample.video, list(sample.span), sample.truth.as_json(), list(sample.inputs)])
        for source, inputs in sample.inputs.items():
            arrays[f"{index}.{source}.heat"] = inputs.heat.astype(np.float16)
            arrays[f"{index}.{source}.video"] = inputs.video.astype(np.float16)
    head = json.dumps([_VERSION, about]).encode()
    return len(head).to_bytes(4, "little") + head + pack_arrays(arrays)


def unpack_samples(data: bytes) -> Iterator[DialogueSample]:
    """Restores what `pack_samples` gave."""
    length = int.from_bytes(data[:4], "little")
    about = json.loads(data[4 : 4 + length])[1]
    arrays = unpack_arrays(data[4 + length :])
    for index, (video, span, truth, sources) in enumerate(about):
        inputs = {
            source: HeatmapInputs(
                arrays[f"{index}.{source}.heat"].astype(np.float32),
                arrays[f"{index}.{source}.video"].astype(np.float32),
            )
            for source in sources
        }
        yield DialogueSample(video, (span[0], span[1]), SpanTruth.from_json(truth), inputs)
