"""What the runtimes of transformers share: a model with what it has read in its key-value cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from engine.core.progress import CancelToken
from engine.tvad.language.runtime import TRANSFORMERS, EmbeddingPart, Part, Sampling
from engine.tvad.language.token_sampling import IncrementalDecoder, TokenSampler


class CachedRuntime(ABC):
    """A causal model of transformers. See `Runtime` for what the parts mean."""

    name = TRANSFORMERS

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        tokenizer: Any,  # noqa: ANN401
        text_config: Any,  # noqa: ANN401
        context: int | None,
    ) -> None:
        """Freezes the model and begins with an empty sequence.

        Args:
            model: a causal language model.
            tokenizer: the tokenizer of the model.
            text_config: configuration of the model's language part.
            context: positions at most; None for as many as the model can hold.
        """
        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._text = text_config
        limit = int(text_config.max_position_embeddings)
        self._context = min(context or limit, limit)
        self._cache: Any = self._new_cache()
        self._logits: torch.Tensor | None = None
        self._ends = end_tokens(tokenizer)

    @property
    def width(self) -> int:
        """Width of the token embeddings."""
        return int(self._text.hidden_size)

    @property
    def context(self) -> int:
        """Positions it can hold."""
        return self._context

    @property
    def position(self) -> int:
        """Positions in the cache now."""
        return int(self._cache.get_seq_length())

    def count(self, part: Part) -> int:
        """Returns how many positions a part takes."""
        if isinstance(part, EmbeddingPart):
            return len(part.rows)
        return len(tokens_of(self._tokenizer, part.text, part.markup))

    @torch.inference_mode()
    def generate(self, sampling: Sampling, cancel: CancelToken | None = None) -> Iterator[str]:
        """Yields the answer to what was fed last, a piece at a time."""
        sampler, decoder = TokenSampler(sampling), IncrementalDecoder(self._decode)
        for _ in range(sampling.max_tokens):
            if self._logits is None or (cancel is not None and cancel.cancelled):
                return
            token = sampler.sample(self._logits.float().cpu().numpy())
            if token in self._ends or self.position >= self._context:
                return
            yield decoder.add(token)
            self._append(token)

    @abstractmethod
    def _append(self, token: int) -> None:
        """Appends a token that was drawn to the sequence."""

    def _rows_of(self, tokens: Sequence[int]) -> torch.Tensor:
        embed = self._model.get_input_embeddings()
        ids = torch.tensor(list(tokens), dtype=torch.long, device=embed.weight.device)
        rows: torch.Tensor = embed(ids)
        return rows

    def _read(self, rows: torch.Tensor, **positions: torch.Tensor) -> None:
        out = self._model(
            inputs_embeds=rows,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **positions,
        )
        self._cache = out.past_key_values
        self._logits = out.logits[0, -1]

    def _new_cache(self) -> Any:  # noqa: ANN401
        from transformers import DynamicCache

        return DynamicCache(config=self._text)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))


def tokens_of(tokenizer: Any, text: str, markup: bool) -> list[int]:  # noqa: ANN401
    """Returns the tokens of a text; without `markup` the model's marks in it are plain letters."""
    encoding = tokenizer(text, add_special_tokens=False, split_special_tokens=not markup)
    return [int(token) for token in encoding["input_ids"]]


def end_tokens(tokenizer: Any) -> frozenset[int]:  # noqa: ANN401
    """Returns the tokens that end an answer."""
    tokens = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")]
    return frozenset(int(token) for token in tokens if token is not None and token >= 0)
