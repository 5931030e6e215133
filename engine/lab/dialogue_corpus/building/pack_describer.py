"""A pack's language model that sees images, run by the runtimes of the dialogue (torch)."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from engine.core.errors import BadInputError, ResourceError, brief_reason
from engine.core.progress import CancelToken
from engine.dialogue.chat_format import input_parts, question_parts
from engine.lab.dialogue_corpus.building.description_forms import DescriptionQuestion
from engine.packs.pack import find_pack
from engine.packs.pack_memory import fits_machine, this_machine
from engine.tvad.backbones.backbone import Backbone, VideoWindow
from engine.tvad.backbones.registry import BACKBONES
from engine.tvad.device_choice import choose_device
from engine.tvad.language.runtime import EmbeddingPart, Runtime, Sampling


class PackDescriber:
    """See `Describer` for what the parts mean."""

    def __init__(self, name: str, backbone: Backbone, runtime: Runtime, token_patches: int) -> None:
        """Takes the eyes and the words of one model; `open_describer` reads them from a pack."""
        self.name = name
        self._backbone = backbone
        self._runtime = runtime
        self._token_side = backbone.stride * token_patches

    @torch.inference_mode()
    def say(self, question: DescriptionQuestion, cancel: CancelToken | None) -> str:
        """Answers a question about a picture; equal pictures and words give equal answers."""
        runtime = self._runtime
        try:
            runtime.rewind(0)
            before = input_parts(self._image_tokens(question), None, vision_marks=True)
            runtime.feed([*before, *question_parts(question.question, first=True)], cancel)
            answer = "".join(runtime.generate(Sampling(question.max_tokens), cancel))
        except (BadInputError, RuntimeError, MemoryError) as error:
            # Whatever stops it would stop it again at the next target: no video is to blame.
            reason = brief_reason(error) or "no memory"
            raise ResourceError(
                f"the language model stopped ({reason})", self.name,
                "run it again: answers so far are kept",
            ) from error  # fmt: skip
        if cancel is not None:
            cancel.check()
        return answer

    def _image_tokens(self, question: DescriptionQuestion) -> EmbeddingPart:
        """Shows an image as a video that stands still."""
        height, width = question.image.shape[:2]
        size = self._backbone.picture_size(width, height, question.height)
        smaller = size[0] < width
        interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        image = np.asarray(cv2.resize(question.image, size, interpolation=interpolation), np.uint8)
        frames = np.stack([image] * self._backbone.temporal_patch)
        tokens = self._backbone.video_tokens(VideoWindow(frames, np.zeros(len(frames))))
        side = self._token_side
        rows = np.asarray(tokens.cpu().numpy(), np.float32)
        return EmbeddingPart(rows, "video", (1, size[1] // side, size[0] // side))


def open_describer(name_or_folder: str, device: str = "auto") -> PackDescriber:
    """Loads the language model of a pack, once for seeing and speaking, without its adapter.

    The adapter taught it to answer other questions, in other words than these.

    Args:
        name_or_folder: name or folder of the pack.
        device: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: the pack is unsound, or its base weights are others than it says.
        ResourceError: there is no such pack, its model sees no pictures, or memory is short.
    """
    pack = find_pack(name_or_folder)
    kind = BACKBONES.get(pack.backbone.name)
    if kind is None or kind.own_language is None:
        seeing = " or ".join(name for name, kind in BACKBONES.items() if kind.own_language)
        raise ResourceError(
            f"the language model of the pack {pack.name} sees no pictures", pack.folder,
            f"name a pack of the backbone {seeing}, or leave --pack out",
        )  # fmt: skip
    if not fits_machine(pack.memory, this_machine()):
        raise ResourceError(
            f"too little memory for the pack {pack.name}", pack.folder,
            "use a smaller pack or leave --pack out",
        )  # fmt: skip
    torch_device, folder = choose_device(device), pack.base("model")
    backbone, runtime = kind.own_language.load_with_backbone(folder, torch_device)
    patches = kind.own_language.token_patches
    return PackDescriber(f"{pack.name} {pack.manifest_sha256}", backbone, runtime, patches)
