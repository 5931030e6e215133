"""Samples of a dialogue: the truth of a span with every map of it, kept on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.processes import map_in_processes
from engine.core.progress import CancelToken, Progress, ProgressCallback
from engine.lab.dialogue_corpus.wording import Truth
from engine.tvad.backbones.backbone import Backbone

TRUE = "true"
_VERSION = 2


@dataclass(frozen=True, eq=False)
class Seen:
    """One map of a span and the span looked at through it.

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
        seen: by source of the map: `true`, and `scene`, `text`, `fused` where they were measured
            and agree with the truth.
    """

    video: str
    span: tuple[int, int]
    truth: Truth
    seen: dict[str, Seen]


@dataclass(frozen=True)
class SampleFile:
    """The samples of a video, on disk once they were made.

    Attributes:
        path: of the file.
        make: makes them; a picklable function.
    """

    path: Path
    make: Callable[[Backbone, CancelToken], Iterable[DialogueSample]]


def kept_samples(
    files: Sequence[SampleFile],
    backbone: Callable[[], Backbone],
    processes: int,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> Iterator[DialogueSample]:
    """Reads samples from files; makes and writes first what is missing, a file whole or not at all.

    Samples of another version of the program are made anew.

    Args:
        files: of the videos; their samples come in this order.
        backbone: loads what looks at the footage, in each process, so it is picklable.
        processes: how many videos are looked at at a time.
        progress: told after each video.
        cancel: looked at while samples are made.

    Raises:
        CancelledError: the user stopped; the files that were written stay.
        ResourceError: a process died.
    """
    missing = [one for one in files if not _current(one.path)]
    done = len(files) - len(missing)
    for _ in map_in_processes(backbone, _write, missing, processes, cancel):
        done += 1
        progress(Progress("dialogues", done, len(files), unit="videos"))
    for one in files:
        yield from unpack_samples(one.path.read_bytes())


def _write(backbone: Backbone, file: SampleFile, cancel: CancelToken) -> None:
    part = file.path.with_suffix(".part")
    file.path.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(pack_samples(list(file.make(backbone, cancel))))
    part.replace(file.path)


def _current(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        length = int.from_bytes(file.read(4), "little")
        return bool(json.loads(file.read(length))[0] == _VERSION)


def pack_samples(samples: Sequence[DialogueSample]) -> bytes:
    """Packs samples into bytes; maps and tokens keep half precision."""
    arrays: dict[str, NDArray[np.float16]] = {}
    about = []
    for place, one in enumerate(samples):
        about.append([one.video, list(one.span), asdict(one.truth), list(one.seen)])
        for source, seen in one.seen.items():
            arrays[f"{place}.{source}.heat"] = seen.heat.astype(np.float16)
            arrays[f"{place}.{source}.video"] = seen.video.astype(np.float16)
    head = json.dumps([_VERSION, about]).encode()
    return len(head).to_bytes(4, "little") + head + pack_arrays(arrays)


def unpack_samples(data: bytes) -> Iterator[DialogueSample]:
    """Restores what `pack_samples` gave."""
    length = int.from_bytes(data[:4], "little")
    about = json.loads(data[4 : 4 + length])[1]
    arrays = unpack_arrays(data[4 + length :])
    for place, (video, span, truth, sources) in enumerate(about):
        seen = {
            source: Seen(
                arrays[f"{place}.{source}.heat"].astype(np.float32),
                arrays[f"{place}.{source}.video"].astype(np.float32),
            )
            for source in sources
        }
        yield DialogueSample(video, (span[0], span[1]), Truth(**truth), seen)
