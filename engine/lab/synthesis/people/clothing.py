"""What people wear: colours with names, so that the truth can say them in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.lab.synthesis.scene.figures import Colour

CLOTHES: dict[str, Colour] = {
    "black": (34, 34, 38),
    "white": (218, 216, 210),
    "grey": (122, 124, 128),
    "dark blue": (38, 50, 92),
    "blue": (52, 96, 172),
    "light blue": (140, 176, 208),
    "red": (168, 40, 42),
    "green": (54, 112, 66),
    "yellow": (212, 184, 62),
    "orange": (210, 112, 44),
    "brown": (98, 70, 50),
    "beige": (186, 168, 138),
    "purple": (98, 62, 118),
    "pink": (206, 138, 154),
}
_TOPS = tuple(CLOTHES)
_BOTTOMS = ("black", "grey", "dark blue", "blue", "brown", "beige", "black", "dark blue")
# RGB of hair, from black to grey.
_HAIR: tuple[Colour, ...] = (
    (32, 26, 24), (58, 42, 32), (92, 66, 44), (150, 122, 82), (140, 138, 136), (24, 22, 22),
)  # fmt: skip
# RGB of skin, from light to dark.
_SKIN: tuple[Colour, ...] = (
    (222, 184, 160), (204, 160, 132), (176, 130, 100), (134, 94, 70), (92, 62, 48),
)  # fmt: skip
# RGB of black, brown, white and grey shoes.
_SHOES: tuple[Colour, ...] = ((36, 32, 32), (70, 52, 40), (196, 194, 190), (60, 64, 74))
_BAG_COLOURS = ("black", "red", "blue", "green", "white", "grey")


@dataclass(frozen=True)
class Look:
    """Clothes and build of one person.

    Attributes:
        upper: colour name of the upper garment.
        lower: colour name of the lower garment.
        garment: `trousers`, `shorts`, `skirt` or `coat` (a coat covers the thighs).
        short_sleeves: whether the forearms are bare.
        bag: `none`, `backpack` or `shoulder bag`.
        bag_colour: colour name of the bag.
        bicycle: colour name of the bicycle's frame; empty on foot.
        hair: RGB.
        skin: RGB.
        shoes: RGB.
        height: body height in metres.
        breadth: width of the body relative to an average one.
        shades: RGB of a worn thing (`upper`, `lower`, `bag`, `bicycle`) where it differs from the
            usual one of its colour name.
    """

    upper: str
    lower: str
    garment: str
    short_sleeves: bool
    bag: str
    bag_colour: str
    bicycle: str
    hair: Colour
    skin: Colour
    shoes: Colour
    height: float
    breadth: float
    shades: tuple[tuple[str, Colour], ...] = ()

    def rgb(self, worn: str) -> Colour:
        """Returns the RGB of a worn thing: `upper`, `lower`, `bag` or `bicycle`."""
        for name, shade in self.shades:
            if name == worn:
                return shade
        names = {"upper": self.upper, "lower": self.lower, "bag": self.bag_colour}
        return CLOTHES[names.get(worn, self.bicycle)]

    def words(self) -> dict[str, str]:
        """Returns `{"upper", "lower", "garment", "bag"}` in words, riding also `"bicycle"`."""
        worn = {
            "upper": self.upper,
            "lower": self.lower,
            "garment": self.garment,
            "bag": self.bag if self.bag == "none" else f"{self.bag_colour} {self.bag}",
        }
        return worn | {"bicycle": self.bicycle} if self.bicycle else worn


def random_look(rng: np.random.Generator, riding: bool = False) -> Look:
    """Draws the look of a person on foot or, when `riding`, on a bicycle."""
    garments = ("trousers", "shorts") if riding else ("trousers", "shorts", "skirt", "coat")
    shares = (0.7, 0.3) if riding else (0.62, 0.12, 0.1, 0.16)
    garment = str(rng.choice(garments, p=shares))
    bags = ("none", "backpack") if riding else ("none", "backpack", "shoulder bag")
    bag_shares = (0.7, 0.3) if riding else (0.62, 0.22, 0.16)
    return Look(
        upper=str(rng.choice(_TOPS)),
        lower=str(rng.choice(_BOTTOMS)),
        garment=garment,
        short_sleeves=garment != "coat" and bool(rng.random() < 0.35),
        bag=str(rng.choice(bags, p=bag_shares)),
        bag_colour=str(rng.choice(_BAG_COLOURS)),
        bicycle=str(rng.choice(_BAG_COLOURS)) if riding else "",
        hair=_HAIR[rng.integers(len(_HAIR))],
        skin=_SKIN[rng.integers(len(_SKIN))],
        shoes=_SHOES[rng.integers(len(_SHOES))],
        height=float(np.clip(rng.normal(1.72, 0.09), 1.5, 1.95)),
        breadth=float(rng.uniform(0.92, 1.16)),
    )
