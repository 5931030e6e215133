"""The transformers runtime for text models: SmolLM2 with rows of evidence among its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import ResourceError
from engine.core.progress import CancelToken
from engine.tvad.quiet_transformers import quiet_transformers
from engine.tvad.runtimes.drawing import Drawer, Pieces, check_room, check_rows
from engine.tvad.runtimes.protocol import TRANSFORMERS, EmbeddingPart, Part, Sampling
from engine.tvad.torchvision_guard import guard_torchvision

_BLOCK = 128


class TransformersRuntime:
    """See `Runtime` for what the parts mean."""

    name = TRANSFORMERS

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        context: int | None = None,
        device: str = "cpu",
    ) -> None:
        """Takes a causal language model and its tokenizer; `load_transformers` reads them."""
        from transformers import DynamicCache

        self._model = model.eval().requires_grad_(False).to(device)
        self._tokenizer = tokenizer
        self._device = device
        limit = int(model.config.max_position_embeddings)
        self._context = min(context or limit, limit)
        self._cache: Any = DynamicCache(config=model.config)
        self._logits: torch.Tensor | None = None
        self._ends = end_tokens(tokenizer)

    @property
    def width(self) -> int:
        """Width of the token embeddings."""
        return int(self._model.config.hidden_size)

    @property
    def context(self) -> int:
        """Positions it can hold."""
        return self._context

    @property
    def position(self) -> int:
        """Positions held now."""
        return int(self._cache.get_seq_length())

    def count(self, part: Part) -> int:
        """Returns how many positions a part takes."""
        if isinstance(part, EmbeddingPart):
            return len(part.rows)
        return len(tokens_of(self._tokenizer, part.text, part.markup))

    @torch.inference_mode()
    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        """Reads parts after those it holds."""
        check_rows(parts, self.width)
        rows = [self._embedded(part) for part in parts]
        count = sum(len(one) for one in rows)
        check_room(self.position, count, self._context)
        if not count:
            return
        held, joined = self.position, torch.cat(rows)
        for start in range(0, count, _BLOCK):
            if cancel is not None and cancel.cancelled:
                self.rewind(held)
                cancel.check()
            self._run(joined[start : start + _BLOCK])

    def rewind(self, position: int) -> None:
        """Forgets everything from a position on."""
        if position < self.position:
            self._cache.crop(position - self.position)
        self._logits = None

    @torch.inference_mode()
    def generate(self, sampling: Sampling, cancel: CancelToken | None = None) -> Iterator[str]:
        """Answers what was fed last, a piece at a time."""
        drawer, pieces = Drawer(sampling), Pieces(self._decode)
        for _ in range(sampling.most):
            if self._logits is None or (cancel is not None and cancel.cancelled):
                return
            token = drawer.draw(self._logits.float().cpu().numpy())
            if token in self._ends or self.position >= self._context:
                return
            yield pieces.add(token)
            self._run(self._token_rows([token]))

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))

    def _embedded(self, part: Part) -> torch.Tensor:
        if isinstance(part, EmbeddingPart):
            rows = torch.from_numpy(np.ascontiguousarray(part.rows))
            return rows.to(self._device, self._model.dtype)
        return self._token_rows(tokens_of(self._tokenizer, part.text, part.markup))

    def _token_rows(self, tokens: Sequence[int]) -> torch.Tensor:
        ids = torch.tensor(list(tokens), dtype=torch.long, device=self._device)
        rows: torch.Tensor = self._model.get_input_embeddings()(ids)
        return rows

    def _run(self, rows: torch.Tensor) -> None:
        out = self._model(
            inputs_embeds=rows[None], past_key_values=self._cache, use_cache=True, logits_to_keep=1
        )
        self._cache = out.past_key_values
        self._logits = out.logits[0, -1]


def tokens_of(tokenizer: Any, text: str, markup: bool) -> list[int]:  # noqa: ANN401
    """Returns the tokens of a text; without `markup` its marks are plain letters."""
    said = tokenizer(text, add_special_tokens=False, split_special_tokens=not markup)
    return [int(one) for one in said["input_ids"]]


def end_tokens(tokenizer: Any) -> frozenset[int]:  # noqa: ANN401
    """Returns the tokens that end an answer."""
    named = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")]
    return frozenset(int(one) for one in named if one is not None and one >= 0)


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
        reason = " ".join(str(error).split())[:160]
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
        reason = " ".join(str(error).split())[:160]
        raise ResourceError(
            f"the adapter does not fit the language model ({reason})", adapter, "restore the pack"
        ) from error
