"""`evaluate --dialogue`: evaluates the answers of a pack's language model."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.output import cancellable, print_json, print_line, shown_progress
from engine.core.errors import BadInputError
from engine.lab.datasets.registry import open_dataset

if TYPE_CHECKING:
    from engine.lab.evaluation.dialogue.evaluated_spans import EvaluatedSpan

_PRINTED_FIGURES = (
    "yes_no_accuracy", "balanced_accuracy", "yes_share_abnormal", "from_exact", "to_exact",
    "from_swapped", "to_swapped", "action_exact", "colour_exact", "bleu4_target",
    "bleu4_trajectory", "prefix_s", "first_token_s", "tokens_per_s",
)  # fmt: skip


@dataclass(frozen=True)
class DialogueOptions:
    """Options of `evaluate --dialogue`.

    Attributes:
        dataset: name of a benchmark; None for rendered footage.
        root: the data set's folder.
        split: train, validation or test.
        pack: name of a pack, or a folder.
        limit: dialogues at most.
        heatmap: own, empty, swapped, truth or swapped-truth.
        blind: without video and anomaly tokens.
        runtime: auto, transformers or llama.cpp.
        calibrate: normal, self, or None for normal footage where a camera has some.
        dump: file of one JSON line a turn.
        as_json: prints one object.
    """

    dataset: str | None
    root: Path
    split: str
    pack: str
    limit: int | None
    heatmap: str
    blind: bool
    runtime: str
    calibrate: str | None
    dump: Path | None
    as_json: bool


def evaluate_dialogue(options: DialogueOptions) -> None:
    """Evaluates a pack's language model and prints the figures.

    Raises:
        BadInputError: an option is unknown, or the footage is not what it must be.
        ResourceError: the pack has no language model.
    """
    from engine.dialogue.dialogue_model import open_dialogue_model
    from engine.lab.evaluation.dialogue.dialogue_metrics import (
        ask_about_spans,
        summarise_answers,
        write_answers,
    )
    from engine.lab.evaluation.dialogue.evaluated_spans import ControlHeatmaps
    from engine.packs.pack import find_pack
    from engine.tvad.backbones.registry import open_backbone

    spans = _spans(options)
    pack = find_pack(options.pack)
    model = open_dialogue_model(pack, options.runtime)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-")))
        cancel = stack.enter_context(cancellable())
        progress = stack.enter_context(shown_progress())
        learn = options.calibrate != "self"
        heat = ControlHeatmaps(options.heatmap, spans, work, pack, learn, cancel)
        answers = ask_about_spans(
            model,
            open_backbone(pack),
            spans,
            heat,
            options.heatmap,
            options.blind,
            progress,
            cancel,
        )
    if options.dump is not None:
        write_answers(options.dump, answers)
    result = {
        **summarise_answers(answers),
        "heatmap": options.heatmap,
        "calibrate": "normal" if learn and any(span.normal for span in spans) else "self",
        "blind": options.blind,
        "runtime": model.runtime.name,
        "pack": pack.name,
        "split": options.split,
        "dataset": options.dataset,
    }
    if options.as_json:
        print_json(result)
    else:
        _print(result)


def _spans(options: DialogueOptions) -> list[EvaluatedSpan]:
    """Reads the spans to ask about, once the options are known to be sound."""
    from engine.lab.evaluation.dialogue.evaluated_spans import (
        HEATMAPS,
        spans_of_benchmark,
        spans_of_rendered_footage,
    )

    if options.heatmap not in HEATMAPS:
        raise BadInputError("unknown heatmap", options.heatmap, f"use {', '.join(HEATMAPS)}")
    if options.limit is not None and options.limit < 1:
        raise BadInputError("a limit below one", options.limit, "use 1 or more")
    if options.calibrate == "camera":
        raise BadInputError("no dialogue calibrates by camera", "", "use normal or self")
    root = options.root.absolute()
    if options.dataset is None:
        spans = spans_of_rendered_footage(root, options.split, options.limit)
    else:
        spans = spans_of_benchmark(
            open_dataset(options.dataset, root), options.split, options.limit
        )
    if options.calibrate == "normal" and not any(span.normal for span in spans):
        raise BadInputError("no normal footage of these cameras", root, "use --calibrate self")
    return spans


def _print(result: dict[str, Any]) -> None:
    print_line(
        f"{result['dialogues']} dialogues, {result['answers']} answers, heatmap {result['heatmap']}"
        f"{', blind' if result['blind'] else ''}, {result['pack']} on {result['runtime']}"
    )
    for name in _PRINTED_FIGURES:
        value = result[name]
        print_line(f"  {name:<20} {'undefined' if value is None else f'{value:.4f}'}")
    print_line(f"  sacrebleu: {result['sacrebleu']}")
