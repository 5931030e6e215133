"""Work beside the window: nothing begins once the window is on its way out."""

from __future__ import annotations

from desktop.session.background import Background
from engine.core.progress import CancelToken, ProgressCallback


def test_nothing_begins_after_the_end() -> None:
    begun: list[bool] = []

    def task(_cancel: CancelToken, _progress: ProgressCallback) -> None:
        begun.append(True)

    background = Background()
    background.close()
    cancel = background.run(task, lambda _value: None, lambda _error: None)
    assert cancel.cancelled
    assert not begun
