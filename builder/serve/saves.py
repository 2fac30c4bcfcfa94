"""What has been saved? Told by the system as it happens, and a burst of saves as few times as it makes sense."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from watchfiles import Change, DefaultFilter, awatch

from builder.frozen import frozen
from builder.state import CONFIG_FILES, TICK

STEP: Final = 10  # milliseconds in which no further file changes, and what changed is told
DEBOUNCE: Final = 50  # milliseconds after which it is told all the same
# A save that comes this shortly after another (seconds) belongs to a burst, which is taken in as a whole: when
# nothing has been saved for a moment, or so long after its first save.
BURST, QUIET, PATIENCE = 0.5, 0.1, 1.0


@frozen
class Places:
    """Folders that are watched: `whole` with all below them, `flat` without; what lies in `ours` is ours."""

    whole: frozenset[Path]
    flat: frozenset[Path]
    ours: frozenset[Path]


def places(root: Path, folders: Iterable[Path], ours: Iterable[Path], files: Iterable[Path] = ()) -> Places:
    """Return the places to watch for a site: its folders, its configuration, and what its cells read."""
    whole = frozenset(folder for folder in folders if folder.is_dir())
    flat = {root, *(file.parent for file in files if file.parent.is_dir())}
    inside = {folder for folder in flat if any(folder.is_relative_to(each) for each in whole)}
    return Places(whole, frozenset(flat - inside), frozenset(ours))


async def saves(where: Callable[[], Places], moved: asyncio.Event, since: int) -> AsyncIterator[set[Path]]:
    """Yield the files that have changed `since` (ns), again and again; `moved`: the places are others now."""
    while True:
        moved.clear()
        now = where()
        stop = asyncio.Event()
        queue: asyncio.Queue[set[Path]] = asyncio.Queue()
        watching = [
            asyncio.ensure_future(_watch(folders, recursive, now.ours, stop, queue))
            for folders, recursive in ((now.whole, True), (now.flat, False))
            if folders
        ]
        move = asyncio.ensure_future(moved.wait())
        try:
            await asyncio.sleep(
                0
            )  # from here on they are told of everything; what was saved before, they are not
            if missed := changed_since(since, now):
                yield missed
            while not move.done():
                saved = asyncio.ensure_future(queue.get())
                done, _ = await asyncio.wait([saved, move, *watching], return_when=asyncio.FIRST_COMPLETED)
                if saved in done:
                    yield saved.result()
                else:
                    saved.cancel()
                    for each in watching:
                        if each.done():
                            each.result()
        finally:
            since = time.time_ns() - TICK
            stop.set()
            move.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


def changed_since(moment: int, where: Places) -> set[Path]:
    """Return the files of some places that have changed since a moment, in ns."""
    chosen = _Filter(where.ours)
    found = set()
    for folders, deep in ((where.whole, True), (where.flat, False)):
        for place in folders:
            for folder, below, names in os.walk(place):
                if not deep:
                    below.clear()
                for name in names:
                    path = os.path.join(folder, name)
                    with contextlib.suppress(OSError):
                        stat = os.stat(path)
                        if max(stat.st_mtime_ns, stat.st_ctime_ns) > moment and chosen(Change.modified, path):
                            found.add(Path(path))
    return found


async def _watch(
    folders: Collection[Path],
    recursive: bool,
    ours: frozenset[Path],
    stop: asyncio.Event,
    queue: asyncio.Queue[set[Path]],
) -> None:
    async for changes in awatch(
        *folders,
        watch_filter=_Filter(ours),
        recursive=recursive,
        step=STEP,
        debounce=DEBOUNCE,
        stop_event=stop,
    ):
        queue.put_nowait({Path(name) for _, name in changes})


class _Filter(DefaultFilter):
    """Leaves out what is ours, hidden files, and what editors put beside a file."""

    def __init__(self, ours: frozenset[Path]) -> None:
        super().__init__(ignore_paths=sorted(ours))

    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path).name
        return super().__call__(change, path) and not name.startswith(".") and not name.endswith("~")


@dataclass
class Burst:
    """When is what was saved to be taken in? A lone save at once, a burst of saves when it is over."""

    clock: Callable[[], float]
    last: float = -math.inf
    first: float = 0.0
    pending: set[Path] = field(default_factory=set)
    due: float = 0.0

    def add(self, saved: set[Path]) -> None:
        """Something was saved."""
        now = self.clock()
        if not self.pending:
            self.first = now
        lone = now - self.last > BURST
        self.last = now
        self.pending |= saved
        self.due = now if lone and self.first == now else min(now + QUIET, self.first + PATIENCE)

    def take(self) -> set[Path]:
        """Return what was saved since the last time."""
        saved, self.pending = self.pending, set()
        return saved


def is_configuration(path: Path, root: Path) -> bool:
    """Is this a file from which the configuration is read?"""
    return path.parent == root and path.name in CONFIG_FILES
