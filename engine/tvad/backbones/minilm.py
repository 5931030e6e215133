"""MiniLM as a frozen text encoder: the mean over the tokens of its last layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.core.errors import BadInputError, ResourceError
from engine.tvad.torchvision_guard import guard_torchvision

MAX_WORD_PIECES = 128
"""Word pieces of a prompt: all-MiniLM-L6-v2 was trained on texts of at most that many."""

_BATCH = 64  # texts embedded at once, which bounds memory; the result does not depend on it


class TextEncoder:
    """Embeds texts; equal texts always give equal rows."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Loads the encoder.

        Args:
            folder: with `model.safetensors`, `config.json` and `tokenizer.json`.
            device: of torch.

        Raises:
            ResourceError: a file is missing or damaged.
        """
        guard_torchvision()
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from transformers import AutoTokenizer, BertConfig, BertModel

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model: Any = BertModel(BertConfig.from_json_file(str(folder / "config.json")))
            model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ResourceError(
                f"the text encoder cannot be loaded ({error})", folder, "run the set-up again"
            ) from error
        self._device = device
        self._model = model.eval().requires_grad_(False).to(device)

    @property
    def width(self) -> int:
        """Width of an embedding."""
        return int(self._model.config.hidden_size)

    @property
    def weights_bytes(self) -> int:
        """Memory of the weights."""
        return sum(p.numel() * p.element_size() for p in self._model.parameters())

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeds texts: float32 [n, width], the mean over all tokens of each.

        Raises:
            BadInputError: a text is empty or has more than 128 word pieces.
        """
        rows: list[torch.Tensor] = []
        for start in range(0, len(texts), _BATCH):
            batch = [text.strip() for text in texts[start : start + _BATCH]]
            tokens = self._tokenizer(batch, padding=True, return_tensors="pt")
            mask = tokens["attention_mask"]
            self._check(batch, mask)
            out = self._model(**{name: value.to(self._device) for name, value in tokens.items()})
            weight = mask.to(self._device).unsqueeze(-1).float()
            rows.append((out.last_hidden_state * weight).sum(1) / weight.sum(1))
        return torch.cat(rows).clone() if rows else torch.zeros(0, self.width)

    @staticmethod
    def _check(texts: Sequence[str], mask: torch.Tensor) -> None:
        for text, length in zip(texts, mask.sum(1).tolist(), strict=True):
            if not text:
                raise BadInputError("a prompt is empty", "", "write a word or leave it out")
            if length > MAX_WORD_PIECES:
                what, remedy = (
                    f"a prompt has {length} word pieces",
                    f"use at most {MAX_WORD_PIECES}",
                )
                raise BadInputError(what, text[:40], remedy)
