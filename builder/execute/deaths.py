"""Why a cell or its process ended early, in words: the limit, its value, and the option that raises it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from typing import Any, Final

from builder.execute.running import Ended, Record
from builder.model import Failure, Post
from builder.sizes import parse_size, size_text

_CRASH_LINE: Final = re.compile(r'File "<cell (\d+)>", line (\d+) in')
_WORDS: Final = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "abort",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic error",
    signal.SIGILL: "illegal instruction",
}
_PACKAGES: Final = {"sklearn": "scikit-learn", "cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}
# What C++ says when it gets no memory, and Python when even a traceback was too much.
_NO_MEMORY: Final = ("std::bad_alloc", "MemoryError", "DefaultCPUAllocator: can't allocate memory")


def death(post: Post, record: Record, ended: Ended) -> Failure:
    """Return why a cell began and never ended."""
    if ended.limit:
        return over_limit(post, record.number, ended.limit, ended.last_words)
    line = crash_line(ended.last_words, record.number)
    if _ran_out_of_memory(post, ended, record):
        return Failure("died", f"was killed, probably out of memory, {_memory(post, ended)}", line)
    if os.WIFEXITED(ended.status):
        return Failure("died", f"ended its process with exit code {os.WEXITSTATUS(ended.status)}", line)
    number = os.WTERMSIG(ended.status)
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return Failure("died", f"was killed ({name}); peak memory {size_text(ended.peak)}", line)
    said = f": {_WORDS[signal.Signals(number)]}" if number in _WORDS else ""
    return Failure("died", f"ended its process by {name}{said}", line)


def over_limit(post: Post, number: int, limit: str, last_words: str) -> Failure:
    """Return the failure of cell `number`, which was running when `limit` was passed."""
    if limit == "stopped":
        return Failure("limit", "was stopped by hand", crash_line(last_words, number))
    message = f"passed {_limit(post, limit, number)} and was stopped"
    return Failure("limit", message, crash_line(last_words, number), hint=_fork_hint(last_words))


def between(post: Post, ended: Ended) -> Failure:
    """Return why a process ended while no cell was running: a fault of ours, or of a thread."""
    if ended.limit:
        number = ended.records[-1].number if ended.records else 1
        if ended.limit == "stopped":
            return Failure("limit", "was not run: the post was stopped by hand")
        return Failure("limit", f"was not run: the post passed {_limit(post, ended.limit, number)}")
    if _ran_out_of_memory(post, ended, None):
        return Failure("died", f"was not run: the process was out of memory, {_memory(post, ended)}")
    said = ended.last_words.strip().split("\n")[-1]
    how = f"ended with status {ended.status}"
    return Failure("died", f"was not run: the process of the post {how}" + (f" ({said})" if said else ""))


def crash_line(words: str, number: int) -> int:
    """Which line of cell `number` was Python at, by its last words? 0 if they do not say."""
    for cell, line in _CRASH_LINE.findall(words):
        if int(cell) == number:
            return int(line)
    return 0


def hint_at(post: Post, told: Mapping[str, Any]) -> str:
    """Return what an author can do about an exception; "" if there is nothing to say."""
    if told.get("missing"):
        top = told["missing"].split(".")[0]
        if top in ("torch", "matplotlib", "numpy"):
            return "pip install 'fencepost[torch]'"
        return f"pip install {_PACKAGES.get(top, top)}"
    if told.get("stdin"):
        return "cells have no input: write the value into the cell"
    if told.get("memory") and parse_size(post.execute.memory):
        return f"the limit is {post.execute.memory} (option `memory`)"
    return ""


def _limit(post: Post, limit: str, number: int) -> str:
    """Name a limit, its value, and the option that raises it."""
    options = post.execute
    match limit:
        case "cell":
            seconds = post.cells[number - 1].options.timeout or options.timeout
            return f"its limit of {seconds:g} s (option `timeout`)"
        case "post":
            return f"its post's limit of {options.post_timeout:g} s (option `post_timeout`)"
        case "output":
            return f"its limit of {options.output_limit} of output (option `output_limit`)"
        case _:
            return f"its post's limit of {options.processes} processes (option `processes`)"


def _ran_out_of_memory(post: Post, ended: Ended, record: Record | None) -> bool:
    """Is want of memory the likely cause: has someone said so, or is a killed process a large one?"""
    written = ended.err[record.err[0] if record else 0 :].decode(errors="replace") + ended.last_words
    if any(words in written for words in _NO_MEMORY):
        return True
    if os.WIFEXITED(ended.status) or os.WTERMSIG(ended.status) != signal.SIGKILL:
        return False
    limit = parse_size(post.execute.memory)
    return ended.oom or bool(limit and ended.peak > limit / 2)


def _memory(post: Post, ended: Ended) -> str:
    limit = f" of {post.execute.memory} (option `memory`)" if parse_size(post.execute.memory) else ""
    return f"peak {size_text(ended.peak)}{limit}"


def _fork_hint(last_words: str) -> str:
    """Why a process that multiprocessing forked may never have ended, if there was one."""
    if "multiprocessing" in last_words:
        return "a process forked after OpenMP ran can hang: use multiprocessing.get_context('spawn')"
    return ""
