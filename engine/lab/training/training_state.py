"""The state of a training: written whole after a step, read to resume from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.core.errors import BadInputError
from engine.core.files import atomic_path


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Everything that decides how a training goes on.

    Attributes:
        step: optimiser steps done.
        settings: settings of the training as JSON values; another training is not resumed.
        log: the measurements so far.
        tensors: tensors of model, average, best model and optimiser, by name.
    """

    step: int
    settings: Mapping[str, Any]
    log: list[dict[str, Any]]
    tensors: Mapping[str, torch.Tensor]

    def save(self, path: Path) -> None:
        """Writes the state; errors of the disk leave an older state as it is."""
        about = {
            "state": json.dumps(
                {"step": self.step, "settings": dict(self.settings), "log": self.log}
            )
        }
        tensors = {name: tensor.contiguous() for name, tensor in self.tensors.items()}
        with atomic_path(path) as part:
            save_file(tensors, part, about)


def load_state(path: Path, settings: Mapping[str, Any]) -> TrainingState | None:
    """Reads the state of a training with these settings; None when there is none.

    Raises:
        BadInputError: it is damaged, or belongs to a training with other settings.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        state = TrainingState(int(about["step"]), about["settings"], about["log"], tensors)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise BadInputError(
            f"the state of the training is damaged ({error})", path, "delete it or use --fresh"
        ) from error
    if dict(state.settings) != json.loads(json.dumps(dict(settings))):
        raise BadInputError(
            "a training with other settings lies there", path, "use --fresh or another --work"
        )
    return state


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Returns the state that an optimiser has for every parameter, by number and name."""
    states = optimiser.state_dict()["state"]
    return {
        f"optimiser.{number}.{name}": value.clone()
        for number, values in states.items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Puts the tensors of `optimiser_tensors` back into an optimiser."""
    whole = optimiser.state_dict()
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = value.clone()
    whole["state"] = state
    optimiser.load_state_dict(whole)
