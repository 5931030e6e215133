"""Statistics of a dialogue corpus, and a page of samples to look at."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ResourceError
from engine.core.resources import RESOURCES
from engine.lab.datasets.dataset import Dataset
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.building.target_highlight import highlight
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, CorpusDialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import read_frames
from engine.media import open_source

PAGE, STATISTICS = "samples.html", "statistics.jsonl"
_TEMPLATES = RESOURCES / "dialogues"
_MAX_SAMPLES = 8  # of each split: what a person looks through at once; a choice
_WIDTH, _QUALITY = 480, 82  # pixels and JPEG quality of the pictures, which keep the page small
_SEED = 5  # of the samples, so that equal corpora give equal pages


def write_page(folder: Path, dataset: Dataset, fps: float) -> Counter[str]:
    """Writes `statistics.jsonl` and `samples.html`, which needs nothing beside it.

    Args:
        folder: the folder of the stages.
        dataset: the data set that the corpus was built from.
        fps: frames a second of folders of images.

    Returns:
        Counts: dialogues, turns, and turns by part.

    Raises:
        BadInputError: a file of the stages is missing or damaged.
        ResourceError: the disk is full.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    by_split = {split: read_dialogues(folder, split) for split in SPLITS}
    counts: Counter[str] = Counter()
    lines = []
    for split, dialogues in by_split.items():
        counts_of_split = _count(dialogues)
        lines.append({"split": split, "counts": dict(sorted(counts_of_split.items()))})
        counts += counts_of_split
    write_lines(folder / STATISTICS, lines)
    paths = {video.name: video.path for name in dataset.splits for video in dataset.videos(name)}
    records = {
        (record.video, record.target, record.frame): record for record in read_frames(folder)
    }
    samples = [
        _sample(split, dialogue, paths[dialogue.video], records, fps)
        for split, dialogues in by_split.items()
        for dialogue in _draw(dialogues)
        if dialogue.video in paths
    ]
    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    text = pages.get_template("samples.html.jinja").render(counts=counts, samples=samples)
    try:
        (folder / PAGE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResourceError(
            f"cannot be written ({error.strerror})", folder / PAGE, "make room"
        ) from error
    return counts


def _count(dialogues: list[CorpusDialogue]) -> Counter[str]:
    videos = {dialogue.video for dialogue in dialogues}
    counts = Counter(dialogues=len(dialogues), videos=len(videos))
    counts["without a target"] = sum(dialogue.target is None for dialogue in dialogues)
    for dialogue in dialogues:
        counts["turns"] += len(dialogue.turns)
        counts.update(f"turns: {turn.part}" for turn in dialogue.turns)
        counts[f"doing: {dialogue.truth['target'] or 'nothing'}"] += 1
    return counts


def _draw(dialogues: list[CorpusDialogue]) -> list[CorpusDialogue]:
    indices = np.random.default_rng(_SEED).permutation(len(dialogues))[:_MAX_SAMPLES]
    return [dialogues[index] for index in sorted(indices.tolist())]


def _sample(
    split: str,
    dialogue: CorpusDialogue,
    path: Path,
    records: Mapping[tuple[str, int, int], FrameRecord],
    fps: float,
) -> dict[str, Any]:
    """Returns what the template shows of a dialogue."""
    middle = (dialogue.first + dialogue.last) // 2
    of_target = [
        frame
        for video, target, frame in records
        if (video, target) == (dialogue.video, dialogue.target)
        and dialogue.first <= frame <= dialogue.last
    ]
    frame = min(of_target, key=lambda frame: abs(frame - middle), default=middle)
    with open_source(path, fps=fps if path.is_dir() else None) as source:
        image = source.frame(frame, "rgb").image
    picture = ""
    if image is not None:
        if dialogue.target is not None:
            record = records.get((dialogue.video, dialogue.target, frame))
            if record is not None:
                mask = decode_mask(record.mask, record.box)
                image = highlight(image, Sighting(record.target, frame, record.box, mask))
        picture = _encode(image)
    return {
        "split": split, "video": dialogue.video, "first": dialogue.first, "last": dialogue.last,
        "target": dialogue.target, "frame": frame, "picture": picture, "turns": dialogue.turns,
    }  # fmt: skip


def _encode(image: NDArray[np.uint8]) -> str:
    """Returns a small JPEG of an image uint8 [H, W, 3] in Base64."""
    height = round(_WIDTH * image.shape[0] / image.shape[1])
    small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), options)
    return base64.b64encode(data.tobytes()).decode()
