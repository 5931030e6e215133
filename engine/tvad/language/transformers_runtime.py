"""The transformers runtime for text models: SmolLM2 with rows of embeddings among its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import ResourceError, brief_reason
from engine.core.progress import CancelToken
from engine.tvad.language.cached_runtime import CachedRuntime, tokens_of
from engine.tvad.language.runtime import EmbeddingPart, Part
from engine.tvad.language.token_sampling import check_room, check_rows
from engine.tvad.quiet_transformers import quiet_transformers
from engine.tvad.torchvision_guard import guard_torchvision

_BLOCK = 128  # positions computed at once; between blocks a question can be cancelled


class TransformersRuntime(CachedRuntime):
    """A causal language model; `load_transformers` reads one."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        context: int | None = None,
        device: str = "cpu",
    ) -> None:
        """Takes the model and its tokenizer."""
        super().__init__(model.to(device), tokenizer, model.config, context)

    @torch.inference_mode()
    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        """Reads parts after those it holds."""
        check_rows(parts, self.width)
        rows = [self._embed(part) for part in parts]
        count = sum(map(len, rows))
        check_room(self.position, count, self._context)
        if not count:
            return
        before, joined = self.position, torch.cat(rows)
        for start in range(0, count, _BLOCK):
            if cancel is not None and cancel.cancelled:
                self.rewind(before)
                cancel.check()
            self._read(joined[None, start : start + _BLOCK])

    def rewind(self, position: int) -> None:
        """Forgets everything from a position on."""
        if position < self.position:
            self._cache.crop(position - self.position)
        self._logits = None

    def _embed(self, part: Part) -> torch.Tensor:
        if isinstance(part, EmbeddingPart):
            rows = torch.from_numpy(np.ascontiguousarray(part.rows))
            return rows.to(self._model.device, self._model.dtype)
        return self._rows_of(tokens_of(self._tokenizer, part.text, part.markup))

    def _append(self, token: int) -> None:
        self._read(self._rows_of([token])[None])


def load_transformers(
    folder: Path, adapter: Path | None = None, device: str = "cpu"
) -> TransformersRuntime:
    """Loads a text model.

    Args:
        folder: config, tokenizer and safetensors of the base model.
        adapter: a folder with a LoRA adapter as PEFT writes it; it is merged into the weights.
        device: of torch.

    Raises:
        ResourceError: a file is missing or damaged.
    """
    guard_torchvision()
    model, tokenizer = load_base(folder)
    if adapter is not None:
        model = with_adapter(model, adapter)
    return TransformersRuntime(model, tokenizer, device=device)


def load_base(folder: Path) -> tuple[Any, Any]:
    """Loads a base model in single precision and its tokenizer; nothing is fetched or run.

    Raises:
        ResourceError: a file is missing or damaged.
    """
    guard_torchvision()
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
    except (OSError, ValueError, RuntimeError) as error:
        reason = brief_reason(error)
        raise ResourceError(
            f"the language model cannot be loaded ({reason})", folder, "run the set-up again"
        ) from error
    return model, tokenizer


def with_adapter(model: Any, adapter: Path) -> Any:  # noqa: ANN401
    """Merges a LoRA adapter into a base model.

    Raises:
        ResourceError: the adapter cannot be read or does not fit.
    """
    import warnings

    from peft import PeftModel

    try:
        with warnings.catch_warnings(), quiet_transformers():
            warnings.simplefilter("ignore")
            joined = PeftModel.from_pretrained(model, str(adapter), local_files_only=True)
            return joined.merge_and_unload()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        reason = brief_reason(error)
        raise ResourceError(
            f"the adapter does not fit the language model ({reason})", adapter, "restore the pack"
        ) from error
