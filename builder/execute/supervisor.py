"""The supervisor starts the fork server, hands it a job per post, keeps the limits, tells what came out.

It runs in the build's own process, on one thread, and is the only part of the build that speaks to the
fork server. Whatever a post does, each of its cells gets a record, and nothing is left running.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from builder.execute.server import PR_SET_CHILD_SUBREAPER, descendants, prctl

# What the cells may see of the environment: no tokens, no keys. The site's config may name more.
ALLOWED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("TORCH_HOME", "HF_HOME", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
ALLOWED_PREFIXES = ("LC_", "XDG_")
FIXED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "IPYTHONDIR": os.devnull,
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}
LARGEST_OUTPUT = 16 * 1024 * 1024  # bytes per stream of a post; beyond it the post is ended
TICK = 0.1  # seconds between two looks at the limits
GRACE = 1.0  # seconds between asking a cell to stop and ending its process


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a post may run, and each of its cells by number."""

    post: float
    cells: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Job:
    """One post to run. `task` is what the session is told: see `session.Session`."""

    name: str
    task: Mapping[str, Any]
    limits: Limits


@dataclass(slots=True)
class Record:
    """What is known of one cell that began: where its bytes are, what it displayed, how it ended."""

    number: int
    out: tuple[int, int | None]
    err: tuple[int, int | None]
    shows: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended: the records of its cells, and why it ended early, if it did."""

    job: Job
    records: tuple[Record, ...]
    out: bytes
    err: bytes
    last_words: str  # of Python: where it was when it crashed or was asked to stop
    end: Mapping[str, Any] | None  # the session's last event
    status: int  # as from waitpid
    peak: int  # KiB
    limit: str  # "cell", "post", "output" or ""


class ServerDied(Exception):
    """The fork server ended by itself; the message is what it said."""


class Running:
    """A job under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.token = secrets.token_hex(8)
        self.started = self.cell_started = time.monotonic()
        self.channel, self.far_end = socket.socketpair()
        self.files = [_capture_file() for _ in range(3)]
        self.buffer = b""
        self.records: list[Record] = []
        self.end: dict[str, Any] | None = None
        self.limit = ""
        self.asked: float | None = None  # when it was asked to stop

    def send_task(self) -> None:
        """Give the session its job; its end of the channel is closed here from now on."""
        self.channel.sendall(json.dumps({"token": self.token, **self.job.task}).encode() + b"\n")
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
                    self._note(event)
                    yield event

    def _note(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "cell":
            self.cell_started, self.asked = time.monotonic(), None
            self.records.append(Record(event["cell"], (event["out"], None), (event["err"], None)))
        elif kind == "end":
            self.end = event
        elif kind == "show":
            self.records[-1].shows.append(event)
        elif kind == "clear":
            self.records[-1].shows.clear()
            self.records[-1].out = (event["out"], None)
        elif kind == "done":
            record = self.records[-1]
            record.out, record.err = (record.out[0], event["out"]), (record.err[0], event["err"])
            record.done = event
            if self.limit == "cell":
                event["limit"] = "cell"
                self.limit, self.asked = "", None

    def overrun(self, now: float) -> str:
        """Which limit has been passed: "cell", "post", "output", or ""."""
        if any(os.fstat(descriptor).st_size > LARGEST_OUTPUT for descriptor in self.files[:2]):
            return "output"
        if now - self.started > self.job.limits.post:
            return "post"
        if self.records and self.records[-1].done is None:
            number = self.records[-1].number
            if now - self.cell_started > self.job.limits.cells[number]:
                return "cell"
        return ""

    def ended(self, status: int, peak: int) -> Ended:
        """Close everything and tell what came out."""
        while self.channel.fileno() >= 0 and select.select([self.channel], [], [], 0)[0]:
            for _ in self.read_events():
                pass
        self.channel.close()
        out, err, words = (_contents(descriptor) for descriptor in self.files)
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
        )


class Supervisor:
    """A running fork server and the jobs it works on. Use it in a `with` statement."""

    def __init__(self, imports: Sequence[str], start: str, environment: Mapping[str, str]) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # should the server be killed, its children come to us
        self._log = _capture_file()
        self._control, far_end = socket.socketpair()
        root = str(Path(__file__).resolve().parents[2])
        code = f"import sys; sys.path.append({root!r}); from builder.execute.server import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(far_end.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=dict(environment),
            pass_fds=[far_end.fileno()],
            start_new_session=True,  # Ctrl-C is for us; we end the server
        )
        far_end.close()
        self._buffer = b""
        self._running: dict[int, Running] = {}
        self._count = 0
        self.start = ""  # "fork" or "spawn" once the server is ready
        self.why = ""  # why it is not what was asked for
        self._send({"imports": list(imports), "start": start})

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def run(
        self, jobs: Sequence[Job], parallel: int, on_event: Callable[[Job, Mapping[str, Any]], None]
    ) -> Iterator[Ended]:
        """Run the jobs, at most `parallel` at a time; yield each as it ends, in any order.

        Raises ServerDied when the fork server ends by itself.
        """
        waiting = list(reversed(jobs))
        while waiting or self._running:
            while self.start and waiting and len(self._running) < parallel:
                self._begin(waiting.pop())
            readable = self._wait()
            for running in list(self._running.values()):
                if running.channel in readable:
                    for event in running.read_events():
                        on_event(running.job, event)
            if self._control in readable:
                yield from self._hear()
            self._keep_limits()

    def close(self) -> None:
        """End the server and everything below it."""
        self._control.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in descendants(os.getpid()) if self._process.returncode else ():
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        for running in self._running.values():
            running.ended(0, 0)
        self._running.clear()
        os.close(self._log)

    def _begin(self, job: Job) -> None:
        self._count += 1
        running = Running(job)
        self._running[self._count] = running
        descriptors = [running.far_end.fileno(), *running.files]
        line = json.dumps({"start": self._count}).encode() + b"\n"
        try:
            socket.send_fds(self._control, [line], descriptors)
        except OSError:
            raise ServerDied(self._last_words()) from None
        running.send_task()

    def _wait(self) -> list[Any]:
        channels = [running.channel for running in self._running.values() if running.channel.fileno() >= 0]
        readable, _, _ = select.select([self._control, *channels], [], [], TICK)
        return readable

    def _hear(self) -> Iterator[Ended]:
        data = self._control.recv(65536)
        if not data:
            raise ServerDied(self._last_words())
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "ready" in message:
                self.start, self.why = message["ready"], message["why"]
            else:
                running = self._running.pop(message["exit"])
                yield running.ended(message["status"], message["peak"])

    def _keep_limits(self) -> None:
        now = time.monotonic()
        for number, running in self._running.items():
            if running.asked is not None:
                if now - running.asked > GRACE:
                    self._signal(number, signal.SIGKILL)
            elif not running.limit:
                running.limit = running.overrun(now)
                if running.limit:
                    running.asked = now
                    self._signal(number, signal.SIGUSR2)  # Python writes down where it is
                    if running.limit == "cell":
                        self._signal(number, signal.SIGINT)
                    else:
                        running.asked = now - GRACE + TICK

    def _signal(self, number: int, which: signal.Signals) -> None:
        self._send({"signal": number, "number": int(which)})

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _last_words(self) -> str:
        status = self._process.wait()
        said = _contents(os.dup(self._log)).decode(errors="replace").strip()
        return f"status {status}" + (f"\n{said}" if said else "")


def cell_environment(named: Sequence[str]) -> dict[str, str]:
    """Return the environment of the cells: the allowed variables, those the site names, and our own."""
    chosen = {
        name: value
        for name, value in os.environ.items()
        if name in ALLOWED or name.startswith(ALLOWED_PREFIXES) or name in named
    }
    return {**chosen, **FIXED}


def _capture_file() -> int:
    """Return the descriptor of an anonymous file that appends: it keeps what a dead worker wrote."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fencepost")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor


def _contents(descriptor: int) -> bytes:
    """Read a capture file from its beginning and close it."""
    try:
        size = min(os.fstat(descriptor).st_size, 2 * LARGEST_OUTPUT)
        return os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)
