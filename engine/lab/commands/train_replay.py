"""`train replay`: adds the sample that teaching replays to a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import (
    Json,
    cancellable,
    check_range,
    print_json,
    print_line,
    shown_progress,
)


def command(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A folder that synth wrote.")],
    pack: Annotated[str, typer.Option("--pack", metavar="NAME", help="The pack, or its folder.")],
    videos: Annotated[
        int, typer.Option("--videos", metavar="N", help="How many videos are read.")
    ] = 120,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Of everything drawn.")] = 1,
    as_json: Json = False,
) -> None:
    """Adds a sample of rendered features to a pack, which teaching replays to forget nothing."""
    check_range("--videos", videos, 1, 10_000)
    from engine.lab.training.replay_sample import add_replay
    from engine.packs.pack import find_pack
    from engine.tvad.replay_file import REPLAY

    with cancellable() as cancel, shown_progress() as progress:
        made = add_replay(find_pack(pack), data.absolute(), videos, seed, progress, cancel)
    size = made.files[REPLAY].size
    if as_json:
        print_json({"pack": str(made.folder), "file": REPLAY, "bytes": size})
        return
    print_line(f"{made.folder}: {REPLAY}, {size / 1e6:.1f} MB")
