"""`dialogues`: makes training dialogues from footage with masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.lab.commands.lab_options import DatasetRoot, check_range
from engine.lab.datasets.registry import MASKED_DATASETS, open_dataset

if TYPE_CHECKING:
    from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest

_HELP = """Makes what a language model is taught with from footage whose targets are masked.

    main.py dialogues build --dataset ubnormal --root UBNORMAL --to dialogues

    main.py dialogues build --dataset ubnormal --root UBNORMAL --to dialogues --pack qwen2.5-vl
"""


def build() -> typer.Typer:
    """Makes the commands below `dialogues`."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=None)
    app.callback()(lambda: None)
    app.command("build")(build_command)
    return app


def build_command(
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="NAME", help=f"{', '.join(MASKED_DATASETS)}.")
    ],
    root: DatasetRoot,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Gets what is built.")],
    split: Annotated[
        list[str] | None,
        typer.Option("--split", metavar="NAME", help="A split; more may follow. All by default."),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage", metavar="NAME", help="frames, timelines, checks or dialogues alone."
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", metavar="R", help="Sampled frames a second.")
    ] = 5.0,
    pack: Annotated[
        str | None,
        typer.Option(
            "--pack", metavar="NAME", help="Asks its language model what cannot be measured."
        ),
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Take it from the labels of rendered footage instead.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Of the spans drawn.")] = 1,
    as_json: Json = False,
) -> None:
    """Writes frames, timelines, checks and dialogues, one JSON object a line.

    A stopped stage goes on where it was when the command is repeated.
    """
    check_range("--rate", rate, 0.1, 100)
    from engine.core.errors import BadInputError
    from engine.lab.dialogue_corpus.building.dialogue_stage import build_dialogues
    from engine.lab.dialogue_corpus.building.frame_stage import build_frames
    from engine.lab.dialogue_corpus.building.sample_page import PAGE, write_page
    from engine.lab.dialogue_corpus.building.timeline_stage import build_checks, build_timelines
    from engine.lab.dialogue_corpus.files.dialogue_files import DIALOGUES
    from engine.lab.dialogue_corpus.files.timeline_files import CHECKS, FRAMES, TIMELINES

    names = (FRAMES, TIMELINES, CHECKS, DIALOGUES)
    if stage is not None and stage not in names:
        raise BadInputError("unknown stage", stage, f"use {', '.join(names)}")
    if pack is not None and labels:
        raise BadInputError("both --pack and --labels", "", "leave one of them out")
    folder = to.absolute()
    asked_pack = pack if stage in (None, FRAMES) else None
    request = _request(dataset, root.absolute(), folder, rate, split, asked_pack, labels)
    counts: dict[str, dict[str, int]] = {}
    with cancellable() as cancel, shown_progress() as progress:
        stages = {
            FRAMES: lambda: build_frames(request, progress, cancel),
            TIMELINES: lambda: build_timelines(folder),
            CHECKS: lambda: build_checks(folder),
            DIALOGUES: lambda: build_dialogues(folder, seed),
        }
        for name in names if stage is None else (stage,):
            counts[name] = dict(sorted(stages[name]().items()))
        if DIALOGUES in counts:
            write_page(folder, request.dataset, request.fps)
    if as_json:
        print_json({"folder": str(folder), "counts": counts})
        return
    for name, stage_counts in counts.items():
        text = ", ".join(f"{count} {what}" for what, count in stage_counts.items()) or "nothing"
        print_line(f"{name}: {text}")
    if DIALOGUES in counts:
        print_line(f"samples to look at: {folder / PAGE}")


def _request(
    dataset: str,
    root: Path,
    folder: Path,
    rate: float,
    split: list[str] | None,
    pack: str | None,
    labels: bool,
) -> BuildRequest:
    from engine.lab.dialogue_corpus.building.frame_stage import BuildRequest

    source = open_dataset(dataset, root)
    splits = tuple(split or source.splits)
    describer = None
    if pack is not None:
        from engine.lab.dialogue_corpus.building.pack_describer import open_describer

        describer = open_describer(pack)
    truth = None
    if labels:
        from engine.lab.dialogue_corpus.building.truth_labels import TruthLabels

        truth = TruthLabels(root, splits)
    return BuildRequest(source, splits, folder, rate, describer=describer, labels=truth)
