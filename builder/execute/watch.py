"""Which files does a session read? Python tells through its audit hook; what it wrote itself is no input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TypeAlias

Stamp: TypeAlias = tuple[int, int, int, int]

# What lies below these belongs to the system or to installed packages, whose versions count instead.
NOT_OURS = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/bin/", "/opt/", "/System/", "/Library/")
COMPILED = (".pyc", ".so")


class Watch:
    """Notes every file that this process opens, from `start` on."""

    def __init__(self) -> None:
        self._on = False
        self._before: set[str] = set()
        self._read: dict[str, Stamp | None] = {}  # as it was when it was first opened
        self._written: set[str] = set()
        self._installed = tuple(
            {
                os.path.join(os.path.realpath(path), "")
                for path in (*_installed(), sys.prefix, sys.base_prefix)
            }
        )

    def start(self) -> None:
        """Begin to note. A hook cannot be taken away again: it lives as long as the process."""
        self._on = True
        self._before = set(sys.modules)
        sys.addaudithook(self._hear)

    def files(self, folders: Iterable[str]) -> list[str]:
        """Return the files that were read, and the local modules below `folders`, as real paths, sorted."""
        self._on = False
        return self.so_far(folders)

    def so_far(self, folders: Iterable[str]) -> list[str]:
        """Return the same while it goes on."""
        written = tuple(os.path.join(folder, "") for folder in folders)
        inside = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        # Thousands of modules were there before, and to look at each would take longer than the cells.
        new = [module for name, module in list(sys.modules.items()) if name not in self._before]
        modules = [getattr(module, "__file__", None) for module in new]
        local = {
            os.path.realpath(p) for p in modules if isinstance(p, str) and p.startswith(written + inside)
        }
        chosen = {path for path in local if path.startswith(inside)} | self._read.keys()
        return sorted(path for path in chosen if self._counts(path, inside))

    def written(self, folders: Iterable[str]) -> list[str]:
        """Return the files that this process has written to: a state goes with what stands in them."""
        inside = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        return sorted(path for path in self._written if self._counts(path, inside))

    def changed(self, files: Iterable[str]) -> list[str]:
        """Return those of some files that were read, and that somebody else has written to since."""
        return [
            path
            for path in files
            if (before := self._read.get(path)) and path not in self._written and stamp(path) != before
        ]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not self._on:
            return
        path, mode, flags = arguments
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.fsdecode(path)
        if name.endswith(COMPILED):
            return
        real = os.path.realpath(name)
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR)) if isinstance(flags, int) else False
        if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
            self._written.add(real)
        elif real not in self._written and real not in self._read:
            self._read[real] = stamp(real)

    def _counts(self, path: str, inside: tuple[str, ...]) -> bool:
        if path.startswith(self._installed) or path.endswith(COMPILED) or os.path.isdir(path):
            return False
        # A hidden folder outside of the site holds caches and settings of libraries (~/.cache).
        return path.startswith(inside) or not (path.startswith(NOT_OURS) or "/." in path)


def stamp(path: str) -> Stamp | None:
    """What tells a file from an earlier or later state of it; None where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _installed() -> list[str]:
    return [path for path in sys.path if path.endswith("-packages")]
