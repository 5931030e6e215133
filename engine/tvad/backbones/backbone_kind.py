"""What is known of a kind of backbone before one is loaded, so that nobody compares names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.packs.manifest_schema import Part
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.language.runtime import Runtime


@dataclass(frozen=True, eq=False)
class ShippedWeights:
    """Weights that the set-up brings along, so that nobody needs to name a folder.

    Attributes:
        folders: role in a pack -> name of the folder, as `vision` -> `mobilenetv2`.
        files: names of the files in each folder that decide what the backbone computes;
            `resources/weights.toml` brings them.
        parts: what the folders hold, with licences.
        language: name of the folder of the language model that is trained with the backbone.
    """

    folders: Mapping[str, str]
    files: tuple[str, ...]
    parts: tuple[Part, ...]
    language: str


@dataclass(frozen=True, eq=False)
class IntegratedLanguageModel:
    """The language model that a backbone is a part of; it reads the backbone's video tokens.

    Attributes:
        token_patches: patches of the picture along the edge of one video token.
        load_runtime: loads it from its folder, with an adapter or without, onto a device.
        load_model: loads the model and its tokenizer from its folder, for training.
        load_with_backbone: loads it once for seeing and for speaking.
    """

    token_patches: int
    load_runtime: Callable[[Path, Path | None, str], Runtime]
    load_model: Callable[[Path], tuple[Any, Any]]
    load_with_backbone: Callable[[Path, str], tuple[Backbone, Runtime]]


@dataclass(frozen=True, eq=False)
class BackboneKind:
    """One kind of backbone, as the registry lists it.

    Attributes:
        load: loads it from a folder of its weights onto a device of torch; where it has several
            folders, from the one that holds them all.
        shipped: its weights, where the set-up brings them; None where the user names one folder.
        centres_text: whether a decoder takes the mean of all training phrases from its text
            embeddings, because they lie close together.
        halves_on_gpu: whether it computes in bfloat16 on a GPU.
        own_language: the language model that it is a part of; None where a projector shows its
            features to another one.
    """

    load: Callable[[Path, str], Backbone]
    shipped: ShippedWeights | None = None
    centres_text: bool = False
    bfloat16_on_gpu: bool = False
    own_language: IntegratedLanguageModel | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that its folders of base weights play in a pack."""
        return ("model",) if self.shipped is None else tuple(self.shipped.folders)

    def number_type(self, device: str) -> str:
        """Returns the type of number in which it computes on a device of torch."""
        return "bfloat16" if self.bfloat16_on_gpu and device != "cpu" else "float32"
