"""The version of Sightline, written into every case, run, report and audit entry."""

from __future__ import annotations

VERSION = "0.1.0"
"""Equal to the version in `pyproject.toml`; a test compares them, because a packaged
application carries no metadata to read it from."""
