"""`synth`: renders surveillance footage with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.build import program
from engine.core.errors import BadInputError
from engine.core.processes import cores
from engine.lab.commands.lab_options import SplitName


def command(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write into.")],
    videos: Annotated[int, typer.Option("--videos", metavar="N", help="How many videos.")],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of everything drawn.")],
    split: SplitName = "test",
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="Duration of each video; 8 to 12 by default."),
    ] = None,
    size: Annotated[
        str, typer.Option("--size", metavar="WxH", help="Even width and height in pixels.")
    ] = "640x360",
    processes: Annotated[
        int | None,
        typer.Option("--processes", metavar="N", help="Videos at a time; one a core by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Renders surveillance footage with pixel truth, to train and to test with.

    Two thirds of the videos show something abnormal, mostly several things at once: running,
    cycling, skating, driving, falling, lying, fighting, leaving an object, walking against the
    stream, loitering. The others are normal but look odd. The layout is UBnormal's; beside each
    video lies NAME_targets.json with what its targets look like and do.

    Splits share no camera, wardrobe or texture and may lie in one folder:

        main.py synth --to footage --videos 300 --seed 1 --split train

        main.py synth --to footage --videos 60 --seed 1 --split test

        main.py evaluate --dataset ubnormal --root footage

    The same values give the same bytes. A stopped run goes on when the command is repeated.
    """
    from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage

    request = FootageRequest(videos, seed, split, _size(size), seconds)
    with cancellable() as cancel, shown_progress() as progress:
        done = write_footage(to.absolute(), request, processes or cores(), progress, cancel)
    if as_json:
        print_json(done.as_json())
        return
    print_line(f"{done.videos} videos, {done.abnormal_videos} abnormal, {done.frames:,} frames")
    rate = done.as_json()["fps"]
    print_line(f"rendered {done.rendered_frames:,} frames in {done.wall_s:.0f} s, {rate}/s")
    for name, count in done.targets.items():
        print_line(f"  {name}: {count}")
    print_line(f"next: {program()} evaluate --dataset ubnormal --root {done.to} --split {split}")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise BadInputError("not a size", text, "write WIDTHxHEIGHT, such as 640x360")
    return int(width), int(height)
