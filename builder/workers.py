"""Work in other processes, forked from this one: the same on many things, or one thing ahead of time."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from builder.execute.prctl import PR_SET_PDEATHSIG, prctl

T = TypeVar("T")
R = TypeVar("R")

# A fork costs some milliseconds: fewer things than this are done here.
FEWEST = 24


def spread(
    work: Callable[[Sequence[T]], list[R]], things: Sequence[T], processes: int, fewest: int = FEWEST
) -> list[R]:
    """Return `work(things)`, in the order of `things`, done by so many processes.

    `work` takes a part of the things and returns a result for each, in order. What it changes in memory is
    lost, what it writes to disk is not. An exception in any part is raised here. A process
    more is worth its price for `fewest` things.
    """
    processes = min(processes, len(things) // fewest)
    if processes < 2 or sys.platform != "linux":
        return work(things)
    # Dealt out like cards, since neighbours are alike in size.
    parts = [things[k::processes] for k in range(processes)]
    children = [_Child(work, part) for part in parts[1:]]
    try:
        results = [work(parts[0]), *(child.result() for child in children)]
    finally:
        for child in children:
            child.end()
    return [results[index % processes][index // processes] for index in range(len(things))]


class Ahead(Generic[T, R]):
    """A process that gets ready for some work while this one goes on, and then does what is asked of it.

    `ready` is called in it at once, to import what the work needs, say, and returns the function that does
    the work: once, on the things that `start` is given.
    """

    def __init__(self, ready: Callable[[], Callable[[T], R]]) -> None:
        reader, self._writer = os.pipe()

        def work(_: Sequence[None]) -> list[R]:
            os.close(self._writer)
            done = ready()
            with os.fdopen(reader, "rb") as pipe:
                return [done(pickle.load(pipe))]

        self._child = _Child(work, ())
        os.close(reader)

    def start(self, things: T) -> None:
        """Let it begin. If it has ended already, `result` says why."""
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._writer, "wb") as pipe:
            self._writer = -1
            pickle.dump(things, pipe, pickle.HIGHEST_PROTOCOL)

    def result(self) -> R:
        """Wait for what came of the work, and return or raise it."""
        return self._child.result()[0]

    def end(self) -> None:
        """Leave no process and no pipe behind, whether it was started or not."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
        self._child.end()


class _Child:
    """One process that works on a part of the things and sends what came of it through a pipe."""

    def __init__(self, work: Callable[[Sequence[T]], list[R]], part: Sequence[T]) -> None:
        self._reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._reader)
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
                with os.fdopen(writer, "wb") as pipe:
                    pickle.dump(_outcome(work, part), pipe, pickle.HIGHEST_PROTOCOL)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writer)

    def result(self) -> list[R]:
        """Wait for what came of the part, and return or raise it."""
        with os.fdopen(self._reader, "rb") as pipe:
            self._reader = -1
            error, results = pickle.load(pipe)
        if error is not None:
            raise error
        done: list[R] = results
        return done

    def end(self) -> None:
        """Leave no process and no pipe behind."""
        if self._reader >= 0:
            os.close(self._reader)
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _outcome(
    work: Callable[[Sequence[T]], list[R]], part: Sequence[T]
) -> tuple[BaseException | None, object]:
    try:
        return None, work(part)
    except Exception as error:
        return error, None
