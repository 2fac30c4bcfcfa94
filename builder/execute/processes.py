"""The process table, and the calls of Linux that keep a family of processes together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


def signal_main_thread(pid: int, number: int) -> None:
    """Send a signal to the main thread of a process. Raises ProcessLookupError if there is no such process.

    One that is sent to the process may be taken by any of its threads, one of OpenMP's say: then the main
    thread sleeps on in its system call, and a traceback is that of a thread which has none.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "tgkill") or libc.tgkill(pid, pid, number) != 0:
        os.kill(pid, number)


def children(pid: int) -> list[int]:
    """Return the ids of the children of a process, unreaped ones too."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below a process."""
    found = []
    waiting = [pid]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def end_children(spared: Callable[[int], bool], seconds: float) -> None:
    """End and reap every child of this process that is not `spared`, with all that is below it.

    A family that forks faster than it dies is stopped first. What is not gone in time stays.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = [pid for pid in children(os.getpid()) if not spared(pid)]
        if not left:
            return
        family = {pid: None for child in left for pid in (child, *descendants(child))}
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def oom_kills() -> int:
    """How many processes has the kernel ended for want of memory since it started? 0 if it does not say."""
    try:
        counters = Path("/proc/vmstat").read_text().split()
        return int(counters[counters.index("oom_kill") + 1])
    except (OSError, ValueError):
        return 0


def readable(sockets: Sequence[socket.socket], seconds: float) -> list[socket.socket]:
    """Wait until one of some sockets can be read, or for so long; return those that can, or are closed.

    A negative number of seconds is for ever.

    By poll(2), since select(2) knows no descriptors above 1,023.
    """
    waiting = select.poll()
    for each in sockets:
        waiting.register(each, select.POLLIN)
    ready = {descriptor for descriptor, _ in waiting.poll(seconds * 1000 if seconds >= 0 else None)}
    return [each for each in sockets if each.fileno() in ready]
