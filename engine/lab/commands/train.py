"""`train`: makes packs from footage with truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.build import program
from engine.core.errors import BadInputError, ResourceError
from engine.core.processes import cores
from engine.lab.commands import train_dialogue, train_replay
from engine.lab.commands.lab_options import Fresh, Seed, Threads, check_range, command_without_paths
from engine.tvad.backbones.registry import BACKBONES

*_KINDS, _LAST_KIND = BACKBONES
_HELP = """Trains what a pack is made of, on a CPU or a GPU.

    main.py synth --to footage --videos 240 --seed 1 --split train

    main.py synth --to footage --videos 40 --seed 1 --split validation

    main.py train ahd --data footage --pack my-pack

    main.py train dialogue --data footage --pack my-pack

    main.py train replay --data footage --pack my-pack

Several GPUs: accelerate launch main.py train ahd …
"""


def build() -> typer.Typer:
    """Makes the commands below `train`."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=None)
    app.callback()(lambda: None)
    app.command("ahd")(ahd_command)
    app.command("dialogue")(train_dialogue.command)
    app.command("replay")(train_replay.command)
    return app


def ahd_command(
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="DIR",
            help="A folder that synth wrote; more may follow, of which only train is used.",
        ),
    ],
    pack: Annotated[Path, typer.Option("--pack", metavar="DIR", help="Becomes the pack.")],
    backbone: Annotated[
        str,
        typer.Option("--backbone", metavar="NAME", help=f"{', '.join(_KINDS)} or {_LAST_KIND}."),
    ] = "compact",
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="DIR", help="Folder of the backbone's weights."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option("--work", metavar="DIR", help="Features and state; PACK.training by default."),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Passes.")] = 14,
    windows: Annotated[
        int, typer.Option("--windows", metavar="N", help="Windows of each training video.")
    ] = 5,
    rate: Annotated[float, typer.Option("--rate", metavar="R", help="Peak learning rate.")] = 1e-3,
    seed: Seed = 1,
    threads: Threads = 2,
    cache_gb: Annotated[
        float, typer.Option("--cache-gb", metavar="GB", help="Most disk for training features.")
    ] = 12.0,
    device: Annotated[
        str, typer.Option("--device", metavar="NAME", help="auto, cpu or cuda:N.")
    ] = "auto",
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Trains the decoder of heatmaps (stage 1) and writes a pack.

    A stopped training goes on when the command is repeated.
    """
    _check(epochs, windows, rate, threads, cache_gb)
    from engine.lab.training.stage1 import Stage1Settings
    from engine.lab.training.train_ahd import AhdRequest, train_ahd
    from engine.packs.pack_folders import weights_folders

    kind = BACKBONES.get(backbone)
    if weights is None and (kind is None or kind.shipped is None):
        raise BadInputError(f"the weights of {backbone} are not named", "", "add --weights DIR")
    pack, chosen = pack.absolute(), _device(device)
    request = AhdRequest(
        tuple(path.absolute() for path in data),
        pack,
        backbone,
        weights_folders()[0] if weights is None else weights.absolute(),
        (work or pack.with_name(f"{pack.name}.training")).absolute(),
        Stage1Settings(
            seed=seed,
            epochs=epochs,
            peak_rate=rate,
            centre=kind is not None and kind.centres_text,
            threads=threads,
        ),
        windows=windows,
        cache_bytes=round(cache_gb * (1 << 30)),
        workers=cores() if chosen == "cpu" else 1,
        device=chosen,
        fresh=fresh,
        command=command_without_paths(),
    )
    with cancellable() as cancel, shown_progress() as progress:
        result = train_ahd(request, progress, cancel)
    if as_json:
        print_json(result)
        return
    print_line(f"{result['pack']}: {result['steps']} steps over {result['windows']} windows")
    for stage, seconds in result["seconds"].items():
        print_line(f"  {stage}: {seconds / 60:.1f} min")
    for kind, figures in result["figures"].items():
        texts = (f"{name} {value}" for name, value in figures.items() if isinstance(value, float))
        print_line(f"  {kind}: {', '.join(texts)}")
    print_line(f"next: {program()} analyze VIDEO --case NAME.case --channels text --pack {pack}")


def _check(epochs: int, windows: int, rate: float, threads: int, cache_gb: float) -> None:
    for name, value, low, high in (
        ("--epochs", epochs, 1, 1000),
        ("--windows", windows, 1, 64),
        ("--rate", rate, 1e-7, 1.0),
        ("--threads", threads, 1, 256),
        ("--cache-gb", cache_gb, 0.01, 100_000),
    ):
        check_range(name, value, low, high)


def _device(requested: str) -> str:
    from engine.tvad.device_choice import choose_device

    try:
        return choose_device(requested)
    except ResourceError as error:
        raise BadInputError("no such device", requested, "use auto, cpu or cuda:N") from error
