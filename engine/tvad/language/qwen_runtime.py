"""The transformers runtime for Qwen2.5-VL: positions in time and space for video tokens.

Rows of embeddings are put where placeholder tokens stand, and the model is given the kind of every
token; without it the model would silently number everything in one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.core.errors import BadInputError, ResourceError, brief_reason
from engine.core.progress import CancelToken
from engine.tvad.language.cached_runtime import CachedRuntime, tokens_of
from engine.tvad.language.runtime import EmbeddingPart, Part
from engine.tvad.language.token_sampling import check_room, check_rows
from engine.tvad.quiet_transformers import quiet_transformers
from engine.tvad.torchvision_guard import guard_torchvision

_TEXT, _VIDEO = 0, 2  # kinds of tokens, as transformers numbers them


@dataclass(frozen=True, eq=False)
class MixedSequence:
    """A sequence of tokens and rows as the model takes it.

    Attributes:
        ids: int64 [1, n], with placeholders where rows stand.
        kinds: int64 [1, n], 0 for text and anomaly tokens, 2 for video.
        rows: float32 [1, n, D], every token's embedding or row.
        grids: int64 [videos, 3], in patches; None without video.
    """

    ids: torch.Tensor
    kinds: torch.Tensor
    rows: torch.Tensor
    grids: torch.Tensor | None

    def inputs(self) -> dict[str, torch.Tensor]:
        """Returns the model's arguments."""
        inputs = {
            "input_ids": self.ids,
            "inputs_embeds": self.rows,
            "mm_token_type_ids": self.kinds,
        }
        return inputs if self.grids is None else {**inputs, "video_grid_thw": self.grids}


def mixed_sequence(
    model: Any,  # noqa: ANN401
    tokenizer: Any,  # noqa: ANN401
    parts: Sequence[Part],
    rows: Sequence[torch.Tensor | None] | None = None,
) -> MixedSequence:
    """Puts text and rows together.

    Args:
        model: a `Qwen2_5_VLForConditionalGeneration`.
        tokenizer: its tokenizer.
        parts: the sequence.
        rows: for each part a tensor [n, D] in place of its own rows, so that training can reach
            what made them.

    Raises:
        BadInputError: video tokens without a grid, or more or fewer than it has cells.
    """
    config, embed = model.config, model.get_input_embeddings()
    merge = int(config.vision_config.spatial_merge_size)
    device = embed.weight.device
    ids: list[int] = []
    kinds: list[int] = []
    joined: list[torch.Tensor] = []
    grids: list[tuple[int, int, int]] = []
    for index, part in enumerate(parts):
        if not isinstance(part, EmbeddingPart):
            tokens = tokens_of(tokenizer, part.text, part.markup)
            ids += tokens
            kinds += [_TEXT] * len(tokens)
            joined.append(embed(torch.tensor(tokens, dtype=torch.long, device=device)))
            continue
        own_rows = None if rows is None else rows[index]
        if own_rows is None:
            own_rows = torch.from_numpy(np.ascontiguousarray(part.rows))
            own_rows = own_rows.to(device, embed.weight.dtype)
        count, video = len(part.rows), part.kind == "video"
        if video:
            if part.grid is None or np.prod(part.grid) != count:
                raise BadInputError("video tokens without their grid", "", "restore the pack")
            grids.append((part.grid[0], part.grid[1] * merge, part.grid[2] * merge))
        ids += [int(config.video_token_id) if video else 0] * count
        kinds += [_VIDEO if video else _TEXT] * count
        joined.append(own_rows)
    return MixedSequence(
        torch.tensor([ids], device=device),
        torch.tensor([kinds], dtype=torch.int32, device=device),
        torch.cat(joined)[None],
        torch.tensor(grids, device=device) if grids else None,
    )


class QwenRuntime(CachedRuntime):
    """A Qwen2.5-VL; `load_qwen_runtime` reads one."""

    def __init__(self, model: Any, tokenizer: Any, context: int | None = None) -> None:  # noqa: ANN401
        """Takes the model and its tokenizer."""
        super().__init__(model, tokenizer, model.config.text_config, context)
        self._next = 0
        self._starts: list[tuple[int, int]] = [(0, 0)]

    @torch.inference_mode()
    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        """Reads parts after those it holds."""
        check_rows(parts, self.width)
        if cancel is not None:
            cancel.check()
        parts = [part for part in parts if self.count(part)]
        if not parts:
            return
        sequence = mixed_sequence(self._model, self._tokenizer, parts)
        check_room(self.position, sequence.ids.shape[1], self._context)
        positions, _ = self._model.model.get_rope_index(
            sequence.ids, video_grid_thw=sequence.grids, mm_token_type_ids=sequence.kinds
        )
        self._read_at(sequence.rows, positions + self._next)

    def rewind(self, position: int) -> None:
        """Forgets everything from a position on."""
        if position < self.position:
            self._cache.crop(position - self.position)
            start, number = max(start for start in self._starts if start[0] <= position)
            self._starts = [earlier for earlier in self._starts if earlier[0] <= start]
            # Within what was fed last, tokens after a video count on one by one.
            self._next = number + position - start
            if position == 0:
                self._cache = self._new_cache()
        self._logits = None

    def _append(self, token: int) -> None:
        rows = self._rows_of([token])[None]
        self._read_at(rows, torch.full((3, 1, 1), self._next, device=rows.device))

    def _read_at(self, rows: torch.Tensor, positions: torch.Tensor) -> None:
        self._read(rows, position_ids=positions)
        self._next = int(positions.max()) + 1
        self._starts.append((self.position, self._next))


def load_qwen_runtime(
    folder: Path, adapter: Path | None = None, device: str = "cpu"
) -> QwenRuntime:
    """Loads Qwen2.5-VL from a local folder, in bfloat16 on a GPU and float32 on a CPU.

    Raises:
        ResourceError: a file is missing or damaged.
    """
    model, tokenizer = load_qwen_model(folder, device)
    if adapter is not None:
        from engine.tvad.language.transformers_runtime import with_adapter

        model = with_adapter(model, adapter)
    return QwenRuntime(model, tokenizer)


def load_qwen_model(folder: Path, device: str = "cpu") -> tuple[Any, Any]:
    """Loads the model and its tokenizer; nothing is fetched, no code of the folder is run.

    Raises:
        ResourceError: a file is missing or damaged.
    """
    guard_torchvision()
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    number_type = torch.bfloat16 if device.startswith("cuda") else torch.float32
    try:
        with quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model: Any = Qwen2_5_VLForConditionalGeneration.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=number_type
            )
    except (OSError, ValueError, RuntimeError) as error:
        reason = brief_reason(error)
        raise ResourceError(
            f"the language model cannot be loaded ({reason})", folder, "restore the folder"
        ) from error
    return model.to(device), tokenizer
