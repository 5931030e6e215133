"""Lets the tests of this folder use the small real cases of the command line's."""

from __future__ import annotations

from tests.cli.conftest import analysed, case, clip, command, copied_case

__all__ = ["analysed", "case", "clip", "command", "copied_case"]
