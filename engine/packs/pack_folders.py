"""Where packs and base weights lie: shipped with the program, and in the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from engine.core.resources import RESOURCES

PACKS_VARIABLE = "SIGHTLINE_PACKS"
"""Names another folder for the user's packs."""

WEIGHTS_VARIABLE = "SIGHTLINE_WEIGHTS"
"""Names another folder for the user's base weights."""


def user_packs() -> Path:
    """Returns the folder that imported packs go to; it need not exist yet."""
    return _named(PACKS_VARIABLE, "packs")


def pack_folders() -> tuple[Path, ...]:
    """Returns the folders in which packs are looked for, first found first."""
    return RESOURCES / "packs", user_packs()


def weights_folders() -> tuple[Path, ...]:
    """Returns the folders in which base weights are looked for, first found first."""
    return RESOURCES / "weights", _named(WEIGHTS_VARIABLE, "weights")


def _named(variable: str, name: str) -> Path:
    chosen = os.environ.get(variable)
    return Path(chosen).absolute() if chosen else user_data_path("Sightline") / name
