"""Fixtures of a case from which something is exported."""

from __future__ import annotations

from tests.cli.conftest import analysed, case, clip, command

__all__ = ["analysed", "case", "clip", "command"]
