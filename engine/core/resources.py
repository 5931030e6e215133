"""Where the program's own files lie: its root and its resources, in a checkout and in a bundle."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "resources"
