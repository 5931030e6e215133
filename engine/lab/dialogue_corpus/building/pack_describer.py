"""A pack's language model that sees pictures, asked through the dialogue's runtimes (torch)."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from engine.core.errors import BadInputError, ResourceError
from engine.core.progress import CancelToken
from engine.detectors.text.pack_text_model import chosen_device
from engine.dialogue.chat_format import evidence_parts, question_parts
from engine.lab.dialogue_corpus.building.description_forms import Asked
from engine.media import hash_file
from engine.packs.manifest_schema import MANIFEST
from engine.packs.pack import find_pack
from engine.packs.pack_memory import fits, this_machine
from engine.tvad.backbones.backbone import Backbone, VideoWindow
from engine.tvad.backbones.qwen import QwenBackbone, checked_config
from engine.tvad.language.runtime import EmbeddingPart, Runtime, Sampling

_MERGE = 2
_SEES = "qwen2.5-vl"


class PackDescriber:
    """See `Describer` for what the parts mean."""

    def __init__(self, name: str, backbone: Backbone, runtime: Runtime) -> None:
        """Takes the eyes and the words of one model; `open_describer` reads them from a pack."""
        self.name = name
        self._backbone = backbone
        self._runtime = runtime

    @torch.inference_mode()
    def say(self, asked: Asked, cancel: CancelToken | None) -> str:
        """Answers a question about a picture; equal pictures and words give equal answers."""
        runtime = self._runtime
        try:
            runtime.rewind(0)
            before = evidence_parts(self._seen(asked), None, vision_marks=True)
            runtime.feed([*before, *question_parts(asked.question, first=True)], cancel)
            said = "".join(runtime.generate(Sampling(asked.most), cancel))
        except (BadInputError, RuntimeError, MemoryError) as error:
            # Whatever stops it would stop it again at the next target: no video is to blame.
            reason = " ".join(str(error).split())[:160] or "no memory"
            raise ResourceError(
                f"the language model stopped ({reason})", self.name,
                "run it again: answers so far are kept",
            ) from error  # fmt: skip
        if cancel is not None:
            cancel.check()
        return said

    def _seen(self, asked: Asked) -> EmbeddingPart:
        """Shows a picture as a video that stands still."""
        height, width = asked.picture.shape[:2]
        size = self._backbone.picture_size(width, height, asked.height)
        smaller = size[0] < width
        way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(asked.picture, size, interpolation=way), np.uint8)
        frames = np.stack([picture] * self._backbone.temporal_patch)
        tokens = self._backbone.video_tokens(VideoWindow(frames, np.zeros(len(frames))))
        side = self._backbone.stride * _MERGE
        rows = np.asarray(tokens.cpu().numpy(), np.float32)
        return EmbeddingPart(rows, "video", (1, size[1] // side, size[0] // side))


def open_describer(name_or_folder: str, device: str = "auto") -> PackDescriber:
    """Loads the language model of a pack, once for seeing and speaking, without its adapter.

    The adapter taught it to answer other questions, in other words than these.

    Args:
        name_or_folder: of the pack.
        device: `auto`, `cpu` or `cuda:N`.

    Raises:
        BadInputError: the pack is unsound, or its base weights are others than it says.
        ResourceError: there is no such pack, its model sees no pictures, or memory is short.
    """
    pack = find_pack(name_or_folder)
    if pack.backbone.name != _SEES:
        raise ResourceError(
            f"the language model of the pack {pack.name} sees no pictures", pack.folder,
            f"name a pack of the backbone {_SEES}, or leave --pack out",
        )  # fmt: skip
    if not fits(pack.memory, this_machine()):
        raise ResourceError(
            f"too little memory for the pack {pack.name}", pack.folder,
            "use a smaller pack or leave --pack out",
        )  # fmt: skip
    from engine.tvad.language.qwen_runtime import QwenRuntime, load_qwen_model

    place, folder = chosen_device(device), pack.base("model")
    checked_config(folder)
    model, tokenizer = load_qwen_model(folder, place)
    sha256 = str(hash_file(pack.folder / MANIFEST)["sha256"])
    backbone = QwenBackbone(model.model, tokenizer, place, folder)
    return PackDescriber(f"{pack.name} {sha256}", backbone, QwenRuntime(model, tokenizer))
