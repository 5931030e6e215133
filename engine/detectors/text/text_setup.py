"""Opens the models of a pack for the text channel, and makes the recipe that names them.

The models need torch, which is imported here only when they are opened, so that the scene channel
runs without it.
"""

from __future__ import annotations

from engine.core.errors import BadInputError
from engine.detectors.text.text_model import TextModel
from engine.detectors.text.text_recipe import TextRecipe
from engine.packs.pack import Pack, find_pack
from engine.packs.pack_folders import pack_folders
from engine.packs.prompt_sets import PromptSet


def open_text_model(
    recipe: TextRecipe, variant: bytes | None = None, pack: Pack | None = None
) -> TextModel:
    """Opens the models of a pack and gives them the prompts.

    Args:
        recipe: names the pack and its prompts.
        variant: an encoded `engine.tvad.adaptation.Adaptation`; None for the pack as it is.
        pack: the pack that the recipe names, where it is known already.

    Raises:
        BadInputError: the pack is not the one that the recipe names, or a prompt cannot be
            embedded.
        ResourceError: the pack, its base weights or the device are missing.
    """
    from engine.detectors.text.pack_text_model import PackModel

    pack = pack or find_pack(recipe.pack)
    if pack.manifest_sha256 != recipe.pack_sha256:
        raise BadInputError(
            f"pack {pack.name} is not the one that was used", pack.folder, "restore that version"
        )
    return PackModel.open(pack, recipe, variant)


def make_text_recipe(pack: Pack, prompts: PromptSet | None, device: str) -> TextRecipe:
    """Makes the recipe of a text channel.

    Args:
        pack: the pack that the channel runs on.
        prompts: to look for; None takes the pack's own.
        device: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: the prompts of the pack are unsound, or there is no such device.
        ResourceError: there is no such device here.
    """
    from engine.tvad.backbones.registry import kind_of
    from engine.tvad.device_choice import choose_device

    is_installed = pack.folder.parent in pack_folders()
    torch_device = choose_device(device)
    return TextRecipe(
        pack.name if is_installed else str(pack.folder.absolute()),
        pack.version,
        pack.manifest_sha256,
        prompts or pack.prompts(),
        torch_device,
        kind_of(pack).number_type(torch_device),
    )
