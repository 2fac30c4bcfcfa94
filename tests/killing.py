"""A build that is killed at one of its steps: each rename, link, unlink, folder and write that it does.

python -m tests.killing SITE          builds, and prints the number of its steps
python -m tests.killing SITE STEP     is killed before that step (a write: when half of it is written)
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import sys
from typing import Any

STEPS = {"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "shutil.copyfile"}


class Killer:
    """Counts the steps of this process below `root`, and kills it at one of them."""

    def __init__(self, root: str, at: int) -> None:
        self.root = root
        self.at = at
        self.steps = 0
        self.pid = os.getpid()

    def watch(self) -> None:
        """From now on."""
        sys.addaudithook(self._hear)
        io.open = builtins.open = self._open

    def step(self) -> bool:
        """Count one step. Is it the last?"""
        if os.getpid() == self.pid:
            self.steps += 1
        return self.steps == self.at

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        exchange = event == "ctypes.dlsym" and arguments[1] == "renameat2"
        if (exchange or event in STEPS) and self.step():
            self.kill()

    def _open(self, file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        opened = REAL_OPEN(file, mode, *arguments, **options)
        return _Writer(opened, self) if set(mode) & set("wxa") else opened


class _Writer:
    """A file whose writes are steps."""

    def __init__(self, file: Any, killer: Killer) -> None:
        self._file = file
        self._killer = killer

    def write(self, content: Any) -> Any:
        if self._killer.step():
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            self._killer.kill()
        return self._file.write(content)

    def __enter__(self) -> _Writer:
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


REAL_OPEN = io.open


def main() -> None:
    from builder import cli, state

    root, at = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    arguments = ["build", root, "--jobs", "1"]
    state.MANY = 0  # a lookout for the smallest site, if it was last built just so
    _, seen = state.said_before(arguments)
    killer = Killer(root, at)
    killer.watch()
    try:
        cli.main(arguments, seen)
    except SystemExit as end:
        lookout = "a lookout" if seen and seen.lookout else "no lookout"
        print(lookout, "steps", killer.steps, "status", end.code)


if __name__ == "__main__":
    main()
