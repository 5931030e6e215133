"""Tasks on several processes: all of them done, a wish to stop heard, a death named."""

from __future__ import annotations

import os
from functools import partial

import pytest

from engine.core.errors import BadInputError, CancelledError, ResourceError
from engine.core.progress import CancelToken
from engine.lab.parallel_tasks import map_in_processes

MANY = range(5)

Tool = tuple[int, int]


def begin(by: int) -> Tool:
    return by, os.getpid()


def add(tool: Tool, task: int, cancel: CancelToken) -> tuple[int, int, int]:
    return tool[0] + task, tool[1], os.getpid()


def refuse(tool: Tool, task: int, cancel: CancelToken) -> int:
    if task == 1:
        raise BadInputError("no such footage", "yard.mp4", "name another")
    return task


def die(tool: Tool, task: int, cancel: CancelToken) -> int:
    os._exit(9)


def until_stopped(tool: Tool, task: int, cancel: CancelToken) -> int:
    while task > 0:
        cancel.check()
    return task


@pytest.mark.parametrize("processes", [1, 2])
def test_every_task_is_done_by_what_its_own_process_made(processes: int) -> None:
    done = list(map_in_processes(partial(begin, 10), add, MANY, processes, CancelToken()))
    assert sorted(total for total, _, _ in done) == [10 + task for task in MANY]
    assert all(made == used for _, made, used in done)
    assert (os.getpid() in {used for _, _, used in done}) == (processes == 1)


def test_without_tasks_nothing_is_made() -> None:
    assert not list(map_in_processes(partial(pytest.fail, "made"), add, (), 2, CancelToken()))


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_arrives_as_it_was_raised(processes: int) -> None:
    with pytest.raises(BadInputError, match=r"footage, yard\.mp4, name") as caught:
        list(map_in_processes(partial(begin, 0), refuse, MANY, processes, CancelToken()))
    assert caught.value.remedy == "name another"


def test_a_wish_to_stop_reaches_tasks_that_are_under_way() -> None:
    cancel = CancelToken()
    done = map_in_processes(partial(begin, 0), until_stopped, MANY, 2, cancel)
    assert next(done) == 0
    cancel.cancel()
    with pytest.raises(CancelledError):
        next(done)


def test_a_process_that_dies_is_named() -> None:
    with pytest.raises(ResourceError, match="a process died"):
        list(map_in_processes(partial(begin, 0), die, MANY, 2, CancelToken()))
