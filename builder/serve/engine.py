"""Posts run behind the pages of a preview, on a thread of its own; the fork server stays, and so do checkpoints.

A post is run from its first cell that has changed, if a checkpoint holds the state before it. A run goes on as
long as what it is doing is still wanted: it is cancelled when the cell that it has come to is another by now.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from builder.execute.cache import site_cache
from builder.execute.checkpoints import Checkpoints
from builder.execute.keys import cell_keys
from builder.execute.outcome import all_failed, outcome, so_far
from builder.execute.run import ahead, job_of, settled
from builder.execute.running import Ended, Job
from builder.execute.supervisor import ServerDied, Supervisor, cell_environment
from builder.frozen import frozen
from builder.model import Config, Output, Post, Run

FEW = 8  # posts that are run at the same time and leave checkpoints
SHORT = 0.05  # seconds that a cell has to run before it is told that it does
OFTEN = 0.1  # seconds between two words about a cell that prints, or more if telling takes long
SHARE = 4  # how much longer than telling the pause behind it is


@frozen
class News:
    """How far a post is: the outputs of the cells that have begun, and `run`, all of it, at the end."""

    post: Post
    outputs: tuple[Output, ...]
    running: int = 0  # the number of the cell that is running
    run: Run | None = None


@dataclass(slots=True)
class Underway:
    """A post that is being run."""

    path: str
    job: Job
    keys: tuple[str, ...]
    sign: tuple[int, ...] = ()  # of what was last told: another one means that there is more
    done: int = 0  # cells that were told of as done
    next_news: float = 0.0
    cancelled: bool = False


class Engine:
    """Runs what is wanted. `tell` gets News and `say` a line for the terminal, both on the engine's thread."""

    def __init__(
        self, config: Config, jobs: int, tell: Callable[[News], None], say: Callable[[str], None]
    ) -> None:
        self._config = config
        self._jobs = jobs
        self._tell = tell
        self._say = say
        self._cache = site_cache(config)
        self._checkpoints = Checkpoints(self._cache.values)
        self._lock = threading.Lock()
        self._wanted: dict[str, Post] = {}  # the one that was wanted last is run first
        self._ahead: list[str] = []  # modules that are to be there
        self._stops: list[tuple[str, int]] = []
        self._closing = False
        self._said: set[str] = set()
        self._imported: list[str] = []
        self._under: dict[int, Underway] = {}
        self._start = config.execute.start
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._work, name="engine")
        self._thread.start()

    # --- what may be called from any thread -----------------------------------------------------

    def prepare(self, modules: Iterable[str]) -> None:
        """Import what posts will import, so that it is there when they are run."""
        with self._lock:
            self._ahead += modules
        self._wake.send(b"+")

    def want(self, post: Post) -> None:
        """Run a post; what is being run of an older one goes on as far as it is the same."""
        with self._lock:
            self._wanted.pop(post.path, None)
            self._wanted[post.path] = post
        self._wake.send(b"+")

    def unwant(self, path: str) -> None:
        """Do not run a post any more."""
        with self._lock:
            if self._wanted.pop(path, None) is None:
                return
        self._wake.send(b"+")

    def stop(self, path: str, cell: int) -> None:
        """End a cell of a post, if it is running."""
        with self._lock:
            self._stops.append((path, cell))
        self._wake.send(b"+")

    def close(self) -> None:
        """End all that is running, and every process."""
        self._closing = True
        self._wake.send(b"+")
        self._thread.join()
        self._wake.close()
        self._woken.close()

    # --- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing:
            with self._lock:
                posts, modules = list(self._wanted.values()), self._ahead
                self._ahead = []
            if not posts and not modules:
                self._woken.setblocking(True)
                self._woken.recv(1)
                self._woken.setblocking(False)
                continue
            self._imported = [*dict.fromkeys((*modules, *ahead(posts, self._config)))]
            environment = cell_environment(self._config.execute.environment)
            with Supervisor(self._imported, self._start, environment) as supervisor:
                try:
                    self._serve(supervisor)
                except ServerDied as death:
                    if not supervisor.start or self._under:
                        self._bury(str(death))
                    else:  # it was killed while it had nothing to do
                        self._checkpoints.of.clear()
                except Exception:
                    self._say(f"{traceback.format_exc()}this is a fault of Fencepost; please report it")
                    self._bury("a fault of Fencepost")

    def _serve(self, supervisor: Supervisor) -> None:
        hear = partial(self._hear, supervisor)
        while not self._closing:
            if supervisor.start:
                self._begin(supervisor)
            for ended in supervisor.step(hear, self._woken):
                self._end(supervisor, ended)
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
            for number, under in list(self._under.items()):
                self._tell_of(supervisor, number, under)

    def _begin(self, supervisor: Supervisor) -> None:
        """Start, cancel and stop what is to be."""
        if supervisor.start == "spawn":
            why = supervisor.why or "`start` is `spawn`"
            self._say_once(f"posts are run as a whole after every save: {why}")
        with self._lock:
            wanted = dict(reversed(self._wanted.items()))
            stops, self._stops = self._stops, []
            modules, self._ahead = self._ahead, []
        self._import(supervisor, modules)
        for number, under in list(self._under.items()):
            if not under.cancelled and self._is_pointless(supervisor, number, under, wanted):
                self._cancel(supervisor, number)
        current = self._current()
        for path, cell in stops:
            number = current.get(path, 0)
            if number and supervisor.running(number).is_at(cell):
                supervisor.stop(number)
        for post in wanted.values():
            if post.path not in current and len(current) < self._jobs:
                keys = cell_keys(post)
                job = job_of(post, self._config)
                if job.fresh:
                    self._say_once(f"{post.path}: after a save all its cells are run again: CUDA is in use")
                self._import(supervisor, ahead([post], self._config))
                # A site that is run for the first time is read before it is edited.
                keep = len(wanted) <= FEW
                number = supervisor.begin(job, self._checkpoints.deepest(keys), keep=keep)
                self._under[number] = Underway(post.path, job, keys)
                current[post.path] = number

    def _import(self, supervisor: Supervisor, modules: Iterable[str]) -> None:
        further = [name for name in modules if name not in self._imported]
        if further and supervisor.start == "fork":
            supervisor.further_imports(further)
            self._imported += further

    def _current(self) -> dict[str, int]:
        return {under.path: number for number, under in self._under.items() if not under.cancelled}

    def _is_pointless(
        self, supervisor: Supervisor, number: int, under: Underway, wanted: Mapping[str, Post]
    ) -> bool:
        """Is the cell that a run has come to another one in the post as it is now?"""
        post = wanted.get(under.path)
        if post is None:
            return True
        keys = cell_keys(post)
        at = supervisor.running(number).place()
        return keys[:at] != under.keys[:at]

    def _cancel(self, supervisor: Supervisor, number: int) -> None:
        self._under[number].cancelled = True
        supervisor.cancel(number)

    def _hear(self, supervisor: Supervisor, job: Job, event: Mapping[str, Any]) -> None:
        number = next((number for number, under in self._under.items() if under.job is job), 0)
        under = self._under.get(number)
        if under is None:
            return
        match event["event"]:
            case "checkpoint":
                running = supervisor.running(number)
                begun = running.after(number, event["cell"])
                if running.was_interrupted():
                    supervisor.drop(begun)
                    return
                key = under.keys[event["cell"] - 1]
                for old in self._checkpoints.put(key, begun, event["pid"], event["files"]):
                    supervisor.drop(old.begun)
            case "no-checkpoint":
                self._say_once(f"{under.path}: after a save all its cells are run again: {event['why']}")
            case "lost":
                del self._under[number]
                self._checkpoints.lose(event["begun"])
            case "cell":
                with self._lock:
                    wanted = dict(self._wanted)
                if not under.cancelled and self._is_pointless(supervisor, number, under, wanted):
                    self._cancel(supervisor, number)

    def _end(self, supervisor: Supervisor, ended: Ended) -> None:
        number = next(number for number, under in self._under.items() if under.job is ended.job)
        under = self._under.pop(number)
        self._settle(under, ended)
        for old in self._checkpoints.trim():
            supervisor.drop(old.begun)

    def _settle(self, under: Underway, ended: Ended) -> None:
        """Keep and tell what came of a run, if it is what is wanted."""
        with self._lock:
            post = self._wanted.get(under.path)
            if under.cancelled or post is None or cell_keys(post) != under.keys:
                return  # another run is wanted
            del self._wanted[under.path]
        files = tuple((ended.end or {}).get("files", ()))
        run = settled(post, outcome(post, ended, self._cache), files, self._cache)
        self._cache.values.save()
        self._tell(News(post, run.outputs, 0, run))

    def _tell_of(self, supervisor: Supervisor, number: int, under: Underway) -> None:
        """Tell what a post has shown so far, if there is more than last time."""
        now = time.monotonic()
        running = supervisor.running(number)
        sign, done = running.sign(), running.place() - 1
        with self._lock:
            post = self._wanted.get(under.path)
        if under.cancelled or sign == under.sign or post is None:
            return
        if done == under.done and now < max(under.next_news, running.cell_started + SHORT):
            return
        under.sign, under.done = sign, done
        cell = running.cell()
        ended = running.so_far()
        self._tell(News(post, so_far(post, ended, self._cache), cell.number if cell else 0))
        under.next_news = now + max(OFTEN, SHARE * (time.monotonic() - now))

    def _bury(self, why: str) -> None:
        """The fork server has died, and with it all that was under way; if it cannot start, posts are spawned."""
        self._checkpoints.of.clear()
        paths = set(self._current())
        self._under.clear()
        if not paths and self._start == "fork":
            self._start = "spawn"
            return
        with self._lock:
            posts = [post for path, post in self._wanted.items() if path in paths or not paths]
            for post in posts:
                del self._wanted[post.path]
        for post in posts:
            run = all_failed(post, why)
            self._tell(News(post, run.outputs, 0, run))

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._say(line)
