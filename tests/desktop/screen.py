"""The screen of Qt's offscreen platform; its own is 800x800, smaller than any that is sold."""

from __future__ import annotations

from pathlib import Path

OFFSCREEN = f"offscreen:configfile={Path(__file__).with_suffix('.json')}"
"""For `QT_QPA_PLATFORM`: 1920x1080."""
