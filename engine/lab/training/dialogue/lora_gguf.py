"""Writes a LoRA adapter of a Llama model as GGUF, the form that llama.cpp loads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError

_NAME = re.compile(
    r"(?:base_model\.model\.)?model\.layers\.(?P<layer>\d+)\.self_attn\."
    r"(?P<part>[qv])_proj\.lora_(?P<side>[AB])(?:\.default)?\.weight"
)


@dataclass(frozen=True)
class LoraShape:
    """The sizes of an adapter.

    Attributes:
        rank: r.
        alpha: alpha; the adapter is scaled by alpha / r.
        heads: attention heads of the base model.
    """

    rank: int
    alpha: float
    heads: int


def write_lora_gguf(path: Path, state: Mapping[str, NDArray[np.float32]], shape: LoraShape) -> None:
    """Writes an adapter.

    Args:
        path: the file, replaced when it exists.
        state: tensors as PEFT names them: `…layers.N.self_attn.q_proj.lora_A.weight` float32
            [r, in] and `…lora_B.weight` float32 [out, r], likewise for `v_proj`.
        shape: sizes of the adapter.

    Raises:
        BadInputError: a tensor is of another kind.
        OSError: the file cannot be written.
    """
    import gguf

    writer = gguf.GGUFWriter(path, arch="llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, shape.alpha)
    for name, tensor in sorted(state.items()):
        match = _NAME.fullmatch(name)
        if match is None:
            raise BadInputError(f"an adapter with a tensor {name}", path, "train q_proj and v_proj")
        values = np.asarray(tensor, np.float32)
        if match["part"] == "q" and match["side"] == "B":
            values = _interleave(values, shape.heads)
        side = match["side"].lower()
        to = f"blk.{match['layer']}.attn_{match['part']}.weight.lora_{side}"
        writer.add_tensor(to, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _interleave(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Brings rows into the order in which GGUF keeps the queries of Llama models.

    transformers rotates the first half of a head against its second half, llama.cpp neighbouring
    rows; the base weights were reordered the same way.
    """
    out, rank = values.shape
    halves = values.reshape(heads, 2, out // heads // 2, rank)
    return halves.swapaxes(1, 2).reshape(out, rank)
