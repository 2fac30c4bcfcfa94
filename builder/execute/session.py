"""One post, one namespace, cell by cell: what a worker process runs.

A session is told its job in one line of JSON on its channel and answers with one line per event:

    {"event": "cell", "cell": 3, "out": 120, "err": 0}         it begins; sizes of the captured streams
    {"event": "show", "cell": 3, "out": 150, "data": {…}}      it displays something here
    {"event": "clear", "cell": 3, "out": 150}                  what it showed so far is to be forgotten
    {"event": "done", "cell": 3, "out": 180, "err": 7, "failure": null, …}
    {"event": "end", "facts": {…}, …}                          or with "unavailable": why nothing was run

Where it is asked to keep checkpoints, it forks one after each cell (see branch.py), and says why if it cannot:

    {"event": "no-checkpoint", "cell": 3, "out": 180, "why": "CUDA is in use"}

Each event carries the job's token, so that nothing that the post's own code writes is taken for one.
What the cells print does not pass through here: descriptors 1 and 2 are files that the supervisor reads.

This module imports the standard library and IPython only: a post must find its own versions of all else.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import ctypes
import faulthandler
import json
import linecache
import os
import platform
import random
import signal
import socket
import sys
import threading
import traceback
import warnings
from types import CodeType, ModuleType, TracebackType
from typing import Any

from builder.execute import branch, sharing, taint
from builder.execute.figures import name_korean_font, register_figures
from builder.execute.imports import on_import
from builder.execute.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from builder.execute.shell import QUIET_MAGICS, Shell, make_shell
from builder.execute.watch import Watch, stamp

SHOWN_TYPES = (
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/html",
    "text/latex",
    "text/markdown",
    "text/plain",
)
_LIBC = ctypes.CDLL(None)
# Ours before any cell can put something else into its place.
_ENCODE = json.JSONEncoder().encode


class Session:
    """The run of one post's cells in `shell`. Create it in the worker process, after the fork."""

    def __init__(
        self,
        job: dict[str, Any],
        channel: socket.socket,
        crash_log: int,
        shell: Shell,
        register: socket.socket | None = None,
    ) -> None:
        self.job = job
        self.channel = channel
        self.crash_log = crash_log
        self.shell = shell
        self.register = register  # None: no checkpoints, or no more of them
        self.finished = 0  # cells
        self.pool: set[str] = set()  # threads of a pool that torch makes anew after a fork (NNPACK's)
        self.pid = os.getpid()
        self.cell = 0
        self.running = False
        self.asked = False  # to stop the cell
        self.watch = Watch()
        self.tainted: dict[str, int] = {}  # name -> the cell at the root of it
        self.streams = os.dup(1), os.dup(2)  # a cell may close its own
        shell.audience = self
        shell.figures.format = job["figure_format"]

    # --- the run ---------------------------------------------------------------------------

    def run(self) -> None:
        """Run every cell and report. Exceptions of the post never leave this function."""
        self._prepare()
        missing = self._missing_device()
        if missing:
            self.emit("end", unavailable=missing)
            return
        while self.finished < len(self.job["cells"]):  # a checkpoint goes on with another job
            cell = self.job["cells"][self.finished]
            self.cell = self.shell.cell = cell["number"]
            self.asked = False
            self.emit("cell", err=_size(self.streams[1]))
            failure, facts = self._run_cell(cell)
            self._flush()
            self.emit("done", err=_size(self.streams[1]), failure=failure, **facts)
            self.finished += 1
            if failure and failure["kind"] == "interrupted":
                self.register = None  # when it was interrupted no key can say
            if self.register is not None:
                self._leave_checkpoint(self.register)
        files = self.watch.files(self.job["paths"])
        moved = self.watch.changed(files)
        self.emit("end", facts=self._facts(), threads=self._living_threads(), files=files, moved=moved)

    def _prepare(self) -> None:
        os.chdir(self.job["folder"])
        if self.job["device"] == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        sys.path[:0] = [path for path in self.job["paths"] if path not in sys.path]
        signal.signal(signal.SIGINT, self._interrupted)
        on_import("torch", self._prepare_torch)
        # Its import takes the formatters of figures away, to put its own in their place.
        on_import(
            "matplotlib_inline.backend_inline", lambda _: register_figures(self.shell, self.shell.figures)
        )
        on_import("matplotlib.font_manager", name_korean_font)
        on_import("numpy", lambda numpy: numpy.random.seed(self.job["seed"]))
        random.seed(self.job["seed"])
        self.watch.start()

    def _missing_device(self) -> str:
        """Why the device that the post asks for is not here; "" if it is, or if it asks for none."""
        if self.job["device"] != "cuda":
            return ""
        try:
            import torch
        except ImportError:
            return "torch is not installed"
        return "" if torch.cuda.is_available() else "no CUDA device on this machine"

    def _prepare_torch(self, torch: ModuleType) -> None:
        torch.manual_seed(self.job["seed"])
        before = branch.threads()
        torch.set_num_threads(self.job["threads"])
        self.pool = branch.threads() - before

    def _interrupted(self, *_: object) -> None:
        if os.getpid() != self.pid:
            return
        self.asked = True  # should it have come before the cell is under way
        if self.running:
            raise KeyboardInterrupt

    def _run_cell(self, cell: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        source: str = cell["source"]
        if not cell["eval"]:
            return None, {"skipped": True}
        tree = self._parse(source)
        refusal = None if tree is None or self.job["shell"] else _refusal(tree, source)
        if cell.get("refusal"):
            refusal = {"kind": "refused", "message": cell["refusal"], "line": 1}
        if refusal is not None:
            self._taint(tree, source, 0)
            return refusal, {}
        if tree is not None:
            wanted = taint.reach(taint.reads(tree), self.shell.user_ns)
            names = sorted(wanted & self.tainted.keys())
            if names:
                causes = sorted({self.tainted[name] for name in names})
                self._taint(tree, source, 0, causes[0])
                return {"kind": "skipped", "message": "", "names": names, "causes": causes}, {}
        before = _random_states()
        error = self._execute(source)
        drew = _random_states() != before
        if error is None:
            if tree is not None:
                for name in taint.rebound(tree):
                    self.tainted.pop(name, None)
            return None, {"drew_random": drew}
        failure = self._failure(error, source)
        if not (cell["may_raise"] or type(error).__name__ == cell["expected"]):
            self._taint(tree, source, failure["top"])
        return failure, {"drew_random": drew}

    def _execute(self, source: str) -> BaseException | None:
        shell = self.shell
        shell.source, shell.failed = source, None
        self.running = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            result = shell.run_cell(source, store_history=False)
        except KeyboardInterrupt as error:  # the limit's signal came while IPython itself was at work
            return error
        finally:
            self.running = False
        if os.getpid() != self.pid:
            os._exit(0)  # a child that the post forked has come back here: the parent reports, not it
        return result.error_before_exec or result.error_in_exec or shell.failed

    def _parse(self, source: str) -> ast.Module | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self.shell.transform_cell(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def _taint(self, tree: ast.Module | None, source: str, top: int, cause: int = 0) -> None:
        """Taint what the statements from line `top` on should have bound; try their imports alone."""
        cause = cause or self.cell
        namespace = self.shell.user_ns
        if tree is None:
            names = taint.bound_by_text(source)
            for line in source.split("\n"):
                if line.startswith(("import ", "from ")):
                    names |= self._try_import(line)
        else:
            rest = [statement for statement in tree.body if (statement.end_lineno or 0) >= top]
            begun = next((statement for statement in rest if statement.lineno <= top), None)
            names = sharing.changed(rest, begun, namespace)
            for statement in rest:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    names |= self._try_import(ast.unparse(statement))
                else:
                    names |= taint.bound(statement)
        for name in names:
            self.tainted.setdefault(name, cause)

    def _try_import(self, line: str) -> set[str]:
        """Return the names that an import statement failed to bind."""
        try:
            statement = ast.parse(line).body[0]
            exec(compile(line, "<import>", "exec"), self.shell.user_ns)
        except SyntaxError:
            return set()
        except BaseException:
            return taint.imported(statement) if isinstance(statement, ast.Import | ast.ImportFrom) else set()
        return set()

    # --- checkpoints -------------------------------------------------------------------------

    def _leave_checkpoint(self, register: socket.socket) -> None:
        """Fork a checkpoint; return here, and in each session that will ever go on from it."""
        own = {1, 2, *self.streams, self.channel.fileno(), self.crash_log, register.fileno()}
        files = self.watch.so_far(self.job["paths"])
        moved = "a file that it has read is another by now" if self.watch.changed(files) else ""
        why = moved or self._redirected() or branch.obstacle(own, self.pool)
        if why:
            self.emit("no-checkpoint", why=why)
            self.register = None
            return
        read = branch.places()
        here, servers = socket.socketpair()
        news = {
            "checkpoint": self.finished,
            "job": self.job["number"],
            "files": {path: stamp(path) for path in (*files, *self.watch.written(self.job["paths"]))},
        }
        try:
            is_checkpoint = branch.branch(register, news, [servers.fileno()])
        except OSError as error:
            self.emit("no-checkpoint", why=str(error))
            self.register = None
            is_checkpoint = False
        servers.close()
        if is_checkpoint:
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in own - {register.fileno()}:
                os.dup2(null, descriptor, inheritable=False)
            os.close(null)
            descriptors = _wait(here, register)
            branch.reopen(own, read)
            self._take(descriptors)
        here.close()

    def _redirected(self) -> str:
        """Have cells put something else in the place of their standard streams?"""
        try:
            same = all(os.path.sameopenfile(n, own) for n, own in zip((1, 2), self.streams, strict=True))
        except OSError:
            same = False
        return "" if same else "its standard streams are others"

    def _take(self, descriptors: list[int]) -> None:
        """Become a session of its own, with the channel, the streams and the crash log of another job."""
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.pid = os.getpid()
        places = (self.channel.fileno(), 1, 2, self.crash_log)
        for descriptor, place in zip(descriptors, places, strict=True):
            os.dup2(descriptor, place, inheritable=place in (1, 2))
            os.close(descriptor)
        for descriptor, stream in zip((1, 2), self.streams, strict=True):
            os.dup2(descriptor, stream, inheritable=False)
        with self.channel.makefile("rb") as lines:
            self.job = json.loads(lines.readline())

    # --- what is reported --------------------------------------------------------------------

    def emit(self, event: str, **facts: Any) -> None:
        """Send one event; a process that the post forked sends none."""
        if os.getpid() != self.pid:
            return
        out = _size(self.streams[0])
        message = {"token": self.job["token"], "event": event, "cell": self.cell, "out": out, **facts}
        self.channel.sendall(_ENCODE(message).encode() + b"\n")

    def clear(self) -> None:
        """Report that what was displayed so far is to be forgotten."""
        self.emit("clear")

    def show(self, data: dict[str, Any], value: bool) -> None:
        """Report something displayed, behind all that was printed before it."""
        self._flush()
        bundle = {}
        for kind in SHOWN_TYPES:
            content = data.get(kind)
            if isinstance(content, bytes):
                content = base64.b64encode(content).decode()
            if isinstance(content, str) and content:
                bundle[kind] = content
        if bundle:
            self.emit("show", data=bundle, value=value)

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        _LIBC.fflush(None)

    def _failure(self, error: BaseException, source: str) -> dict[str, Any]:
        frames = _frames(error.__traceback__)
        here = [frame for frame in frames if frame["cell"] == self.cell]
        if isinstance(error, SyntaxError) and error.filename == f"<cell {self.cell}>":
            line = error.lineno or 1
            kind, message, top = "syntax", f"{type(error).__name__}: {error.msg}", 0
        else:
            line = here[-1]["line"] if here else source.rstrip().count("\n") + 1
            kind, message, top = "raised", _message(error), here[0]["line"] if here else line
        if isinstance(error, SystemExit):
            kind = "exit"
        elif isinstance(error, KeyboardInterrupt):
            kind = "interrupted"
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        return {
            "kind": kind,
            "message": message,
            "line": line,
            "top": top,
            "frames": frames,
            "missing": missing or "",
            "stdin": isinstance(error, EOFError) and "reading a line" in str(error),
            "memory": _is_want_of_memory(error),
        }

    def _facts(self) -> dict[str, str]:
        facts = {"python": platform.python_version(), "seed": str(self.job["seed"])}
        torch = sys.modules.get("torch")
        if torch is not None and "torch" in self.job["imports"]:
            facts["torch"] = str(torch.__version__)
            facts["device"] = "CPU"
            if torch.cuda.is_initialized():
                facts["device"] = str(torch.cuda.get_device_name())
        return facts

    def _living_threads(self) -> list[str]:
        main = threading.main_thread()
        return [t.name for t in threading.enumerate() if t is not main and not t.daemon]


def _size(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


def _is_want_of_memory(error: BaseException) -> bool:
    """Is this how Python, NumPy, the system or torch say that there is no memory left?"""
    texts = ("can't allocate memory", "not enough memory", "std::bad_alloc", "Cannot allocate memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in texts)


def _message(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error)).rstrip("\n")


def _frames(trace: TracebackType | None) -> list[dict[str, Any]]:
    """The frames of a traceback that lie in cells, outermost first."""
    frames = []
    for frame, line in traceback.walk_tb(trace):
        cell = _cell_of(frame.f_code)
        if cell:
            source = linecache.getline(frame.f_code.co_filename, line).strip()
            frames.append({"cell": cell, "line": line, "name": frame.f_code.co_name, "source": source})
    return frames


def _cell_of(code: CodeType) -> int:
    name = code.co_filename
    return int(name[6:-1]) if name.startswith("<cell ") and name[6:-1].isdigit() else 0


def _refusal(tree: ast.Module, source: str) -> dict[str, Any] | None:
    """Why a cell may not run: its first shell line, or its first magic that does more than nothing."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of = node.func.value
        if not (isinstance(of, ast.Call) and isinstance(of.func, ast.Name) and of.func.id == "get_ipython"):
            continue
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        if node.func.attr == "run_line_magic" and name in QUIET_MAGICS:
            continue
        if node.func.attr in ("system", "getoutput", "run_line_magic", "run_cell_magic"):
            line = source.split("\n")[min(node.lineno, source.count("\n") + 1) - 1].strip()
            return {"kind": "refused", "message": line, "line": node.lineno}
    return None


def _random_states() -> list[Any]:
    """The states of the generators that are in the process: they differ if a cell drew a number."""
    states: list[Any] = [random.getstate()]
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and hasattr(numpy, "random"):
        kind, keys, *rest = numpy.random.get_state()
        states.append((kind, keys.tobytes(), *rest))
    if torch is not None and hasattr(torch, "default_generator"):
        states.append(torch.default_generator.get_state().numpy().tobytes())
    return states


def _wait(here: socket.socket, register: socket.socket) -> list[int]:
    """Be a checkpoint: fork a session for each job that comes, and end when nobody can ask any more.

    Returns only in those sessions, with their descriptors.
    """
    while True:
        line, descriptors, _, _ = socket.recv_fds(here, 4096, 4)
        if not line:
            os._exit(0)
        try:
            if branch.branch(register, {"worker": json.loads(line)["start"]}):
                return descriptors
        except OSError:
            os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)


def work(
    channel: socket.socket,
    crash_log: int,
    shell: Shell | None = None,
    register: socket.socket | None = None,
) -> None:
    """Run the one job that comes over `channel`; never returns. `crash_log` takes Python's last words."""
    status = 70
    try:
        with channel.makefile("rb") as lines:
            job = json.loads(lines.readline())
        faulthandler.enable(crash_log, all_threads=False)
        faulthandler.register(signal.SIGUSR2, crash_log, all_threads=False, chain=False)
        Session(job, channel, crash_log, shell or make_shell(), register).run()
        status = 0
    except BaseException:
        os.write(crash_log, b"session: " + traceback.format_exc().encode())
    finally:
        os._exit(status)
