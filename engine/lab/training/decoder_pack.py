"""Makes a pack from a trained decoder: weights, prompts, manifest, model card, learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from engine.lab.synthesis.phrases import ABNORMAL, NORMAL
from engine.lab.training.learning_curve import learning_curve
from engine.media.hashing import hash_file
from engine.packs.manifest_schema import (
    PROMPTS,
    BackboneUse,
    HeatmapGrid,
    Manifest,
    Memory,
    Metric,
    Part,
    Training,
)
from engine.packs.pack import Pack, write_pack
from engine.packs.prompt_sets import PromptSet, dump_prompts
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import BACKBONES
from engine.tvad.decoder_file import DECODER, decoder_bytes
from engine.tvad.heatmap_decoder import AnomalyHeatmapDecoder

CARD = "README.md"
CURVE = "learning-curve.png"

_WEIGHT_SUFFIXES = (".safetensors", ".json", ".txt", ".gguf")
_FRAME_BYTES = 400 << 20  # memory of decoded frames beside a backbone; a choice on the safe side


@dataclass(frozen=True, eq=False)
class TrainedDecoder:
    """The results of a training.

    Attributes:
        decoder: the decoder, trained and calibrated.
        log: measurements of the training.
        metrics: steering metrics on validation footage, by kind.
        data: what it was trained on, in words.
        command: the command that makes it again.
        seeds: seeds of footage and training.
        seconds: how long each stage took.
    """

    decoder: AnomalyHeatmapDecoder
    log: Sequence[Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, Any]]
    data: str
    command: str
    seeds: tuple[int, ...]
    seconds: Mapping[str, float]


def pack_prompts() -> PromptSet:
    """Returns the prompts that a pack trained on rendered footage comes with."""
    return PromptSet(
        "en",
        tuple(phrases.training[0] for phrases in NORMAL.values()),
        tuple(phrases.training[0] for phrases in ABNORMAL.values()),
    )


def make_pack(folder: Path, backbone: Backbone, weights: Path, outcome: TrainedDecoder) -> Pack:
    """Writes the pack.

    Args:
        folder: becomes the pack, which has its name.
        backbone: the backbone that the decoder was trained on.
        weights: folder of the backbone's weights, as `load_backbone` takes it.
        outcome: the results of the training.

    Raises:
        BadInputError: the folder holds something that is no pack, or its name is none for one.
    """
    trained = sum(parameter.numel() for parameter in outcome.decoder.parameters())
    shipped = BACKBONES[backbone.name].shipped
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        licence="Apache-2.0",
        parts=(
            Part("ahd", "Apache-2.0", f"trained by Sightline on {outcome.data}"),
            *(
                shipped.parts
                if shipped
                else [Part("backbone", "see its folder", "given by the user")]
            ),
        ),
        backbone=_backbone_use(backbone, weights),
        grid=HeatmapGrid(
            backbone.stride,
            backbone.window_frames,
            backbone.window_frames // backbone.temporal_patch,
        ),
        languages=("en",),
        memory=Memory(backbone.cost.weights_bytes + backbone.cost.window_bytes + _FRAME_BYTES),
        training=Training(outcome.data, outcome.command, outcome.seeds),
        sizes={"trained_parameters": trained},
        metrics=tuple(_metrics(outcome)),
    )
    ok, curve = cv2.imencode(".png", learning_curve(outcome.log)[..., ::-1])
    assert ok
    return write_pack(
        folder,
        manifest,
        {
            DECODER: decoder_bytes(outcome.decoder),
            PROMPTS: dump_prompts(pack_prompts()).encode(),
            CURVE: curve.tobytes(),
            CARD: _card(folder.name, backbone, outcome, trained).encode(),
        },
    )


def _backbone_use(backbone: Backbone, weights: Path) -> BackboneUse:
    kind = BACKBONES[backbone.name]
    if kind.shipped is not None:
        folders = dict(kind.shipped.folders)
        paths = [
            weights / name / file
            for name in folders.values()
            for file in kind.shipped.files
            if (weights / name / file).is_file()
        ]
    else:
        folders = {role: weights.name for role in kind.roles}
        paths = [path for path in sorted(weights.iterdir()) if path.suffix in _WEIGHT_SUFFIXES]
    files = {f"{path.parent.name}/{path.name}": hash_file(path)["sha256"] for path in paths}
    return BackboneUse(backbone.name, folders, files, {})


def _metrics(outcome: TrainedDecoder) -> list[Metric]:
    return [
        Metric(f"{kind} {name}", float(value), "validation split of the training's footage")
        for kind, metrics in outcome.metrics.items()
        for name, value in metrics.items()
        if isinstance(value, (int, float))
    ]


def _card(name: str, backbone: Backbone, outcome: TrainedDecoder, trained: int) -> str:
    kinds = list(outcome.metrics)
    names = [
        name
        for name, value in outcome.metrics[kinds[0]].items()
        if value is None or isinstance(value, (int, float))
    ]
    rows = [f"| figure | {' | '.join(kinds)} |", "| --- |" + " --- |" * len(kinds)]
    for metric in names:
        cells = (_cell(outcome.metrics[kind].get(metric)) for kind in kinds)
        rows.append(f"| {metric} | {' | '.join(cells)} |")
    classes = ["| class | frame-AUC | above 960 pixels | peak on its own target |", "| --- |" * 4]
    classes[1] = "| --- | --- | --- | --- |"
    main = outcome.metrics[kinds[0]]
    for of_class, value in main["class_auc_by_class"].items():
        large = main["class_auc_large_by_class"].get(of_class)
        own = main["peak_own_by_class"].get(of_class)
        classes.append(f"| {of_class} | {_cell(value)} | {_cell(large)} | {_cell(own)} |")
    times = "\n".join(f"| {stage} | {took / 60:.1f} |" for stage, took in outcome.seconds.items())
    return _CARD.format(
        name=name,
        backbone=backbone.name,
        trained=trained,
        data=outcome.data,
        command=outcome.command,
        seeds=", ".join(str(seed) for seed in outcome.seeds),
        table="\n".join(rows),
        classes="\n".join(classes),
        times=times,
        threshold=float(outcome.decoder.threshold),
        scale=float(outcome.decoder.scale),
    )


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "–" if value is None else str(value)


_CARD = """# {name}

Anomaly Heatmap Decoder on the frozen backbone `{backbone}`: heatmaps of what prompts describe in
surveillance footage. Only the trained parts lie here ({trained:,} parameters and their
calibration); the backbone's own weights are named, with their hashes, in `pack.json`.

## How it came to be

Trained on {data}, and on nothing else: no real footage. Command: `{command}`. Seeds: {seeds}.
Same seed, same machine: the same weights, bit for bit, on a CPU. `learning-curve.png` shows loss
and validation figures.

| stage | minutes |
| --- | --- |
{times}

## Figures

On the validation split, whose cameras, wardrobes, textures and noise differ from training's. The
training chose its best step on a part of this split, so the test split, in `docs/evaluation.md`,
is the judge. `held-out words` asks with paraphrases that training never saw; `one frame only` is
the control that sees no motion.

{table}

{classes}

`class_auc`: frame-AUC of the prompt of a class, other anomalies count as negatives, mean over
classes; `large`: targets above 960 pixels. `peak_own`, `peak_wrong`: two abnormal classes in one
frame, targets above 400 pixels: where the map of each prompt is largest. `absent_below`: share of
frames in which the prompt of a class that is not in the video stays below the threshold.

Calibration: score 0.5 at log-odds {threshold:.3f} (one false region in 100 normal frames with the
whole prompt set), one step of its logit {scale:.3f}.

## Limits

English prompts. Rendered people are not real people: on real footage expect lower figures, and
judge each camera by its own normal footage. Targets under 400 pixels, crowds, reflections and
moving cameras are weak spots. Loitering and left objects are judged within 1.6 seconds only; the
scene channel watches longer. A high score is a reason to look, not a finding.
"""
