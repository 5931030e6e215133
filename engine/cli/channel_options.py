"""Options that say which channels run, and what the text channel is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.core.errors import BadInputError

if TYPE_CHECKING:
    from engine.detectors.text.text_recipe import TextRecipe

CHANNELS = ("scene", "text")
_PACK = "compact"

Channels = Annotated[
    str,
    typer.Option("--channels", metavar="LIST", help="Channels to run: scene, text or scene,text."),
]
PackName = Annotated[
    str | None,
    typer.Option("--pack", metavar="NAME", help="Pack of the text channel, or its folder."),
]
PromptFile = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="FILE", help="Prompts of the text channel, in YAML."),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="Where it runs: auto, cpu or cuda:N."),
]


def chosen_channels(text: str) -> tuple[str, ...]:
    """Reads a list of channels; they run in the order of `CHANNELS`.

    Raises:
        BadInputError: it names none, or one that there is not.
    """
    named = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in named if name not in CHANNELS]
    if unknown or not named:
        raise BadInputError("unknown channel", ",".join(unknown), f"use {', '.join(CHANNELS)}")
    return tuple(name for name in CHANNELS if name in named)


def chosen_text(
    channels: tuple[str, ...], pack: str | None, prompts: Path | None, device: str | None
) -> TextRecipe | None:
    """Makes the recipe of the text channel; None when it does not run.

    Raises:
        BadInputError: options of the text channel without that channel, or unsound ones.
        ResourceError: the pack or the device is missing.
    """
    if "text" not in channels:
        given = {"--pack": pack, "--prompts": prompts, "--device": device}
        for option, value in given.items():
            if value is not None:
                raise BadInputError(
                    f"{option} without the text channel", value, "add --channels scene,text"
                )
        return None
    from engine.packs.prompt_sets import load_prompts

    asked = None if prompts is None else load_prompts(prompts)
    from engine.detectors.text.text_model import text_recipe

    return text_recipe(pack or _PACK, asked, device or "auto")
