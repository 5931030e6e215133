"""The variant that a run uses: its weights as the case keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np

from engine.case import Case
from engine.core.arrays import pack_arrays, unpack_arrays
from engine.core.errors import BadInputError
from engine.detectors.scene.motion_rules import MotionRule
from engine.detectors.text.text_recipe import TextRecipe
from engine.pipeline.recipe import Recipe, VariantUse


@dataclass(frozen=True, eq=False)
class VariantWeights:
    """What a variant adds to both channels.

    Attributes:
        decoder: an encoded `engine.tvad.adaptation.Adaptation`; empty for none.
        motion_rules: for the scene channel; stored as `motion`.
    """

    decoder: bytes = b""
    motion_rules: tuple[MotionRule, ...] = ()

    def encode(self) -> bytes:
        """Packs the weights; equal weights give equal bytes."""
        rules = json.dumps([rule.as_json() for rule in self.motion_rules], sort_keys=True).encode()
        arrays = {"decoder": self.decoder, "motion": rules}
        return pack_arrays({name: np.frombuffer(blob, np.uint8) for name, blob in arrays.items()})

    @classmethod
    def decode(cls, blob: bytes) -> VariantWeights:
        """Unpacks what `encode` gave.

        Raises:
            BadInputError: it is damaged.
        """
        arrays = unpack_arrays(blob)
        try:
            rules = tuple(map(MotionRule.from_json, json.loads(arrays["motion"].tobytes())))
            return cls(arrays["decoder"].tobytes(), rules)
        except (KeyError, ValueError, TypeError) as error:
            raise BadInputError("a variant is damaged", str(error)[:80], "teach again") from error


def variant_weights(case: Case, recipe: Recipe) -> VariantWeights:
    """Returns the weights of the variant of a recipe; empty ones without a variant.

    Raises:
        BadInputError: the case does not hold it, or it is damaged.
    """
    if recipe.variant is None:
        return VariantWeights()
    return VariantWeights.decode(case.variants.by_sha256(recipe.variant.sha256).variant.body)


def with_variant(case: Case, recipe: Recipe, name: str) -> Recipe:
    """Returns a recipe that uses a variant of the case, with its pack and its prompts.

    Raises:
        BadInputError: there is no such variant, or its recipe is damaged.
    """
    row = case.variants.by_name(name)
    try:
        values = json.loads(row.variant.recipe)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError("the recipe of a variant is damaged", name, "teach again") from error
    text = TextRecipe.from_json(values)
    return replace(recipe, text=text, variant=VariantUse(name, row.sha256))
