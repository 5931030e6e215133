"""Runs the real `main()` in a process of its own and says on stdout what a test asks.

Run: `python -m tests.desktop.window_process modules|worker|place [CASE|VIDEO]`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

import main as program


def _say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Runs the window; what it says comes as soon as the window can say it."""
    mode, arguments = sys.argv[1], sys.argv[2:]
    sys.argv = ["main.py", *arguments]

    def act() -> None:
        from desktop.window import MainWindow
        from desktop.wiring import Wiring

        window = next(
            widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)
        )
        wiring = window.findChild(Wiring)
        assert wiring is not None
        workspace = wiring._workspace
        shown, session = workspace.state.shown, workspace.session

        def when(condition: Callable[[], object], say: Callable[[], None]) -> Callable[..., None]:
            """Returns a slot that says something once, when something holds."""
            done: list[bool] = []

            def look(*_values: object) -> None:
                if not done and condition():
                    done.append(True)
                    say()

            return look

        def exact() -> bool:
            frame = shown.value
            return frame is not None and not frame.preview

        def modules() -> None:
            _say(modules=sorted(sys.modules))
            QTimer.singleShot(0, window, window.close)

        def position() -> None:
            assert shown.value is not None
            assert session.case is not None
            _say(case=str(session.case.path), frame=shown.value.index)
            QTimer.singleShot(0, window, window.close)

        def worker() -> None:
            assert session._engine is not None
            assert session.case is not None
            workspace.state.position.set(7)
            workspace.save()
            _say(worker=session._engine.process_id, case=str(session.case.path))

        def analysing() -> bool:
            items = () if session.work is None else session.work.items
            return exact() and any(item.run_id is not None for item in items)

        if mode == "worker":
            look = when(analysing, worker)
            session.listed.connect(look)
            shown.changed.connect(look)
        else:
            shown.changed.connect(when(exact, modules if mode == "modules" else position))

    QApplication(sys.argv[:1])
    QTimer.singleShot(0, act)
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
