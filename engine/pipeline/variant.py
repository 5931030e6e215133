"""A variant in use: what marks taught both channels, as runs name it and as the case keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.case import Case
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.detectors.scene.motion_rules import TaughtMotion

if TYPE_CHECKING:
    from engine.pipeline.recipe import Recipe


@dataclass(frozen=True)
class VariantUse:
    """Which variant a run uses.

    Attributes:
        name: its name when the run began.
        sha256: of what was taught, which decides the result.
    """

    name: str
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as a run's settings have them."""
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VariantUse:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a value is missing.
        """
        try:
            return cls(str(values["name"]), str(values["sha256"]))
        except (KeyError, TypeError) as error:
            raise BadInputError(
                "the variant of a run cannot be read", str(error), "analyse again"
            ) from error


@dataclass(frozen=True, eq=False)
class Taught:
    """What marks taught.

    Attributes:
        decoder: an `engine.tvad.adaptation.Adaptation` as bytes.
        motion: lessons of the scene channel.
    """

    decoder: bytes
    motion: tuple[TaughtMotion, ...] = ()

    def encode(self) -> bytes:
        """Packs it; the same lessons give the same bytes."""
        said = json.dumps([one.as_json() for one in self.motion], sort_keys=True).encode()
        arrays = {"decoder": self.decoder, "motion": said}
        return pack_arrays({name: np.frombuffer(one, np.uint8) for name, one in arrays.items()})

    @classmethod
    def decode(cls, blob: bytes) -> Taught:
        """Unpacks what `encode` gave.

        Raises:
            BadInputError: it is damaged.
        """
        arrays = unpack_arrays(blob)
        try:
            lessons = json.loads(arrays["motion"].tobytes())
            motion = tuple(TaughtMotion.from_json(one) for one in lessons)
            return cls(arrays["decoder"].tobytes(), motion)
        except (KeyError, ValueError, TypeError) as error:
            raise BadInputError("a variant is damaged", str(error)[:80], "teach again") from error


def taught_of(case: Case, recipe: Recipe) -> Taught | None:
    """Returns what the variant of a recipe was taught; None without one.

    Raises:
        BadInputError: the case does not hold it, or it is damaged.
    """
    if recipe.variant is None:
        return None
    return Taught.decode(case.variants.taught(recipe.variant.sha256).variant.body)


def with_variant(case: Case, recipe: Recipe, name: str) -> Recipe:
    """Returns a recipe that uses a variant of the case: its pack, its prompts, what it learned.

    Raises:
        BadInputError: there is no such variant, or its recipe is damaged.
    """
    from engine.detectors.text.text_recipe import TextRecipe

    row = case.variants.named(name)
    try:
        said = json.loads(row.variant.recipe)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError("the recipe of a variant is damaged", name, "teach again") from error
    text = TextRecipe.from_json(said)
    return replace(recipe, text=text, variant=VariantUse(name, row.sha256))


def motion_of(taught: Taught | None) -> tuple[TaughtMotion, ...]:
    """Returns the lessons of the scene channel; none without a variant."""
    return () if taught is None else taught.motion
