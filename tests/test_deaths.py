"""How the end of a process is put into words, for ends that are hard to bring about."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from builder.execute.deaths import between, crash_line, death
from builder.execute.running import Ended, Job, Limits, Record
from builder.model import ExecuteConfig, Post
from builder.posts import parse_post
from tests import samples
from tests.faulty import post

TWO_CELLS, _ = parse_post(post("1", "2"), "content/a.md", samples.CONFIG, page=False)
JOB = Job("content/a.md", {}, Limits(1, {}))
KILLED = Ended(JOB, (), b"", b"", "", None, int(signal.SIGKILL), 100 * 2**20, "", False)
GIB = 2**30


def with_options(**options: object) -> Post:
    return replace(TWO_CELLS, execute=replace(ExecuteConfig(), **options))  # type: ignore[arg-type]


ENDS = {
    "before its first cell": (KILLED, "was not run: the process of the post ended with status 9"),
    "with words": (replace(KILLED, last_words="a\nlast words\n"), "ended with status 9 (last words)"),
    "post limit": (
        replace(KILLED, limit="post"),
        "was not run: the post passed its post's limit of 300 s (option `post_timeout`)",
    ),
    "kernel": (replace(KILLED, oom=True), "out of memory, peak 100 MiB of 4 GiB (option `memory`)"),
    "large": (replace(KILLED, peak=3 * GIB), "out of memory, peak 3 GiB of 4 GiB (option `memory`)"),
    "C++": (replace(KILLED, status=6, err=b"what():  std::bad_alloc"), "out of memory"),
}


@pytest.mark.parametrize("end", ENDS)
def test_between_cells(end: str) -> None:
    ended, words = ENDS[end]
    assert words in between(TWO_CELLS, ended).message


DEATHS = {
    "small": (KILLED, "was killed (SIGKILL); peak memory 100 MiB"),
    "large": (replace(KILLED, peak=3 * GIB), "was killed, probably out of memory, peak 3 GiB of 4 GiB"),
    "kernel": (replace(KILLED, oom=True), "was killed, probably out of memory, peak 100 MiB"),
    "exit": (replace(KILLED, status=3 << 8, peak=3 * GIB), "ended its process with exit code 3"),
    "bus": (replace(KILLED, status=int(signal.SIGBUS)), "ended its process by SIGBUS: bus error"),
    "unnamed": (replace(KILLED, status=40), "ended its process by signal 40"),
}


@pytest.mark.parametrize("end", DEATHS)
def test_within_a_cell(end: str) -> None:
    ended, words = DEATHS[end]
    failure = death(TWO_CELLS, Record(1, (0, None), (0, None)), ended)
    assert failure.message.startswith(words)
    assert failure.kind == "died"


def test_memory_without_a_limit_is_only_the_kernels_word() -> None:
    unlimited = with_options(memory="0")
    record = Record(1, (0, None), (0, None))
    assert "memory 30 GiB" in death(unlimited, record, replace(KILLED, peak=30 * GIB)).message
    told = death(unlimited, record, replace(KILLED, peak=30 * GIB, oom=True)).message
    assert told == "was killed, probably out of memory, peak 30 GiB"


def test_the_line_of_a_crash() -> None:
    words = 'Current thread 0x1:\n  File "/x.py", line 9 in f\n  File "<cell 2>", line 5 in g\n  File "<cell 1>", line 3 in h'
    assert [crash_line(words, number) for number in (1, 2, 3)] == [3, 5, 0]
