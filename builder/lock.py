"""One build at a time on one site: a lock that the system holds, and lets go when its process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from builder.model import Config, Problem, SiteError


@contextmanager
def locked(config: Config, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a site; call `on_wait` once if another process holds it, and wait for that.

    Raises SiteError if there can be no lock: a folder that may not be written to, a full disk.
    """
    path = config.root / ".fencepost" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise SiteError(Problem("error", ".fencepost", 0, "output", f"{path}: {error.strerror}")) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
