"""A session leaves checkpoints behind: processes that hold the state after a cell, for others to go on from.

    session --fork--> checkpoint      it waits on a socket, of which the fork server has the other end
    checkpoint --fork--> session      for each run that goes on from there; the checkpoint stays

Each is forked twice, the process between the two ends at once, so that all of them are children of the fork
server: none is below a session, none counts for a session's processes, and none ends with it. The fork
server hears of each through the *register*, a socket that keeps messages whole, before it can become its parent:

    {"checkpoint": 3, "files": {…}, "pid": 4711}    with one descriptor: the state after cell 3, and what was read
                                                    and written until then, with its stamps
    {"worker": 7, "pid": 4712}                      a session for the job 7

What a fork does not keep apart is an obstacle (see `obstacle`), and then there is no checkpoint.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import signal
import socket
import stat
import sys
import time
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any

from builder.execute.prctl import PR_SET_CHILD_SUBREAPER, prctl
from builder.execute.processes import children

OMP_PAUSE_SOFT = 1
SECONDS_OF_THREADS = 0.2  # that paused threads may take to be gone


def branch(register: socket.socket, news: Mapping[str, Any], descriptors: Sequence[int] = ()) -> bool:
    """Fork a process that is a child of the fork server, and register it; True in it, False here.

    Raises OSError if it could not be forked.
    """
    state = random.getstate()  # Python seeds its generator anew in every fork
    prctl(PR_SET_CHILD_SUBREAPER, 0)
    between = os.fork()
    if between:
        failed = 0
        with contextlib.suppress(ChildProcessError):  # the post lets the system reap its children
            failed = os.waitpid(between, 0)[1]
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        if failed:
            raise OSError("no further process can be forked")
        return False
    between = os.getpid()
    try:
        os.setsid()  # what is sent to the family of a session is not for its checkpoints, from the first moment on
        pid = os.fork()
        if pid:
            line = json.dumps({**news, "pid": pid}).encode()
            socket.send_fds(register, [line], descriptors)
            os._exit(0)
    except BaseException:
        os._exit(1)
    random.setstate(state)
    os.setsid()  # a family of its own, since signals are sent to families
    while os.getppid() == between:
        time.sleep(0.0002)
    return True


def obstacle(own: Collection[int], pool: Set[str]) -> str:
    """Why this process cannot be copied by a fork; "" if it can. The descriptors `own` are ours.

    The threads `pool` need not survive.

    The team of threads of OpenMP, which no fork survives, is ended: it is made again when it is needed.
    """
    torch = sys.modules.get("torch")
    if torch is not None and _uses_cuda(torch):
        return "CUDA is in use"
    if any(
        signal.getitimer(clock)[0]
        for clock in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    ):
        return "a timer is running"
    if children(os.getpid()):
        return "processes of its own are running"
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        maps = [line.split(maxsplit=5) for line in file]
    if any(fields[1][3] == "s" and "w" in fields[1] for fields in maps):
        return "it has memory that is shared between processes"
    teams = sorted({fields[5].rstrip("\n") for fields in maps if len(fields) > 5 and "libgomp" in fields[5]})
    if torch is not None and not teams:
        return "the OpenMP of this torch is not known"
    if not all(map(_paused, teams)):
        return "the OpenMP of this torch cannot be paused"
    if not _is_alone(pool):
        return "threads are running"
    return _shared_descriptor(own)


def reopen(own: Collection[int], places: Mapping[int, int]) -> None:
    """Let this process have its open files for itself, each read up to its place.

    After a fork both processes read from one place, which moves for both.
    """
    for descriptor, place in places.items():
        if descriptor in own:
            continue
        again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(again, place, os.SEEK_SET)
        os.dup2(again, descriptor, inheritable=os.get_inheritable(descriptor))
        os.close(again)


def places() -> dict[int, int]:
    """Return how far each open file has been read, by its descriptor."""
    return {
        descriptor: os.lseek(descriptor, 0, os.SEEK_CUR)
        for descriptor in _descriptors()
        if stat.S_ISREG(os.fstat(descriptor).st_mode)
    }


def _uses_cuda(torch: Any) -> bool:
    try:
        return bool(torch.cuda.is_initialized())
    except AttributeError:  # a module of the post's own
        return False


def _paused(library: str) -> bool:
    """End the threads of one libgomp; False if it does not know how (before OpenMP 5)."""
    pause = getattr(ctypes.CDLL(library), "omp_pause_resource_all", None)
    return pause is not None and pause(OMP_PAUSE_SOFT) == 0


def threads() -> set[str]:
    """Return the ids of the threads of this process."""
    return set(os.listdir("/proc/self/task"))


def _is_alone(pool: Set[str]) -> bool:
    """Has this process one thread besides those? The ones of OpenMP may still be on their way out."""
    deadline = time.monotonic() + SECONDS_OF_THREADS
    while len(threads() - pool) > 1:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def _shared_descriptor(own: Collection[int]) -> str:
    """Is anything open that two processes cannot have in common? A file that is only read can be reopened."""
    ours = {_file(descriptor) for descriptor in own}
    for descriptor in _descriptors():
        if descriptor in own or descriptor == 0:
            continue
        kind = os.fstat(descriptor).st_mode
        if _file(descriptor) in ours:
            return "it holds on to its standard streams"
        if stat.S_ISREG(kind):
            if _access(descriptor) != os.O_RDONLY:
                return "it has a file open for writing"
        elif not stat.S_ISCHR(kind) and not stat.S_ISDIR(kind):
            return "it has a connection open"
    return ""


def _descriptors() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself
            os.fstat(int(name))
            found.append(int(name))
    return sorted(found)


def _file(descriptor: int) -> tuple[int, int]:
    of = os.fstat(descriptor)
    return of.st_dev, of.st_ino


def _access(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
