"""One piece of work in a thread of its own, with progress and Cancel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.core.errors import CancelledError, SightlineError
from engine.core.progress import CancelToken, Progress, ProgressCallback

_LOG = logging.getLogger(__name__)

BackgroundTask = Callable[[CancelToken, ProgressCallback], Any]


class Background(QObject):
    """Runs tasks that need no case, each in its own thread; answers come in the window's thread."""

    progressed = Signal(object)
    """A `Progress`."""

    _replied = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[threading.Thread, CancelToken] = {}
        self._closed = False
        self._replied.connect(lambda callback, value: callback(value))

    def run(
        self,
        task: BackgroundTask,
        done: Callable[[Any], None],
        failed: Callable[[SightlineError], None],
    ) -> CancelToken:
        """Begins a task.

        Returns:
            What cancels it; a cancelled task answers nothing, and none begins after `close`.
        """
        cancel = CancelToken()
        if self._closed:
            # An answer may be on its way to the window's thread while it closes, and lead here.
            cancel.cancel()
            return cancel

        def show(progress: Progress) -> None:
            self.progressed.emit(progress)

        def work() -> None:
            try:
                value = task(cancel, show)
            except CancelledError:
                return
            except SightlineError as error:
                self._replied.emit(failed, error)
            except Exception as error:
                _LOG.exception("a background task failed")
                failure = SightlineError(f"internal error ({error})", "", "report it with the log")
                self._replied.emit(failed, failure)
            else:
                self._replied.emit(done, value)

        thread = threading.Thread(target=work, name="background", daemon=True)
        self._running = {
            running: token for running, token in self._running.items() if running.is_alive()
        }
        self._running[thread] = cancel
        thread.start()
        return cancel

    def close(self) -> None:
        """Cancels everything and waits for it to end."""
        self._closed = True
        self._replied.disconnect()
        for cancel in self._running.values():
            cancel.cancel()
        for thread in self._running:
            thread.join()
        self._running = {}
