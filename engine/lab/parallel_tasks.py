"""One function for many tasks on several processes, with a cancel token that reaches them all."""

from __future__ import annotations

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

_POLL_S = 0.2  # Between two looks at the cancel token; short enough to seem immediate.


class _RemoteEvent(Protocol):
    def is_set(self) -> bool: ...


class RemoteCancelToken(CancelToken):
    """The cancel token of another process."""

    def __init__(self, event: _RemoteEvent) -> None:
        super().__init__()
        self._event_elsewhere = event

    @property
    def cancelled(self) -> bool:
        """Whether the user stopped, as the other process knows."""
        return self._event_elsewhere.is_set()


def map_in_processes(
    make: Callable[[], Tool],
    work: Callable[[Tool, Task, CancelToken], Done],
    tasks: Sequence[Task],
    processes: int,
    cancel: CancelToken,
) -> Iterator[Done]:
    """Does tasks and yields the result of each, in the order in which they are finished.

    One process, or one task, stays in this process. All arguments must be picklable.

    Args:
        make: makes the tool that the tasks are done with, once in every process.
        work: does a task with the tool, and checks the cancel token.
        tasks: the tasks.
        processes: how many tasks are done at a time.
        cancel: stops all processes.

    Raises:
        CancelledError: the user stopped.
        ResourceError: a process died.
    """
    if processes == 1 or len(tasks) < 2:
        yield from _run_here(make, work, tasks, cancel)
        return
    try:
        yield from _run_elsewhere(partial(_run_task, make, work), tasks, processes, cancel)
    except BrokenProcessPool as error:
        remedy = "free some memory or use fewer cores, then run again to go on"
        raise ResourceError("a process died at its work", "", remedy) from error


def _run_here(
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


def _run_elsewhere(
    do: Callable[[Task, _RemoteEvent], Done],
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
        waiting: set[Future[Done]] = {pool.submit(do, task, stop) for task in tasks}
        try:
            while waiting:
                cancel.check()
                done, waiting = wait(waiting, _POLL_S, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


_tools: list[Any] = []
"""The tool of a process of a pool; the pool, and so the process, belongs to one call alone."""


def _run_task(
    make: Callable[[], Tool],
    work: Callable[[Tool, Task, CancelToken], Done],
    task: Task,
    stop: _RemoteEvent,
) -> Done:
    if not _tools:
        _tools.append(make())
    return work(_tools[0], task, RemoteCancelToken(stop))
