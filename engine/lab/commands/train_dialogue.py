"""`train dialogue`: teaches a pack's language model to speak about evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.build import program
from engine.core.errors import BadInputError
from engine.lab.commands.lab_options import Fresh, Seed, Threads, check_range, command_without_paths
from engine.lab.datasets.registry import open_dataset

if TYPE_CHECKING:
    from engine.lab.training.dialogue.train_dialogue_parts import DialogueCorpus


def command(
    pack: Annotated[
        Path, typer.Option("--pack", metavar="DIR", help="The pack that train ahd wrote.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="A folder that synth wrote; more may follow."),
    ] = None,
    built: Annotated[
        Path | None,
        typer.Option("--built", metavar="DIR", help="A folder that dialogues build wrote."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="What --built was built from."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option("--root", metavar="DIR", help="That data set's folder."),
    ] = None,
    language: Annotated[
        Path | None,
        typer.Option("--language", metavar="DIR", help="Folder of the language model's weights."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option("--work", metavar="DIR", help="Dialogues and state; PACK.training/dialogue."),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="Optimiser steps.")] = 900,
    batch: Annotated[int, typer.Option("--batch", metavar="N", help="Dialogues of a step.")] = 4,
    align_steps: Annotated[
        int, typer.Option("--align-steps", metavar="N", help="Steps of RAE and projector alone.")
    ] = 1200,
    spans: Annotated[int, typer.Option("--spans", metavar="N", help="Spans of each video.")] = 4,
    analysed: Annotated[
        int,
        typer.Option("--analysed", metavar="N", help="Videos whose maps are measured as well."),
    ] = 0,
    rate: Annotated[float, typer.Option("--rate", metavar="R", help="Peak rate of LoRA.")] = 2e-4,
    part_rate: Annotated[
        float, typer.Option("--part-rate", metavar="R", help="Peak rate of RAE and projector.")
    ] = 2e-4,
    seed: Seed = 1,
    threads: Threads = 2,
    half: Annotated[
        bool, typer.Option("--half", help="Learn in bfloat16: faster where the processor can.")
    ] = False,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Trains RAE, projector and LoRA (stage 2) and puts them into a pack.

    A stopped training goes on when the command is repeated.
    """
    for name, value, low, high in (
        ("--steps", steps, 1, 100_000), ("--batch", batch, 1, 256), ("--spans", spans, 1, 64),
        ("--align-steps", align_steps, 0, 100_000), ("--analysed", analysed, 0, 1_000_000),
        ("--rate", rate, 1e-7, 1.0), ("--part-rate", part_rate, 1e-7, 1.0),
        ("--threads", threads, 1, 256),
    ):  # fmt: skip
        check_range(name, value, low, high)
    if not data and built is None:
        raise BadInputError("nothing to learn from", "", "name a folder with --data or --built")
    from engine.lab.dialogue_corpus.samples.rendered_samples import SampleRequest
    from engine.lab.training.dialogue.stage2 import Stage2Settings
    from engine.lab.training.dialogue.train_dialogue_parts import DialogueRequest, train_dialogue

    pack = pack.absolute()
    request = DialogueRequest(
        tuple(path.absolute() for path in data or ()),
        pack,
        (work or pack.with_name(f"{pack.name}.training") / "dialogue").absolute(),
        _open_corpus(built, dataset, root),
        Stage2Settings(
            seed=seed, steps=steps, batch=batch, rate=rate, part_rate=part_rate,
            align_steps=align_steps, threads=threads, half=half,
        ),
        SampleRequest(seed, spans, analysed, str(pack)),
        None if language is None else language.absolute(),
        fresh,
        command_without_paths(),
    )  # fmt: skip
    with cancellable() as cancel, shown_progress() as progress:
        result = train_dialogue(request, progress, cancel)
    if as_json:
        print_json(result)
        return
    print_line(f"{result['pack']}: {result['steps']} steps over {result['samples']} spans")
    print_line(f"  loss {result['first_loss']} to {result['last_loss']}")
    for stage, seconds in result["seconds"].items():
        print_line(f"  {stage}: {seconds / 60:.1f} min")
    print_line(f"next: {program()} evaluate --dialogue --root FOOTAGE --pack {pack}")


def _open_corpus(
    folder: Path | None, dataset: str | None, root: Path | None
) -> DialogueCorpus | None:
    from engine.lab.training.dialogue.train_dialogue_parts import DialogueCorpus

    if folder is None:
        return None
    if dataset is None or root is None:
        raise BadInputError("dialogues without their footage", folder, "add --dataset and --root")
    return DialogueCorpus(folder.absolute(), open_dataset(dataset, root.absolute()))
