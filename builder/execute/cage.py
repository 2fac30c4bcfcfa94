"""A bound on tasks that the kernel keeps, where it has a control group for that and we may make one (Linux).

The supervisor counts processes ten times a second and ends a post that has too many; a fork bomb is faster
than that. The fork server and all its workers are in one cage, where forking fails at `MOST_TASKS` tasks, threads
included, until the post is ended. (One for all: to enter a group takes the kernel ten milliseconds.)
"""

from __future__ import annotations

import contextlib
import os

MOST_TASKS = 4096
ROOT = "/sys/fs/cgroup"


def enter() -> None:
    """Put this process, and all that it will start, into a cage of its own. Where there is none, do nothing."""
    folder = _folder(os.getpid())
    if not folder:
        return
    try:
        os.mkdir(folder)
        _write(f"{folder}/pids.max", str(MOST_TASKS))
        _write(f"{folder}/cgroup.procs", str(os.getpid()))
    except OSError:
        leave(os.getpid())


def leave(pid: int) -> None:
    """Remove the cage of a process that has ended, and of whose processes none is left."""
    folder = _folder(pid)
    if folder:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def tidy() -> None:
    """Remove the cages that killed builds have left; one that holds a process stays."""
    home = _home()
    for name in os.listdir(home) if home else ():
        if name.startswith("fencepost-"):
            with contextlib.suppress(OSError):
                os.rmdir(f"{home}/{name}")


def _folder(pid: int) -> str:
    """Where the cage of a process is, or would be; "" where the kernel has no group that counts tasks."""
    home = _home()
    return f"{home}/fencepost-{pid}" if home else ""


def _home() -> str:
    """The group of this process that counts tasks, by cgroups(7): one hierarchy of its own, or the unified one."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            groups = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return ""
    for _, controllers, path in groups:
        path = path.split("/fencepost-")[0].rstrip("/")
        place = f"{ROOT}/pids{path}" if "pids" in controllers.split(",") else f"{ROOT}{path}"
        counts = "pids" in controllers.split(",") or (not controllers and _counts_tasks(place))
        if counts and os.access(place, os.W_OK):
            return place
    return ""


def _counts_tasks(place: str) -> bool:
    try:
        with open(f"{place}/cgroup.subtree_control", encoding="utf-8") as file:
            return "pids" in file.read().split()
    except OSError:
        return False


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
