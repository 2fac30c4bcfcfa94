"""Work in other processes: the same results in the same order, errors raised here, and no process left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from builder.workers import Ahead, spread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


def squares(numbers: Sequence[int]) -> list[tuple[int, int]]:
    return [(number * number, os.getpid()) for number in numbers]


def fail(numbers: Sequence[int]) -> list[int]:
    raise LookupError(str(list(numbers)))


def children() -> set[str]:
    """The processes that this one has forked and not waited for."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return set(file.read().split())


@contextmanager
def no_child_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


@contextmanager
def ended(ahead: Ahead[Any, Any]) -> Iterator[Ahead[Any, Any]]:
    try:
        yield ahead
    finally:
        ahead.end()


@pytest.mark.parametrize("count", [0, 1, 47, 48, 101])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_results_come_in_the_order_of_the_things(count: int, processes: int) -> None:
    with no_child_left():
        results = spread(squares, range(count), processes)
    assert [square for square, _ in results] == [number * number for number in range(count)]
    assert len({pid for _, pid in results}) == min(processes, count // 24 or 1) - (count == 0)


def test_an_error_in_any_process_is_raised_here() -> None:
    with no_child_left(), pytest.raises(LookupError, match="0, 2"):
        spread(fail, range(100), 2)


def ready() -> Callable[[Sequence[int]], list[tuple[int, int]]]:
    return squares


def test_a_process_ahead_works_on_what_it_is_given() -> None:
    with no_child_left(), ended(Ahead(ready)) as ahead:
        ahead.start([3, 4])
        (first, pid), (second, _) = ahead.result()
    assert (first, second) == (9, 16)
    assert pid != os.getpid()


def test_a_process_ahead_that_nobody_needs_is_gone_when_it_is_ended() -> None:
    with no_child_left(), ended(Ahead(ready)):
        pass
    with no_child_left(), ended(Ahead(ready)) as ahead:
        ahead.start([1])


def test_an_error_ahead_is_raised_where_the_result_is_asked_for() -> None:
    def broken() -> Callable[[int], int]:
        raise ImportError("no such library")

    beginnings: list[Callable[[], Any]] = [broken, lambda: fail]
    for begin in beginnings:
        with no_child_left(), ended(Ahead(begin)) as ahead:
            ahead.start([1])
            with pytest.raises((ImportError, LookupError)):
                ahead.result()
