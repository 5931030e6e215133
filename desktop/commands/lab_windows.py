"""Windows of the laboratory by name; the application opens them and knows nothing else of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desktop.window import MainWindow
from desktop.workspace import Workspace
from engine.core.registry import Registry

LAB_WINDOWS: Registry[Callable[[Path, Path, Workspace, MainWindow], None]] = Registry(
    {"review of built dialogues": "desktop.lab.open_review:open_review"}
)
"""Each opens for a folder that a command of the lab wrote and for the data set's folder."""
