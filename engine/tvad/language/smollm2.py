"""SmolLM2 in float32 for both runtimes, built once from the small GGUF that is shipped.

transformers reads a GGUF in twenty seconds every time, and the result refuses to be saved or to
change its precision. llama.cpp rounds activations to eight bits when weights have four, so that a
last digit decides where the model is undecided; with the same weights as float32 it answers word
for word as transformers does. What is built goes to `.cache/models/` beside the program, where the
set-up keeps what it makes, or to the user's cache when there is no such folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from engine.core.errors import ResourceError, brief_reason
from engine.core.resources import ROOT
from engine.media.hashing import hash_file
from engine.tvad.quiet_transformers import quiet_transformers
from engine.tvad.torchvision_guard import guard_torchvision

CACHE_VARIABLE = "SIGHTLINE_MODEL_CACHE"
"""Names another folder for rebuilt models."""

_CACHE_BESIDE_PROGRAM = ROOT / ".cache"
_COMPLETE_MARK = "built-from.txt"
_FLOAT_GGUF = "float32.gguf"
_NAME_DIGITS = 12  # hex digits of the GGUF's hash in a folder's name; two never meet by chance


def gguf_in(folder: Path) -> Path:
    """Returns the one GGUF of a folder of base weights.

    Raises:
        ResourceError: there is none, or several.
    """
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise ResourceError(f"{len(files)} GGUF files", folder, "run the set-up again")
    return files[0]


def safetensors_of(folder: Path) -> Path:
    """Returns a folder that transformers can load for a folder of base weights.

    A folder that holds safetensors already is returned as it is; otherwise its GGUF is rebuilt
    the first time, which takes half a minute and 540 MB.

    Raises:
        ResourceError: the GGUF is missing or damaged, or there is no room.
    """
    if any(folder.glob("*.safetensors")):
        return folder
    return _ensure_built(folder, "", rebuild)


def float_gguf_of(folder: Path) -> Path:
    """Returns the weights of a folder of base weights as a float32 GGUF.

    It is written the first time, which takes a second or two and 540 MB.

    Raises:
        ResourceError: the GGUF is missing or damaged, or there is no room.
    """
    from engine.tvad.language.llama_cpp import write_float_gguf

    def write(gguf: Path, to: Path) -> None:
        write_float_gguf(gguf, to / _FLOAT_GGUF)

    return _ensure_built(folder, "-float32", write) / _FLOAT_GGUF


def _ensure_built(folder: Path, kind: str, make: Callable[[Path, Path], None]) -> Path:
    """Returns the folder of a model in the cache, building it there the first time."""
    gguf = gguf_in(folder)
    sha256 = str(hash_file(gguf)["sha256"])
    built = _cache_folder() / f"{folder.name}-{sha256[:_NAME_DIGITS]}{kind}"
    if not (built / _COMPLETE_MARK).is_file():
        _build(gguf, built, sha256, make)
    return built


def _cache_folder() -> Path:
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).absolute()
    beside = _CACHE_BESIDE_PROGRAM
    return (beside if beside.is_dir() else user_cache_path("Sightline")) / "models"


def _build(gguf: Path, to: Path, sha256: str, make: Callable[[Path, Path], None]) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=to.parent, prefix=".building-"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(f"no model cache ({reason})", to.parent, "free some room") from error
    try:
        make(gguf, scratch)
        (scratch / _COMPLETE_MARK).write_text(f"{sha256}  {gguf.name}\n", encoding="utf-8")
        try:
            scratch.rename(to)
        except OSError:
            # Another process may have built it meanwhile.
            if not (to / _COMPLETE_MARK).is_file():
                raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = brief_reason(error)
        raise ResourceError(
            f"the language model cannot be rebuilt ({reason})", gguf, "run the set-up again"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def rebuild(gguf: Path, to: Path) -> None:
    """Writes config, tokenizer and float32 safetensors of a GGUF into a folder.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: the GGUF is of a kind that transformers does not read.
    """
    guard_torchvision()
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    with quiet_transformers():
        source = {"gguf_file": gguf.name, "local_files_only": True}
        tokenizer: Any = AutoTokenizer.from_pretrained(str(gguf.parent), **source)
        unpacked: Any = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), dtype=torch.float32, **source
        )
        plain = unpacked.config.to_dict()
        for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
            plain.pop(name, None)
        config: Any = AutoConfig.for_model(**plain)
        model_class: Any = AutoModelForCausalLM
        model: Any = model_class.from_config(config, dtype=torch.float32)
        model.load_state_dict(unpacked.state_dict())
        model.save_pretrained(str(to))
        tokenizer.save_pretrained(str(to))
