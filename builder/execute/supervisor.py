"""The supervisor starts the fork server, hands it a job per post, keeps the limits, tells what came out.

It runs in the build's own process, on one thread, and is the only part of the build that speaks to the
fork server. Whatever a post does, each of its cells gets a record, and nothing is left running.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from builder.execute import cage
from builder.execute.prctl import PR_SET_CHILD_SUBREAPER, prctl
from builder.execute.processes import children, end_children, readable
from builder.execute.running import ASKED, Begun, Ended, Job, Running, capture_file, contents
from builder.frozen import frozen

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
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}
OnEvent: TypeAlias = Callable[[Job, Mapping[str, Any]], None]
TICK = 0.05  # seconds between two looks at the limits
GRACE = 1.0  # seconds between asking a cell to stop and ending its process
NEWS = 1.0  # seconds between two words about a cell that is still running


@frozen
class Interpreter:
    """Which Python runs the cells; below `root` it finds the package `builder`."""

    program: str
    root: Path


OURS = Interpreter(sys.executable, Path(__file__).resolve().parents[2])


class ServerDied(Exception):
    """The fork server ended by itself; the message is what it said, `jobs` the names of those under way."""

    def __init__(self, words: str, jobs: Sequence[str]) -> None:
        super().__init__(words)
        self.jobs = jobs


class Supervisor:
    """A running fork server and the jobs it works on. Use it in a `with` statement."""

    def __init__(
        self,
        imports: Sequence[str],
        start: str,
        environment: Mapping[str, str],
        python: Interpreter = OURS,
    ) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # should the server be killed, its children come to us
        self._others = frozenset(children(os.getpid()))
        self._log = capture_file()
        self._control, far_end = socket.socketpair()
        root = str(python.root)
        code = f"import sys; sys.path.insert(0, {root!r}); from builder.execute.server import main; main()"
        self._process = subprocess.Popen(
            [python.program, "-P", "-c", code, str(far_end.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=dict(environment),
            pass_fds=[far_end.fileno()],
            start_new_session=True,  # Ctrl-C is for us; we end the server
        )
        far_end.close()
        self.pid = self._process.pid
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

    def run(self, jobs: Sequence[Job], parallel: int, on_event: OnEvent) -> Iterator[Ended]:
        """Run the jobs, at most `parallel` at a time; yield each as it ends, in any order.

        `on_event` is told what the sessions say, of cells that go on and on (`running`, `seconds`), and why
        posts are not forked when they should have been (`spawning`, `why`).
        Raises ServerDied when the fork server ends by itself.
        """
        waiting = list(reversed(jobs))
        while waiting or self._running:
            while self.start and waiting and len(self._running) < parallel:
                if self.why and not self._count:
                    on_event(waiting[-1], {"event": "spawning", "why": self.why})
                self.begin(waiting.pop())
            yield from self.step(on_event)

    def begin(self, job: Job, begun: Begun | None = None, *, keep: bool = False) -> int:
        """Start a job, from a checkpoint if it is `begun`; return its number. Raises ServerDied.

        One that is to `keep` checkpoints tells of each as an event: `checkpoint`, `cell`, `files`, `pid`.
        """
        self._count += 1
        running = Running(job, begun)
        self._running[self._count] = running
        descriptors = [running.far_end.fileno(), *running.files]
        start: dict[str, Any] = {"start": self._count, "memory": job.limits.memory, "fresh": job.fresh}
        if keep and self.start == "fork" and not job.fresh:
            start["keep"] = True
        if begun is not None:
            start["from"] = begun.start
        line = json.dumps(start).encode() + b"\n"
        try:
            socket.send_fds(self._control, [line], descriptors)
        except OSError:
            raise self._death() from None
        running.send_task(self._count)
        return self._count

    def step(self, on_event: OnEvent, wake: socket.socket | None = None) -> Iterator[Ended]:
        """Wait until there is news, or `wake` can be read; yield the jobs that have ended. See `run`."""
        ready = self._wait(wake)
        for running in list(self._running.values()):
            if running.channel in ready:
                self._read(running, on_event)
        if self._control in ready:
            yield from self._hear(on_event)
        self._keep_limits()
        self._tell(on_event)

    def running(self, number: int) -> Running:
        """Return what is known of a job that is under way."""
        return self._running[number]

    def stop(self, number: int) -> None:
        """Ask the cell that a job is running to stop; the cells behind it are run."""
        running = self._running.get(number)
        if running is not None and not running.limit and running.cell() is not None:
            running.limit = "stopped"
            self._end(number, running, time.monotonic())

    def cancel(self, number: int) -> None:
        """End a job, but not its checkpoints."""
        self._running[number].cancelled = True
        self._signal(number, signal.SIGKILL)

    def drop(self, begun: Begun) -> None:
        """Let a checkpoint end."""
        self._send({"drop": begun.start})

    def further_imports(self, names: Sequence[str]) -> None:
        """Let the fork server import more, before any job that is begun after this."""
        self._send({"imports": list(names)})

    def close(self) -> None:
        """End the server and everything below it."""
        self._control.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.returncode:  # it could not sweep behind itself: its children are ours now
            end_children(lambda pid: pid in self._others, seconds=2)
        for running in self._running.values():
            running.ended(0, 0)
        self._running.clear()
        os.close(self._log)
        cage.leave(self._process.pid)

    def _wait(self, wake: socket.socket | None) -> list[Any]:
        channels = [running.channel for running in self._running.values() if running.channel.fileno() >= 0]
        wakers = [] if wake is None else [wake]
        idle = wake is not None and not self._running
        return readable([self._control, *channels, *wakers], -1 if idle else TICK)

    def _read(self, running: Running, on_event: OnEvent) -> None:
        for event in running.read_events():
            on_event(running.job, event)

    def _hear(self, on_event: OnEvent) -> Iterator[Ended]:
        try:
            data = self._control.recv(65536)
        except ConnectionResetError:  # it ended before it had read all that we sent
            data = b""
        if not data:
            raise self._death()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "ready" in message:
                self.start, self.why = message["ready"], message["why"]
            elif "started" in message:
                number = message["started"]
                self._running[number].pid = message["pid"]
                if self._running[number].cancelled:  # before it had a process
                    self._signal(number, signal.SIGKILL)
            elif "checkpoint" in message:
                running = self._running[message["job"]]
                while running.channel.fileno() >= 0 and readable([running.channel], 0):
                    self._read(running, on_event)  # the end of the cell was sent before this
                on_event(running.job, {**message, "event": "checkpoint", "cell": message["checkpoint"]})
            elif "lost" in message:
                running = self._running.pop(message["lost"])
                running.ended(0, 0)
                on_event(running.job, {"event": "lost", "begun": running.begun})
            else:
                running = self._running.pop(message["exit"])
                yield running.ended(message["status"], message["peak"])

    def _keep_limits(self) -> None:
        now = time.monotonic()
        for number, running in self._running.items():
            if running.asked is not None:
                if now - running.asked > GRACE or running.output() > 2 * running.job.limits.output:
                    self._signal(number, signal.SIGKILL)
            elif not running.limit:
                running.limit = running.overrun(now)
                if running.limit:
                    self._end(number, running, now)

    def _end(self, number: int, running: Running, now: float) -> None:
        """Ask a cell that has passed its own limit to stop; a post that has passed one is ended."""
        self._signal(number, signal.SIGUSR2)  # Python writes down where it is
        running.asked = now
        if running.limit in ASKED:
            self._signal(number, signal.SIGINT)
        else:
            running.asked -= GRACE - TICK  # time for the last words, no more

    def _tell(self, on_event: OnEvent) -> None:
        """Tell of the cells that go on and on."""
        now = time.monotonic()
        for running in self._running.values():
            cell, seconds = running.cell(), now - running.cell_started
            if cell is not None and seconds - running.told >= NEWS:
                running.told = seconds
                limit = running.job.limits.cells[cell.number]
                on_event(
                    running.job,
                    {"event": "running", "cell": cell.number, "seconds": seconds, "limit": limit},
                )

    def _signal(self, number: int, which: signal.Signals) -> None:
        self._send({"signal": number, "number": int(which)})

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _death(self) -> ServerDied:
        status = self._process.wait()
        said = contents(os.dup(self._log)).decode(errors="replace").strip()
        jobs = [running.job.name for running in self._running.values()]
        return ServerDied(f"status {status}" + (f"\n{said}" if said else ""), jobs)


def cell_environment(named: Sequence[str]) -> dict[str, str]:
    """Return the environment of the cells: the allowed variables, those the site names, and our own."""
    chosen = {
        name: value
        for name, value in os.environ.items()
        if name in ALLOWED or name.startswith(ALLOWED_PREFIXES) or name in named
    }
    return {**chosen, **FIXED}
