"""The engine process: works off the window's requests, one JSON object a line both ways."""

from engine.worker.worker_process import run

__all__ = ["run"]
