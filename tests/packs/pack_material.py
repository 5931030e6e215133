"""Small packs for tests: sound ones, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from engine.packs.manifest_schema import (
    BackboneUse,
    HeatmapGrid,
    Manifest,
    Memory,
    Metric,
    Part,
    Training,
)
from engine.packs.pack import Pack, write_pack
from engine.packs.prompt_sets import PromptSet, dump_prompts

PROMPTS = PromptSet("en", ("person walking",), ("person running", "person riding a bicycle"))


def manifest(name: str = "tiny", **changes: Any) -> Manifest:
    """Returns a sound manifest with some fields changed."""
    fields: dict[str, Any] = {
        "name": name,
        "version": "1.2.0",
        "licence": "Apache-2.0",
        "parts": (Part("ahd", "Apache-2.0", "trained by this project on rendered footage"),),
        "backbone": BackboneUse("compact", {}, {}, {"pictures": 2, "note": "for tests"}),
        "grid": HeatmapGrid(stride=8, frames=16, steps=8),
        "languages": ("en",),
        "memory": Memory(cpu=100 << 20, gpu=None),
        "training": Training("rendered footage", "main.py train ahd --data D --pack P", (7,)),
        "sizes": {"trained_parameters": 12},
        "metrics": (Metric("pixel_auc", 0.97, "rendered test split"),),
    }
    return Manifest(**{**fields, **changes})


def weights(values: int = 12) -> bytes:
    """Returns safetensors bytes."""
    data: bytes = save({"w": np.arange(values, dtype=np.float32)})
    return data


def make_pack(folder: Path, name: str = "tiny", **changes: Any) -> Pack:
    """Writes a sound pack into `folder / name`."""
    files: dict[str, Path | bytes] = {
        "ahd.safetensors": weights(),
        "prompts.yaml": dump_prompts(PROMPTS).encode(),
        "MODEL_CARD.md": b"# Tiny\n",
        "LICENSE": b"Apache-2.0\n",
    }
    return write_pack(folder / name, manifest(name, **changes), files)


def edit(pack: Pack, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the manifest of a pack on disk."""
    path = pack.folder / "pack.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
