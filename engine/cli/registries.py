"""`registries`: every entry of every registry, for comparing a bundle with the source tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cli.output import print_line
from engine.core.registry import Registry

_REGISTRIES: Registry[Mapping[str, Any]] = Registry(
    {
        "command": "engine.cli.main:COMMANDS",
        "channel": "engine.pipeline.channels.scoring:SCORERS",
        "scene attribute": "engine.core.channels:SCENE_ATTRIBUTES",
        "backbone": "engine.tvad.backbones.registry:BACKBONES",
        "data set": "engine.lab.datasets.registry:DATASETS",
    }
)


def command() -> None:
    """Imports and lists every command, channel, scene attribute, backbone and data set."""
    for kind, registry in _REGISTRIES.items():
        for name, entry in registry.items():
            print_line(f"{kind}: {name} ({getattr(entry, '__module__', type(entry).__name__)})")
