"""The recipe of the text channel: what decides its results, as a run stores it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.core.errors import BadInputError
from engine.packs.prompt_sets import PromptSet, parse_prompts


@dataclass(frozen=True)
class TextRecipe:
    """Pack, prompts and device of the text channel.

    Attributes:
        pack: name of the pack, or its folder where it is not an installed one.
        version: of the pack.
        pack_sha256: hash of the pack's manifest, which holds the hashes of its files.
        prompts: to look for.
        device: of torch, as `cpu` or `cuda:0`.
        number_type: in which the backbone computes, as `float32`.
        seed: of everything that is drawn at random; at present nothing is.
    """

    pack: str
    version: str
    pack_sha256: str
    prompts: PromptSet
    device: str = "cpu"
    number_type: str = "float32"
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Returns JSON values, as a run's settings have them."""
        return {**self.__dict__, "prompts": self.prompts.as_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TextRecipe:
        """Restores what `as_json` gave.

        Raises:
            BadInputError: a value is missing, or the prompts are none.
        """
        try:
            prompts = parse_prompts(values["prompts"], "settings of the run")
            known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
            return cls(**{**known, "prompts": prompts})
        except (KeyError, TypeError) as error:
            raise BadInputError(
                "the settings of the text channel cannot be read", str(error), "analyse again"
            ) from error

    def feature_settings(self) -> dict[str, Any]:
        """Returns what decides the features of footage, everything but the prompts, as JSON."""
        values = self.as_json()
        del values["prompts"]
        return values

    def with_prompts(self, prompts: PromptSet) -> TextRecipe:
        """Returns the same recipe with other prompts."""
        return replace(self, prompts=prompts)
