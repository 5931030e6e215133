"""Options about what is analysed: frames, channels, and the recipe of the text channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.core.channels import CHANNELS, TEXT, order_channels
from engine.core.errors import BadInputError
from engine.packs import DEFAULT_PACK

if TYPE_CHECKING:
    from engine.detectors.text.text_recipe import TextRecipe
    from engine.packs.pack import Pack

Channels = Annotated[
    str,
    typer.Option(
        "--channels",
        metavar="LIST",
        help=f"Channels to run: {', '.join(CHANNELS)} or {','.join(CHANNELS)}.",
    ),
]
PackName = Annotated[
    str | None,
    typer.Option("--pack", metavar="NAME", help="Pack of the text channel, or its folder."),
]
PromptFile = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="FILE", help="Prompts of the text channel, in YAML."),
]
Stride = Annotated[int, typer.Option("--stride", metavar="N", help="Analyse every Nth frame only.")]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="Where it runs: auto, cpu or cuda:N."),
]


def parse_channels(text: str) -> tuple[str, ...]:
    """Reads a list of channels and returns them in the order in which they run.

    Raises:
        BadInputError: it names none, or one that there is not.
    """
    return order_channels([name.strip() for name in text.split(",") if name.strip()])


def make_recipe(
    channels: Sequence[str], pack: str | None, prompts: Path | None, device: str | None
) -> tuple[TextRecipe | None, Pack | None]:
    """Returns the recipe of the text channel and its pack; None twice when it does not run.

    Raises:
        BadInputError: options of the text channel without that channel, or unsound ones.
        ResourceError: the pack or the device is missing.
    """
    if TEXT not in channels:
        options = {"--pack": pack, "--prompts": prompts, "--device": device}
        for option, value in options.items():
            if value is not None:
                raise BadInputError(
                    f"{option} without the text channel", value, "add --channels scene,text"
                )
        return None, None
    from engine.packs.pack import find_pack
    from engine.packs.prompt_sets import load_prompts

    prompt_set = None if prompts is None else load_prompts(prompts)
    from engine.detectors.text.text_setup import make_text_recipe

    resolved = find_pack(pack or DEFAULT_PACK)
    return make_text_recipe(resolved, prompt_set, device or "auto"), resolved
