"""Starts Sightline: the command line of the engine."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line and returns the exit code."""
    from engine.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
