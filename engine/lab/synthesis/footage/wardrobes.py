"""What people wear in a split: shades of eleven colour names, which no two splits share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.lab.synthesis.people.clothing import Look, random_look
from engine.lab.synthesis.scene.figures import Colour

SPLITS = ("train", "validation", "test")

SHADES: dict[str, tuple[Colour, ...]] = {
    "black": ((30, 30, 33), (42, 40, 42), (24, 26, 34), (36, 36, 38), (28, 24, 26)),
    "white": ((222, 220, 214), (236, 236, 240), (206, 206, 204), (228, 226, 222), (214, 216, 222)),
    "grey": ((122, 124, 128), (92, 94, 98), (152, 152, 150), (108, 108, 106), (136, 140, 146)),
    "red": ((168, 40, 42), (196, 52, 46), (140, 30, 44), (182, 34, 52), (154, 48, 40)),
    "green": ((54, 112, 66), (38, 84, 58), (96, 138, 74), (70, 98, 52), (48, 128, 88)),
    "blue": ((52, 96, 172), (38, 52, 104), (92, 136, 196), (44, 72, 140), (70, 112, 186)),
    "yellow": ((212, 184, 62), (226, 206, 92), (198, 168, 44), (220, 196, 74), (206, 180, 88)),
    "orange": ((210, 112, 44), (226, 128, 58), (192, 96, 36), (218, 120, 40), (200, 108, 60)),
    "brown": ((98, 70, 50), (122, 88, 62), (78, 56, 42), (110, 76, 48), (88, 66, 54)),
    "purple": ((98, 62, 118), (124, 78, 148), (78, 48, 98), (110, 66, 134), (90, 70, 126)),
    "pink": ((206, 138, 154), (220, 160, 176), (196, 112, 140), (212, 148, 168), (202, 128, 158)),
}
"""RGB by colour name: the first three for train, then one for validation and one for test."""

_OF_SPLIT = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}
_TOPS = tuple(SHADES)
_TOP_SHARES = np.array([0.19, 0.15, 0.15, 0.1, 0.07, 0.15, 0.04, 0.03, 0.06, 0.03, 0.03])
_BOTTOMS = ("black", "grey", "blue", "brown", "white", "green")
_BOTTOM_SHARES = np.array([0.32, 0.16, 0.31, 0.11, 0.06, 0.04])
# RGB of hair beyond that of `clothing`.
_HAIRS: tuple[Colour, ...] = ((58, 56, 62), (96, 40, 34), (186, 176, 168), (210, 204, 190))


def shade(rng: np.random.Generator, split: str, name: str) -> Colour:
    """Returns a shade of a colour name as the split has it, every piece a little different."""
    base = SHADES[name][int(rng.choice(_OF_SPLIT[split]))]
    level = float(rng.uniform(0.88, 1.12))
    red, green, blue = (min(250, round(value * level)) for value in base)
    return red, green, blue


def dress(rng: np.random.Generator, split: str, riding: bool = False, child: bool = False) -> Look:
    """Draws someone in clothes of a split.

    Args:
        rng: the generator.
        split: `train`, `validation` or `test`.
        riding: whether on a bicycle.
        child: whether a child of six to eleven years.
    """
    look = random_look(rng, riding)
    upper = str(rng.choice(_TOPS, p=_TOP_SHARES / _TOP_SHARES.sum()))
    lower = str(rng.choice(_BOTTOMS, p=_BOTTOM_SHARES / _BOTTOM_SHARES.sum()))
    bag = str(rng.choice(_TOPS))
    names = {"upper": upper, "lower": lower, "bag": bag}
    if riding:
        names["bicycle"] = str(rng.choice(_TOPS))
    if rng.random() < 0.12:
        look = replace(look, hair=_HAIRS[int(rng.integers(len(_HAIRS)))])
    if child:
        look = replace(look, height=float(rng.uniform(1.1, 1.42)), bag="none")
    return replace(
        look,
        upper=upper,
        lower=lower,
        bag_colour=bag,
        bicycle=names.get("bicycle", ""),
        shades=tuple((worn, shade(rng, split, name)) for worn, name in names.items()),
    )


def as_seen(look: Look, mix: tuple[float, float, float]) -> Look:
    """Returns a look whose colour names are those of a camera that sees only brightness.

    Args:
        look: clothes in true colours; their shades stay.
        mix: how much of red, green and blue the camera sees.
    """

    def name(worn: str) -> str:
        return tone_name(look.rgb(worn), mix)

    return replace(
        look,
        upper=name("upper"),
        lower=name("lower"),
        bag_colour=name("bag"),
        bicycle=name("bicycle") if look.bicycle else "",
    )


def tone_name(colour: Colour, mix: tuple[float, float, float]) -> str:
    """Returns `black`, `grey` or `white`: what a colour looks like without its hue."""
    value = sum(part * share for part, share in zip(colour, mix, strict=True))
    return "black" if value < 70 else "white" if value > 165 else "grey"
