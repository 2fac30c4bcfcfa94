"""One post under way: what it is to do, what it has said so far, and whether it keeps its limits."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.execute.processes import descendants, oom_kills, readable
from builder.frozen import frozen

ASKED = ("cell", "output", "stopped")  # limits that end a cell, not its post
LOOK = 0.1  # seconds between two looks at the processes of a post


@frozen
class Limits:
    """What a post may take: seconds in all and for each cell by number, bytes, processes."""

    post: float
    cells: Mapping[int, float]
    memory: int = 0  # 0: as much as there is
    processes: int = 64
    output: int = 16 * 2**20  # per cell


@frozen
class Job:
    """One post to run. `task` is what the session is told: see `session.Session`.

    A `fresh` job gets a process of its own from the start, not a fork of what has imported torch.
    """

    name: str
    task: Mapping[str, Any]
    limits: Limits
    fresh: bool = False


@dataclass(slots=True)
class Record:
    """What is known of one cell that began: where its bytes are, what it displayed, how it ended."""

    number: int
    out: tuple[int, int | None]
    err: tuple[int, int | None]
    shows: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, Any] | None = None
    displayed: int = 0  # bytes


@frozen
class Begun:
    """How far a job had come after one of its cells: for a job that goes on from there."""

    records: tuple[Record, ...]
    out: bytes
    err: bytes
    seconds: float  # that it had taken
    start: tuple[int, int]  # the job and the cell, as the fork server knows its checkpoint


@frozen
class Ended:
    """A job that has ended: the records of its cells, and why it ended early, if it did."""

    job: Job
    records: tuple[Record, ...]
    out: bytes
    err: bytes
    last_words: str  # of Python: where it was when it crashed or was asked to stop
    end: Mapping[str, Any] | None  # the session's last event
    status: int  # as from waitpid
    peak: int  # bytes
    limit: str  # "cell", "post", "output", "processes", "stopped" (somebody asked it to) or ""
    oom: bool  # did the kernel end a process for want of memory meanwhile?


class Running:
    """A job under way, from its first cell or from where another one had come."""

    def __init__(self, job: Job, begun: Begun | None = None) -> None:
        self.job = job
        self.begun = begun
        self.token = secrets.token_hex(8)
        self.started = self.cell_started = time.monotonic()
        self.told = 0.0  # seconds of the present cell that were told of
        self.looked = self.started
        self.channel, self.far_end = socket.socketpair()
        self.files = [capture_file() for _ in range(3)]
        self.buffer = b""
        self.records: list[Record] = []
        self.end: dict[str, Any] | None = None
        if begun is not None:
            self.started -= begun.seconds
            self.records += begun.records
            os.write(self.files[0], begun.out)
            os.write(self.files[1], begun.err)
        self.pid = 0  # 0: not known yet
        self.limit = ""
        self.asked: float | None = None  # when it was asked to stop
        self.cancelled = False
        self.oom_kills = oom_kills()

    def send_task(self, number: int) -> None:
        """Give the session its job; its end of the channel is closed here from now on."""
        task = {"token": self.token, "number": number, **self.job.task}
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.channel.sendall(json.dumps(task).encode() + b"\n")
        self.far_end.close()

    def read_events(self) -> Iterator[dict[str, Any]]:
        """Take in what the session has sent; yield its events."""
        try:
            data = self.channel.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self.channel.close()
            return
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and event.pop("token", "") == self.token:
                    self._note(event, len(line))
                    yield event

    def _note(self, event: dict[str, Any], size: int) -> None:
        kind = event["event"]
        if kind == "cell":
            self.cell_started, self.told, self.asked = time.monotonic(), 0.0, None
            self.records.append(Record(event["cell"], (event["out"], None), (event["err"], None)))
        elif kind == "end":
            self.end = event
        elif kind == "show":
            self.records[-1].displayed += size
            self.records[-1].shows.append(event)
        elif kind == "clear":
            self.records[-1].shows.clear()
            self.records[-1].out = (event["out"], None)
        elif kind == "done":
            record = self.records[-1]
            record.out, record.err = (record.out[0], event["out"]), (record.err[0], event["err"])
            record.done = event
            if self.limit in ASKED:
                event["limit"] = self.limit
                self.limit, self.asked = "", None

    def overrun(self, now: float) -> str:
        """Which limit has been passed: "cell", "post", "output", "processes", or ""."""
        limits = self.job.limits
        if self.output() > limits.output:
            return "output"
        if now - self.started > limits.post:
            return "post"
        cell = self.cell()
        if cell is not None and now - self.cell_started > limits.cells[cell.number]:
            return "cell"
        if self.pid and now - self.looked > LOOK:
            self.looked = now
            if len(descendants(self.pid)) >= limits.processes:
                return "processes"
        return ""

    def cell(self) -> Record | None:
        """Return the record of the cell that is running."""
        return self.records[-1] if self.records and self.records[-1].done is None else None

    def output(self) -> int:
        """How many bytes has the cell that is running put out, in the larger of its streams?"""
        record = self.cell()
        if record is None:
            return 0
        starts = (record.out[0], record.err[0])
        sizes = (os.fstat(file).st_size - at for file, at in zip(self.files[:2], starts, strict=True))
        return max(*sizes, record.displayed)

    def place(self) -> int:
        """Return the number of the cell that is running, or that comes next."""
        return len(self.records) + (0 if self.cell() else 1)

    def is_at(self, number: int) -> bool:
        """Is this cell running?"""
        cell = self.cell()
        return cell is not None and cell.number == number

    def was_interrupted(self) -> bool:
        """Has any of the cells been asked to stop? Then no key tells what state it has left."""
        return any((record.done or {}).get("limit") for record in self.records)

    def sign(self) -> tuple[int, ...]:
        """Return numbers that are others as soon as more can be told of the cells."""
        shows = sum(len(record.shows) for record in self.records[-1:])
        return os.fstat(self.files[0]).st_size, len(self.records), shows, self.cell() is None

    def after(self, number: int, cell: int) -> Begun:
        """How far this job, which has a number, had come when `cell` of its cells were done."""
        records = tuple(self.records[:cell])
        out, err = (
            os.pread(file, end or 0, 0)
            for file, end in zip(self.files[:2], (records[-1].out[1], records[-1].err[1]), strict=True)
        )
        return Begun(records, out, err, time.monotonic() - self.started, (number, cell))

    def so_far(self) -> Ended:
        """What is known while it goes on, as if it had ended now."""
        out, err = (os.pread(file, os.fstat(file).st_size, 0) for file in self.files[:2])
        return Ended(self.job, tuple(self.records), out, err, "", None, 0, 0, "", False)

    def ended(self, status: int, peak: int) -> Ended:
        """Close everything and tell what came out."""
        while self.channel.fileno() >= 0 and readable([self.channel], 0):
            for _ in self.read_events():
                pass
        self.channel.close()
        self.far_end.close()
        out, err, words = (contents(descriptor) for descriptor in self.files)
        return Ended(
            self.job,
            tuple(self.records),
            out,
            err,
            words.decode(errors="replace"),
            self.end,
            status,
            peak,
            self.limit,
            oom_kills() > self.oom_kills,
        )


def capture_file() -> int:
    """Return the descriptor of an anonymous file that appends: it keeps what a dead worker wrote."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fencepost")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor


def contents(descriptor: int) -> bytes:
    """Read a capture file from its beginning and close it."""
    with os.fdopen(descriptor, "rb") as file:
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
