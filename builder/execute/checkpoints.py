"""Which checkpoints are there, by the key of their cell; and when are they too many, or too large?

A checkpoint holds the state of a post after one of its cells. It serves every post whose cells up to that one are
the same, as long as the files that these have read or written are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.execute.keys import Values
from builder.execute.running import Begun
from builder.execute.watch import stamp
from builder.frozen import frozen

MEASURED = 4  # checkpoints at a time


@frozen
class Bounds:
    """How many checkpoints there may be, and how much memory they may take (what they share counts once)."""

    number: int = 48
    memory: int = 2 * 2**30


@frozen
class Checkpoint:
    """How far a post had come, in which process, and the files that it had read or written, with their values.

    None is the value of a file that has been another before it was looked at.
    """

    begun: Begun
    pid: int
    files: tuple[tuple[str, str | None], ...]


@dataclass
class Checkpoints:
    """The checkpoints of a fork server; the one that was used last is the last to be dropped."""

    values: Values
    bounds: Bounds = field(default_factory=Bounds)
    of: dict[str, Checkpoint] = field(default_factory=dict)  # key of a cell ->, the least recent first
    _sizes: dict[int, int] = field(default_factory=dict)  # bytes, those measured last at the end

    def put(
        self, key: str, begun: Begun, pid: int, files: Mapping[str, Sequence[int] | None]
    ) -> Iterator[Checkpoint]:
        """Take in a checkpoint, with the stamps that its files had; yield those that have to go for it."""
        old = self.of.pop(key, None)
        if old is not None:
            yield old
        found = tuple((name, self._value(name, then)) for name, then in files.items())
        self.of[key] = Checkpoint(begun, pid, found)
        while len(self.of) > self.bounds.number:
            yield self._pop()

    def deepest(self, keys: Sequence[str]) -> Begun | None:
        """Return the state after the last cell of `keys` that can be gone on from."""
        found = None
        for key in keys:
            checkpoint = self.of.pop(key, None)
            if checkpoint is not None:
                self.of[key] = checkpoint  # used: the last one to be dropped
                if all(self.values.of("file", name) == value for name, value in checkpoint.files):
                    found = checkpoint.begun
        return found

    def lose(self, begun: Begun) -> None:
        """Forget a checkpoint that has ended by itself."""
        self.of = {key: each for key, each in self.of.items() if each.begun is not begun}

    def trim(self) -> Iterator[Checkpoint]:
        """Yield, the least recent first, those that have to go since all together are too large.

        To measure one takes the kernel some milliseconds: of many, a few are measured at a time, in turn.
        """
        pids = {each.pid for each in self.of.values()}
        sizes = {pid: size for pid, size in self._sizes.items() if pid in pids}
        for pid in [*(pids - sizes.keys()), *sizes][:MEASURED]:
            sizes.pop(pid, None)
            sizes[pid] = _size(pid)
        self._sizes = sizes
        while self.of and sum(sizes.values()) > self.bounds.memory:
            checkpoint = self._pop()
            sizes.pop(checkpoint.pid, None)
            yield checkpoint

    def _value(self, name: str, then: Sequence[int] | None) -> str | None:
        """The value that a file had `then`: the next cell is under way, and may have written to it."""
        value = self.values.of("file", name)
        now = stamp(name)
        return value if (None if then is None else tuple(then)) == now else None

    def _pop(self) -> Checkpoint:
        return self.of.pop(next(iter(self.of)))


def _size(pid: int) -> int:
    """How many bytes of memory does a process take? What n processes share counts 1/n for each."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").split("\n"):
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
