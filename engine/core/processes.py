"""Like tasks on several processes: each is done whole, and a wish to stop reaches all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from typing import Any, Protocol, TypeVar

from engine.core.errors import ResourceError
from engine.core.progress import CancelToken

Tool = TypeVar("Tool")
Task = TypeVar("Task")
Done = TypeVar("Done")

_LOOK_S = 0.2


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Stopping(Protocol):
    def is_set(self) -> bool: ...


class RemoteCancelToken(CancelToken):
    """The wish to stop of another process."""

    def __init__(self, event: _Stopping) -> None:
        super().__init__()
        self._elsewhere = event

    @property
    def cancelled(self) -> bool:
        """Whether the other process asked to stop."""
        return self._elsewhere.is_set()


def map_in_processes(
    make: Callable[[], Tool],
    work: Callable[[Tool, Task, CancelToken], Done],
    tasks: Sequence[Task],
    processes: int,
    cancel: CancelToken,
) -> Iterator[Done]:
    """Does tasks and yields what each gave, in the order in which they are done.

    One process, or one task, stays in this process. Everything given is picklable.

    Args:
        make: makes what the tasks are done with, once in every process.
        work: does a task with it, and looks at the wish to stop.
        tasks: what is to do.
        processes: how many tasks are done at a time.
        cancel: the wish to stop.

    Raises:
        CancelledError: the work was asked to stop.
        ResourceError: a process died.
    """
    if processes == 1 or len(tasks) < 2:
        yield from _here(make, work, tasks, cancel)
        return
    try:
        yield from _elsewhere(partial(_run_task, make, work), tasks, processes, cancel)
    except BrokenProcessPool as error:
        remedy = "free some memory or use fewer cores, then run again to go on"
        raise ResourceError("a process died at its work", "", remedy) from error


def _here(
    make: Callable[[], Tool],
    work: Callable[[Tool, Task, CancelToken], Done],
    tasks: Sequence[Task],
    cancel: CancelToken,
) -> Iterator[Done]:
    if not tasks:
        return
    tool = make()
    for task in tasks:
        cancel.check()
        yield work(tool, task, cancel)


def _elsewhere(
    do: Callable[[Task, _Stopping], Done],
    tasks: Sequence[Task],
    processes: int,
    cancel: CancelToken,
) -> Iterator[Done]:
    # A fork would share threads and locks of libraries that are at work here.
    context = get_context("spawn")
    # Ctrl+C reaches all processes of a terminal; only this one answers it.
    ignore_sigint = (signal.SIGINT, signal.SIG_IGN)
    manager = SyncManager(ctx=context)
    manager.start(signal.signal, ignore_sigint)
    with manager, ProcessPoolExecutor(processes, context, signal.signal, ignore_sigint) as pool:
        stop = manager.Event()
        waiting: set[Future[Done]] = {pool.submit(do, one, stop) for one in tasks}
        try:
            while waiting:
                cancel.check()
                done, waiting = wait(waiting, _LOOK_S, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_tools: list[Any] = []
"""What a process of a pool does its tasks with: it belongs to one call alone."""


def _run_task(
    make: Callable[[], Tool],
    work: Callable[[Tool, Task, CancelToken], Done],
    task: Task,
    stop: _Stopping,
) -> Done:
    if not _tools:
        _tools.append(make())
    return work(_tools[0], task, RemoteCancelToken(stop))
