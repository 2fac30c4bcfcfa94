"""The fork server: it imports what the posts need once, forks a worker for each post, and nothing else.

    python -c "…; main()" CONTROL_DESCRIPTOR

Messages are lines of JSON on the control socket. From the supervisor:

    {"imports": ["torch", …], "start": "fork"}        the first line; answered by {"ready": "fork", "why": ""}
    {"start": 7, "memory": 4294967296, "fresh": false}
                          with four descriptors: channel, standard output, standard error, crash log
    {"signal": 7, "number": 2}
    {"imports": ["pandas"]}                           further ones; answered by {"ready": …} again

A job that is started with "keep" leaves checkpoints (see branch.py); one that is started "from" [7, 3] goes on
from that which job 7 left after its cell 3, and {"drop": [7, 3]} ends one.

To the supervisor: {"ready": …}, {"started": 7, "pid": 4711}, {"exit": 7, "status": 9, "peak": bytes}, of a
checkpoint {"checkpoint": 3, "job": 7, "pid": 4712, "files": {…}}, and {"lost": 8} if job 8 cannot go on from it.
When the control socket closes, everything below this process is ended.

The start is "fork" or "spawn". In a forked worker the imports are already there; a spawned one is a fresh
interpreter, for systems where a fork of a process with torch in it cannot be trusted. A `fresh` worker is
always spawned: CUDA works only where no ancestor has touched it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builder.execute import cage
from builder.execute.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from builder.execute.processes import descendants, end_children, signal_main_thread

CANARY_SECONDS = 5.0
SWEEP_SECONDS = 2.0
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of `ru_maxrss`
FORK, SPAWN = "fork", "spawn"
ROOT = str(Path(__file__).parents[2])  # as it stands in sys.path: a link is not followed
SPAWNED = "import sys; sys.path[:] = {path!r}; from builder.execute.server import spawned; spawned()"


def main() -> None:
    """Serve until the control socket closes."""
    _hide_root()
    control = socket.socket(fileno=int(sys.argv[1]))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # until there are children to end, see below
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    Server(control).serve()


@dataclass
class Checkpoint:
    """A process that holds the state after a cell, and the jobs that were sent to it and have no process yet."""

    pid: int
    socket: socket.socket
    awaited: set[int] = field(default_factory=set)


class Server:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.buffer = b""
        self.descriptors: list[int] = []
        self.workers: dict[int, int] = {}  # pid -> job
        self.checkpoints: dict[tuple[int, int], Checkpoint] = {}  # (job, cell) ->
        self.register, self.far_register = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.register.setblocking(False)
        self.start = FORK
        self.shell: Any = None
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        self.waker = wake

    def serve(self) -> None:
        cage.tidy()
        cage.enter()
        setup = json.loads(self._first_line())
        self.start, why = setup["start"], ""
        if self.start == FORK:
            self._import(setup["imports"])
            why = self._unfit()
            if why:
                self.start = SPAWN
        gc.collect()
        gc.freeze()  # a collection in a worker must not copy the pages of what was imported here
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.waker)
        self._say(ready=self.start, why=why)
        prctl(PR_SET_PDEATHSIG, 0)  # from here on the closed socket ends us, and we end our children
        try:
            self._loop()
        finally:
            self._end_all()

    def _loop(self) -> None:
        while True:
            sources: list[Any] = [self.control, self.wake, self.register]
            readable, _, _ = select.select(sources, [], [])
            if self.register in readable:
                self._take_in()
            if self.wake in readable:
                with contextlib.suppress(BlockingIOError):
                    while os.read(self.wake, 512):
                        pass
                self._reap()
            if self.control in readable:
                data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 64)
                if not data:
                    return
                self.descriptors += descriptors
                *lines, self.buffer = (self.buffer + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))

    def _obey(self, message: dict[str, Any]) -> None:
        if "start" in message:
            descriptors, self.descriptors = self.descriptors[:4], self.descriptors[4:]
            if "from" in message:
                self._resume(descriptors, message)
            else:
                pid = self._start(descriptors, message)
                self.workers[pid] = message["start"]
                self._say(started=message["start"], pid=pid)
            for descriptor in descriptors:
                os.close(descriptor)
        elif "imports" in message:
            if self.start == FORK:
                gc.unfreeze()
                self._import(message["imports"])
                why = self._unfit()
                self.start = SPAWN if why else FORK
                gc.collect()
                gc.freeze()
                self._say(ready=self.start, why=why)
        elif "drop" in message:
            self._drop(tuple(message["drop"]))
        else:
            for pid, job in self.workers.items():
                if job == message["signal"]:
                    _signal(pid, message["number"])

    def _start(self, descriptors: list[int], message: dict[str, Any]) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become_worker(parent, descriptors, message)
        finally:
            os._exit(71)

    def _resume(self, descriptors: list[int], message: dict[str, Any]) -> None:
        """Let a session go on from a checkpoint, or say that there is none."""
        checkpoint = self.checkpoints.get(tuple(message["from"]))
        if checkpoint is not None:
            checkpoint.awaited.add(message["start"])
            line = json.dumps({"start": message["start"]}).encode()
            with contextlib.suppress(OSError):  # it has ended: `_reap` says so
                socket.send_fds(checkpoint.socket, [line], descriptors)
        else:
            self._say(lost=message["start"])

    def _take_in(self) -> None:
        """Learn of the children that sessions and checkpoints have forked for us."""
        with contextlib.suppress(BlockingIOError):
            while True:
                line, descriptors, _, _ = socket.recv_fds(self.register, 1 << 20, 1)
                message = json.loads(line)
                if "checkpoint" in message:
                    key = message["job"], message["checkpoint"]
                    channel = socket.socket(fileno=descriptors[0])
                    self.checkpoints[key] = Checkpoint(message["pid"], channel)
                    self._say(**message)
                else:
                    job = message["worker"]
                    for checkpoint in self.checkpoints.values():
                        checkpoint.awaited.discard(job)
                    self.workers[message["pid"]] = job
                    self._say(started=job, pid=message["pid"])

    def _drop(self, key: tuple[int, ...]) -> None:
        """Let a checkpoint end, if there is any such, when it has forked the sessions that it was asked for."""
        checkpoint = self.checkpoints.get((key[0], key[1]))
        if checkpoint is not None:
            checkpoint.socket.close()

    def _become_worker(self, parent: int, descriptors: list[int], message: dict[str, Any]) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # what the post leaves behind stays below us while we live
        if os.getppid() != parent:
            os._exit(71)
        with contextlib.suppress(OSError):  # the kernel is to end a post, not the build
            Path("/proc/self/oom_score_adj").write_text("800")
        if message["memory"]:
            # Not RLIMIT_AS: code and model files that are only mapped, gigabytes with CUDA, are no memory taken.
            resource.setrlimit(resource.RLIMIT_DATA, (message["memory"], message["memory"]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must leave no file beside the posts
        keeps = [self.far_register.fileno()] if message.get("keep") else []
        channel, crash, *register = _settle([*descriptors, *keeps])
        if self.start == FORK and not message["fresh"]:
            from builder.execute.session import work

            registers = [socket.socket(fileno=number) for number in register]
            work(socket.socket(fileno=channel), crash, self.shell, *registers)
        code = SPAWNED.format(path=[ROOT, *sys.path])
        for descriptor in (channel, crash):
            os.set_inheritable(descriptor, True)
        os.execv(sys.executable, [sys.executable, "-P", "-c", code, str(channel), str(crash)])

    def _reap(self) -> None:
        self._take_in()  # before the sweep: who is registered is spared
        ended = [key for key, checkpoint in self.checkpoints.items() if _ended(checkpoint.pid)]
        self._take_in()  # all that those have forked is registered by now
        for key in ended:
            checkpoint = self.checkpoints.pop(key)
            checkpoint.socket.close()
            for job in checkpoint.awaited:
                self._say(lost=job)
        for pid in list(self.workers):
            if end := _ended(pid):
                job = self.workers.pop(pid)
                self._sweep()
                self._say(exit=job, status=end[0], peak=end[1].ru_maxrss * PEAK_UNIT)
        self._sweep()

    def _sweep(self) -> None:
        """End every process that a finished post has left: all our children that are no workers."""
        end_children(self._is_ours, SWEEP_SECONDS)

    def _is_ours(self, pid: int) -> bool:
        """Is a child a worker or a checkpoint? It may have been forked just now, and is registered then."""
        if not self._knows(pid):
            self._take_in()
        return self._knows(pid)

    def _knows(self, pid: int) -> bool:
        return pid in self.workers or any(pid == each.pid for each in self.checkpoints.values())

    def _end_all(self) -> None:
        for pid in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self.workers.clear()
        self.checkpoints.clear()
        self._sweep()

    def _import(self, names: list[str]) -> None:
        """Import what the posts import. What fails to import here fails again, and is told, in its post."""
        from builder.execute import session  # noqa: F401  (for the workers, which then have it)
        from builder.execute.shell import make_shell

        self.shell = self.shell or make_shell()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)

    def _unfit(self) -> str:
        """Why this process must not fork workers; "" if it may."""
        if len(list(Path("/proc/self/task").iterdir())) != 1:
            return "an import started a thread"
        torch = sys.modules.get("torch")
        if torch is None:
            return ""
        if torch.cuda.is_initialized():
            return "an import initialised CUDA"
        return "" if works_in_a_fork(torch) else "torch hangs in a forked process"

    def _first_line(self) -> bytes:
        while b"\n" not in self.buffer:
            data = self.control.recv(65536)
            if not data:
                sys.exit(0)
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def _say(self, **message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.control.sendall(json.dumps(message).encode() + b"\n")


def spawned() -> None:
    """The beginning of a spawned worker: descriptors 1 and 2 are in place, the others are named."""
    _hide_root()
    from builder.execute.session import work

    channel, crash = int(sys.argv[1]), int(sys.argv[2])
    for descriptor in (channel, crash):
        os.set_inheritable(descriptor, False)
    work(socket.socket(fileno=channel), crash)


def works_in_a_fork(torch: Any) -> bool:
    """Does torch work in a fork of this process? One child tries a product and a gradient."""
    pid = os.fork()
    if not pid:
        try:
            torch.set_num_threads(2)
            x = torch.ones(64, 64, requires_grad=True)
            (x @ x).sum().backward()
            os._exit(0 if x.grad is not None else 1)
        finally:
            os._exit(1)
    deadline = time.monotonic() + CANARY_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _hide_root() -> None:
    """Put the folder that this package was found in behind all others: what else is in it is not the posts'."""
    sys.path.remove(ROOT)
    sys.path.append(ROOT)


def _ended(pid: int) -> tuple[int, resource.struct_rusage] | None:
    """How a child has ended; None if it has not, or if the process that forked it for us has not yet."""
    with contextlib.suppress(ChildProcessError):
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
    return None


def _signal(pid: int, number: int) -> None:
    """Send a worker a signal; SIGKILL goes to all that is below it too."""
    gone = contextlib.suppress(ProcessLookupError, PermissionError)
    if number != signal.SIGKILL:
        with gone:
            signal_main_thread(pid, number)
        return
    family = [pid, *descendants(pid)]
    with gone:
        os.killpg(pid, number)  # at once, and before the list is out of date
    for each in family:
        with gone:
            os.kill(each, number)


def _settle(descriptors: list[int]) -> list[int]:
    """Put the standard streams in place and close all else; return the channel, the crash log and the rest."""
    high = [os.dup2(descriptor, 200 + k, inheritable=False) for k, descriptor in enumerate(descriptors)]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(high[1], 1)
    os.dup2(high[2], 2)
    kept = [os.dup2(number, 3 + k, inheritable=False) for k, number in enumerate((high[0], *high[3:]))]
    os.closerange(3 + len(kept), 256)
    return kept
