"""Fixtures of cases that leave for another workplace."""

from __future__ import annotations

from tests.report.conftest import analysed, archive, case, clip, command, copied_case

__all__ = ["analysed", "archive", "case", "clip", "command", "copied_case"]
