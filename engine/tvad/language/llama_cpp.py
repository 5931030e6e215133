"""The llama.cpp runtime: GGUF weights, a GGUF adapter, rows of evidence between tokens."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import BadInputError, ResourceError, brief_reason
from engine.core.processes import cores
from engine.core.progress import CancelToken
from engine.tvad.language.runtime import LLAMA_CPP, EmbeddingPart, Part, Sampling
from engine.tvad.language.token_sampling import (
    IncrementalDecoder,
    TokenSampler,
    check_room,
    check_rows,
)

_CONTEXT = 2048  # positions a dialogue needs at most; the model could hold 8192, with more memory
_BATCH = 512  # positions computed at once; between batches a question can be cancelled
_MAX_REASON = 120  # characters of llama.cpp's message that still read well behind our own


def is_installed() -> bool:
    """Whether llama-cpp-python is there; it is not imported for that."""
    return importlib.util.find_spec("llama_cpp") is not None


class LlamaRuntime:
    """A model of llama.cpp. See `Runtime` for what the parts mean."""

    name = LLAMA_CPP

    def __init__(self, library: Any, model: Any) -> None:  # noqa: ANN401
        """Takes the library and a `Llama`; `load_llama` makes both."""
        self._library = library
        self._model = model
        self._handle = model._ctx.ctx
        self._position = 0
        self._ready = False
        vocabulary = library.llama_model_get_vocab(model._model.model)
        self._vocabulary_size = int(library.llama_vocab_n_tokens(vocabulary))
        self._is_end: Callable[[int], bool] = lambda token: bool(
            library.llama_vocab_is_eog(vocabulary, token)
        )

    @property
    def width(self) -> int:
        """Width of the token embeddings."""
        return int(self._model.n_embd())

    @property
    def context(self) -> int:
        """Positions it can hold."""
        return int(self._model.n_ctx())

    @property
    def position(self) -> int:
        """Positions in the cache now."""
        return self._position

    def count(self, part: Part) -> int:
        """Returns how many positions a part takes."""
        return len(part.rows) if isinstance(part, EmbeddingPart) else len(self._tokens(part))

    def feed(self, parts: Sequence[Part], cancel: CancelToken | None = None) -> None:
        """Reads parts after those it holds."""
        check_rows(parts, self.width)
        inputs = [
            part.rows if isinstance(part, EmbeddingPart) else self._tokens(part) for part in parts
        ]
        check_room(self._position, sum(map(len, inputs)), self.context)
        before = self._position
        for values in inputs:
            for start in range(0, len(values), _BATCH):
                if cancel is not None and cancel.cancelled:
                    self.rewind(before)
                    cancel.check()
                self._run(values[start : start + _BATCH])

    def rewind(self, position: int) -> None:
        """Forgets everything from a position on."""
        memory = self._library.llama_get_memory(self._handle)
        self._library.llama_memory_seq_rm(memory, 0, position, -1)
        self._position = min(position, self._position)
        self._ready = False

    def generate(self, sampling: Sampling, cancel: CancelToken | None = None) -> Iterator[str]:
        """Yields the answer to what was fed last, a piece at a time."""
        sampler, decoder = TokenSampler(sampling), IncrementalDecoder(self._decode)
        for _ in range(sampling.max_tokens):
            if not self._ready or (cancel is not None and cancel.cancelled):
                return
            token = sampler.sample(self._logits())
            if self._is_end(token) or self._position >= self.context:
                return
            yield decoder.add(token)
            self._run([token])

    def _tokens(self, part: Part) -> list[int]:
        assert not isinstance(part, EmbeddingPart)
        text = part.text.encode("utf-8", "replace")
        return list(self._model.tokenize(text, add_bos=False, special=part.markup)) if text else []

    def _decode(self, tokens: Sequence[int]) -> str:
        text: bytes = self._model.detokenize(list(tokens))
        return text.decode("utf-8", "replace")

    def _run(self, inputs: Sequence[int] | NDArray[np.float32]) -> None:
        """Computes tokens or rows, never both in one batch; the last gives logits."""
        library, count = self._library, len(inputs)
        if not count:
            return
        width = self.width if isinstance(inputs, np.ndarray) else 0
        batch = library.llama_batch_init(count, width, 1)
        try:
            if isinstance(inputs, np.ndarray):
                rows = np.ascontiguousarray(inputs, np.float32)
                ctypes.memmove(batch.embd, rows.ctypes.data, rows.nbytes)
            else:
                for index, token in enumerate(inputs):
                    batch.token[index] = token
            for index in range(count):
                batch.pos[index] = self._position + index
                batch.n_seq_id[index] = 1
                batch.seq_id[index][0] = 0
                batch.logits[index] = int(index == count - 1)
            batch.n_tokens = count
            code = library.llama_decode(self._handle, batch)
        finally:
            library.llama_batch_free(batch)
        if code:
            raise ResourceError(f"llama.cpp failed (code {code})", "", "close other programs")
        self._position += count
        self._ready = True

    def _logits(self) -> NDArray[np.float32]:
        pointer = self._library.llama_get_logits_ith(self._handle, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary_size,)).copy()


def load_llama(gguf: Path, adapter: Path | None = None) -> LlamaRuntime:
    """Loads a model.

    Args:
        gguf: file of the weights, with the tokenizer inside.
        adapter: file of a LoRA adapter.

    Raises:
        BadInputError: the adapter is not one for these weights.
        ResourceError: llama-cpp-python is not installed, or a file is missing or damaged.
    """
    llama_cpp = _library()
    if not gguf.is_file():
        raise ResourceError("the language model is missing", gguf, "run the set-up again")
    try:
        model = llama_cpp.Llama(
            model_path=str(gguf),
            lora_path=None if adapter is None else str(adapter),
            n_ctx=_CONTEXT,
            n_batch=_BATCH,
            n_threads=cores(),
            n_threads_batch=cores(),
            n_gpu_layers=0,
            # In half precision answers would differ from those of transformers.
            type_k=llama_cpp.GGML_TYPE_F32,
            type_v=llama_cpp.GGML_TYPE_F32,
            verbose=False,
        )
    except (ValueError, RuntimeError, OSError) as error:
        reason = brief_reason(error, _MAX_REASON)
        if adapter is not None and "adapter" in reason.lower():
            raise BadInputError(
                f"the adapter does not fit the language model ({reason})",
                adapter,
                "use a pack whose parts were trained together",
            ) from error
        raise ResourceError(
            f"the language model cannot be loaded ({reason})", gguf, "run the set-up again"
        ) from error
    return LlamaRuntime(llama_cpp, model)


def write_float_gguf(gguf: Path, to: Path) -> None:
    """Writes the same weights as float32, in which llama.cpp rounds no activations.

    Args:
        gguf: file of the weights.
        to: file to write.

    Raises:
        ResourceError: llama-cpp-python is not installed.
        RuntimeError: the weights are damaged, or there is no room.
    """
    llama_cpp = _library()
    logging.getLogger("llama-cpp-python").setLevel(logging.ERROR)
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = llama_cpp.LLAMA_FTYPE_ALL_F32
    options.allow_requantize = True
    code = llama_cpp.llama_model_quantize(os.fsencode(gguf), os.fsencode(to), ctypes.byref(options))
    if code:
        raise RuntimeError(f"llama.cpp failed (code {code})")


def _library() -> Any:  # noqa: ANN401
    # Spinning threads would slow it down twentyfold on a busy machine; it reads this when loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import llama_cpp
    except ImportError as error:
        raise ResourceError("llama-cpp-python is not installed", "", "use transformers") from error
    return llama_cpp
