"""One build at a time on one site: a lock that the system holds, and lets go when its process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builder.model import Config


@contextmanager
def locked(config: Config, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a site; call `on_wait` once if another process holds it, and wait for that."""
    path = config.root / ".fencepost" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
