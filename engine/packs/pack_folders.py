"""The folders of packs and base weights: of the program, and in the user's data folder."""

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
    return _user_folder(PACKS_VARIABLE, "packs")


def pack_folders() -> tuple[Path, ...]:
    """Returns the folders in which packs are looked for, in that order."""
    return RESOURCES / "packs", user_packs()


def weights_folders() -> tuple[Path, ...]:
    """Returns the folders in which base weights are looked for, in that order."""
    return RESOURCES / "weights", _user_folder(WEIGHTS_VARIABLE, "weights")


def _user_folder(variable: str, name: str) -> Path:
    path = os.environ.get(variable)
    return Path(path).absolute() if path else user_data_path("Sightline") / name
