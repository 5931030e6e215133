"""`train replay`: adds the sample that teaching replays to a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.lab.commands.lab_options import Seed, check_range


def command(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A folder that synth wrote.")],
    pack: Annotated[str, typer.Option("--pack", metavar="NAME", help="The pack, or its folder.")],
    videos: Annotated[
        int, typer.Option("--videos", metavar="N", help="How many videos are read.")
    ] = 120,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Adds a sample of rendered features to a pack, which teaching replays to forget nothing."""
    check_range("--videos", videos, 1, 10_000)
    from engine.lab.training.replay_sample import add_replay
    from engine.packs.pack import find_pack
    from engine.tvad.replay_file import REPLAY

    with cancellable() as cancel, shown_progress() as progress:
        new_pack = add_replay(find_pack(pack), data.absolute(), videos, seed, progress, cancel)
    size = new_pack.files[REPLAY].size
    if as_json:
        print_json({"pack": str(new_pack.folder), "file": REPLAY, "bytes": size})
        return
    print_line(f"{new_pack.folder}: {REPLAY}, {size / 1e6:.1f} MB")
