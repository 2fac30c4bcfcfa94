"""A thousand posts from one fork server: does it grow, does it leave anything behind?

python -m benchmarks.soak [POSTS]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.execute.processes import children
from builder.execute.running import Job, Limits
from builder.execute.supervisor import Supervisor, cell_environment

SOURCE = """
import torch
x = torch.rand(64, 64, requires_grad=True)
(x @ x).sum().backward()
print(x.grad.shape, len(str({number})))
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process holds."""

    memory: int  # bytes that are its own
    descriptors: int
    tasks: int
    zombies: int


@dataclass(frozen=True, slots=True)
class Soak:
    """What came of it: `server` and `build` before and after."""

    posts: int
    failures: int
    seconds: float
    server: tuple[Sample, Sample]
    build: tuple[Sample, Sample]


def soak(count: int, folder: Path) -> Soak:
    """Run `count` torch posts through one server; sample it after the first ten and at the end."""
    jobs = [job(f"post {number}", SOURCE.format(number=number), folder) for number in range(count)]
    failures = 0
    began = time.perf_counter()
    with Supervisor(
        ["torch", "torch.fx.experimental.symbolic_shapes"], "fork", cell_environment(())
    ) as supervisor:
        samples: list[tuple[Sample, Sample]] = []
        for part in (jobs[:10], jobs[10:]):
            for ended in supervisor.run(part, parallel=2, on_event=lambda *_: None):
                failures += ended.status != 0 or any(
                    r.done is None or r.done["failure"] for r in ended.records
                )
            samples.append((sample(supervisor.pid), sample(os.getpid())))
    before, after = samples
    return Soak(count, failures, time.perf_counter() - began, (before[0], after[0]), (before[1], after[1]))


def sample(pid: int) -> Sample:
    """Read what a process holds now."""
    proc = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    return Sample(
        memory=int(status["RssAnon"].split()[0]) * 1024,
        descriptors=len(os.listdir(proc / "fd")),
        tasks=len(os.listdir(proc / "task")),
        zombies=sum(_is_zombie(child) for child in children(pid)),
    )


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def job(name: str, source: str, folder: Path) -> Job:
    """Return a post with one cell."""
    task = {
        "folder": str(folder),
        "paths": [str(folder)],
        "seed": 0,
        "threads": 2,
        "shell": False,
        "figure_format": "svg",
        "device": "",
        "imports": ["torch"],
        "cells": [{"number": 1, "source": source, "eval": True, "may_raise": False, "expected": ""}],
    }
    return Job(name, task, Limits(60, {1: 30}))


def _lines(result: Soak) -> Iterator[str]:
    yield f"{result.posts} posts in {result.seconds:.1f} s, {result.failures} failed"
    for name, (before, after) in (("fork server", result.server), ("build", result.build)):
        yield (
            f"{name}: memory {(after.memory - before.memory) / 1e6:+.2f} MB,"
            f" descriptors {after.descriptors - before.descriptors:+d},"
            f" tasks {after.tasks}, zombies {after.zombies}"
        )


if __name__ == "__main__":
    print(*_lines(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, Path.cwd())), sep="\n")
