"""Statistics of what was built, and a page of samples to look at."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.core.errors import ResourceError
from engine.core.geometry import Box
from engine.core.resources import RESOURCES
from engine.lab.datasets.dataset import Dataset
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.building.target_highlight import highlighted
from engine.lab.dialogue_corpus.files.dialogue_files import SPLITS, Dialogue, read_dialogues
from engine.lab.dialogue_corpus.files.frame_records import FrameRecord, decode_mask
from engine.lab.dialogue_corpus.files.json_lines import write_lines
from engine.lab.dialogue_corpus.files.timeline_files import read_frames
from engine.media import open_source

PAGE, STATISTICS = "samples.html", "statistics.jsonl"
_TEMPLATES = RESOURCES / "dialogues"
_EACH = 8
_WIDTH, _QUALITY = 480, 82
_SEED = 5


def write_page(folder: Path, dataset: Dataset, fps: float) -> Counter[str]:
    """Writes `statistics.jsonl` and `samples.html`, which needs nothing beside it.

    Args:
        folder: of the stages.
        dataset: they were built from.
        fps: of folders of images.

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
        counted = _counted(dialogues)
        lines.append({"split": split, "counts": dict(sorted(counted.items()))})
        counts += counted
    write_lines(folder / STATISTICS, lines)
    paths = {one.name: one.path for name in dataset.splits for one in dataset.videos(name)}
    records = {(one.video, one.target, one.frame): one for one in read_frames(folder)}
    samples = [
        _sample(split, one, paths[one.video], records, fps)
        for split, dialogues in by_split.items()
        for one in _drawn(dialogues)
        if one.video in paths
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


def _counted(dialogues: list[Dialogue]) -> Counter[str]:
    counts = Counter(dialogues=len(dialogues), videos=len({one.video for one in dialogues}))
    counts["without a target"] = sum(one.target is None for one in dialogues)
    for one in dialogues:
        counts["turns"] += len(one.turns)
        counts.update(f"turns: {turn.part}" for turn in one.turns)
        counts[f"doing: {one.truth['target'] or 'nothing'}"] += 1
    return counts


def _drawn(dialogues: list[Dialogue]) -> list[Dialogue]:
    places = np.random.default_rng(_SEED).permutation(len(dialogues))[:_EACH]
    return [dialogues[place] for place in sorted(places.tolist())]


def _sample(
    split: str,
    one: Dialogue,
    path: Path,
    records: Mapping[tuple[str, int, int], FrameRecord],
    fps: float,
) -> dict[str, Any]:
    middle = (one.first + one.last) // 2
    shown = [
        key[2] for key in records
        if one.target is not None and key[:2] == (one.video, one.target)
        and one.first <= key[2] <= one.last
    ]  # fmt: skip
    frame = min(shown, key=lambda at: abs(at - middle), default=middle)
    with open_source(path, fps=fps if path.is_dir() else None) as source:
        image = source.frame(frame, "rgb").image
    picture = ""
    if image is not None:
        record = None if one.target is None else records.get((one.video, one.target, frame))
        if record is not None:
            box: Box = record.box
            mask = decode_mask(record.mask, box)
            image = highlighted(image, Sighting(record.target, frame, box, mask))
        height = round(_WIDTH * image.shape[0] / image.shape[1])
        small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        _, data = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), options)
        picture = base64.b64encode(data.tobytes()).decode()
    return {
        "split": split, "video": one.video, "first": one.first, "last": one.last,
        "target": one.target, "frame": frame, "picture": picture, "turns": one.turns,
    }  # fmt: skip
