"""The preview of a site: it is built, served to this machine, and taken on with every save until it is ended.

    saves.py     what has been saved
    press.py     sources -> editions of the site, in memory
    engine.py    cells, run behind the pages; what they show comes back as news
    web.py       the edition of the moment, and word of the next one, to browsers

Three threads: the event loop, which alone knows what is served; the press, which makes editions one after the
other; the engine, which runs cells.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from builder.assets import theme_folder
from builder.messages import message
from builder.model import Article, Config, Post, Problem, SiteError
from builder.serve.edition import Edition
from builder.serve.engine import Engine, News
from builder.serve.guard import MOST_HEADERS, Rules
from builder.serve.press import Press
from builder.serve.saves import Burst, Places, is_configuration, places, saves
from builder.serve.web import Pages, application, script_of

T = TypeVar("T")
PORT: Final = 4000
PORTS: Final = 20  # that are tried, one after the other, where none is asked for
MOST_CONNECTIONS: Final = 256
SECONDS_OF_HEADERS: Final = 10.0
SECONDS_IDLE: Final = 30
LATER: Final = 0.15  # seconds between the page of a post that was saved and all else


class Preview:
    """One run of the preview. `say` takes a line for the terminal."""

    def __init__(
        self,
        root: Path,
        overrides: Mapping[str, object],
        jobs: int,
        port: int | None,
        say: Callable[[str], None],
    ) -> None:
        self._root = root
        self._say = say
        self._jobs = jobs
        self._sockets, self.port = bind(port)
        self.rules = Rules(self.port)
        self.address = f"http://localhost:{self.port}/"
        self.pages = Pages()
        self.press = Press(root, overrides, script_of(self.rules))
        self.builds = 0
        self._told: set[Problem] = set()
        self._engine: Engine | None = None
        self._wanted: dict[str, Post] = {}
        self._touched: set[Path] | None = None  # what was saved, and is not taken in but for its text
        self._due = 0.0
        self._news: dict[str, News] = {}
        self._thread = ThreadPoolExecutor(1, "press")

    def first(self) -> None:
        """Make the first edition: before there are threads, so that other processes can share in the work."""
        self._began = time.time_ns()
        try:
            self.pages.show(self.press.start(self._jobs))
        except SiteError as error:
            self.pages.troubles = error.problems
            self.press.problems = error.problems
        self.builds += 1
        self.pages.baseurl = self._config.baseurl if self._config else ""
        self._tell_problems()
        gc.collect()
        gc.freeze()  # the site as it is now stays: no collection need look at it again

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until the task is cancelled, or the process is asked to end."""
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._work = asyncio.Event()
        self._burst = Burst(self._loop.time)
        server = _Server(self._web())
        tasks = [
            asyncio.ensure_future(server.serve(sockets=self._sockets)),
            asyncio.ensure_future(self._watch()),
            asyncio.ensure_future(self._take_on()),
        ]
        try:
            self._start_engine()
            ready()
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.should_exit = True
            for task in tasks[1:]:
                task.cancel()
            if self._engine is not None:
                await asyncio.to_thread(self._engine.close)
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
            self._thread.shutdown()

    # --- saves ----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        async for saved in saves(self._places, self._moved, self._began):
            self._burst.add(saved)
            self._work.set()

    def _places(self) -> Places:
        config = self._config
        if config is None:
            return places(self._root, [], [])
        folders = [config.content, config.templates, theme_folder()]
        ours = [config.output, config.root / ".fencepost", config.freeze]
        return places(config.root, folders, ours, self.press.inputs())

    @property
    def _config(self) -> Config | None:
        return self.press.config

    async def _take_on(self) -> None:
        """Take in saves and news as they come, one after the other."""
        while True:
            now = self._loop.time()
            if self._burst.pending and self._burst.due <= now:
                await self._touch(self._burst.take())
            elif self._news:
                await self._take_news(self._news.pop(next(iter(self._news))))
            elif self._touched is not None and self._due <= now and not self._burst.pending:
                saved, self._touched = self._touched, None
                await self._save(saved)
            else:
                due = None
                if self._burst.pending:
                    due = self._burst.due
                elif self._touched is not None:
                    due = self._due
                self._work.clear()
                with contextlib.suppress(TimeoutError):
                    # Not `wait_for`, which may swallow that the task is cancelled as the event comes.
                    async with asyncio.timeout_at(due):
                        await self._work.wait()

    async def _touch(self, saved: set[Path]) -> None:
        """Take in what was saved: where it is but the text of one post, that alone, and the rest in a moment."""
        touched = (self._touched or set()) | saved
        edition = None
        if len(saved) == 1 and self._config is not None:
            (file,) = saved
            edition = await self._in_press(lambda: self.press.touch(file), None)
        if edition is None:
            self._touched = None
            await self._save(touched)
            return
        self.builds += 1
        self.pages.show(edition, only=edition.page_of_file(file))
        self._want()
        self._later(touched)

    def _later(self, touched: set[Path]) -> None:
        """Make the whole edition when the one page is on its way."""
        self._touched = (self._touched or set()) | touched
        self._due = self._loop.time() + LATER

    async def _save(self, saved: set[Path]) -> None:
        """Make an edition after a save, whole."""
        before, was = self._config, self._places()
        anew = self._config is None or any(is_configuration(path, self._root) for path in saved)
        edition = await self._in_press(lambda: self._edition(saved, anew=anew), self.press.edition)
        self.builds += 1
        if edition is not None:
            self.pages.baseurl = edition.site.config.baseurl
            self.pages.show(edition)
        else:
            self.pages.troubles = self.press.problems
        if self._config is not before and self._config is not None:
            await self._renew_engine()
        self._want()
        self._tell_problems()
        if self._places() != was:
            self._moved.set()

    def _edition(self, saved: set[Path], *, anew: bool) -> Edition | None:
        """Return the edition after a save, on the press's thread: the pages that are open have been made."""
        last = self.press.edition
        try:
            edition = self.press.start() if anew else self.press.save(saved)
            for path in self.pages.open() or ["index.html"]:
                edition.answer(path)
        except SiteError as error:
            self.press.edition = last
            return self.press.trouble(error)
        return edition

    async def _take_news(self, news: News) -> None:
        edition = await self._in_press(lambda: self.press.take_news(news), None)
        if edition is not None:
            self.pages.show(edition, only=edition.page_of(news.post.path))
        if news.run is not None:
            self._wanted.pop(news.post.path, None)
            self._later(set())

    async def _in_press(self, work: Callable[[], T], otherwise: T) -> T:
        """Work on the press's thread. A fault of ours is told, and does not end the preview."""
        try:
            return await self._loop.run_in_executor(self._thread, work)
        except SiteError as error:
            self._say("\n".join(map(message, error.problems)))
        except Exception:
            self._say(traceback.format_exc() + "this is a fault of Fencepost; please report it")
        return otherwise

    # --- cells ----------------------------------------------------------------------------------

    def _start_engine(self) -> None:
        if self._config is None:
            return
        self._engine = Engine(self._config, self._jobs, self._hear, self._say)
        self._engine.prepare(self.press.modules())
        self._want()

    async def _renew_engine(self) -> None:
        """Another configuration: what cells may see is another."""
        if self._engine is not None:
            await asyncio.to_thread(self._engine.close)
        self._wanted.clear()
        self._start_engine()

    def _want(self) -> None:
        """Let the posts be run that wait for it."""
        if self._engine is None:
            return
        waiting = {path: waiting.stale.post for path, waiting in self.press.waiting.items()}
        for path in self._wanted.keys() - waiting.keys():
            self._engine.unwant(path)
        for path, post in waiting.items():
            if self._wanted.get(path) is not post:
                self._engine.want(post)
        self._wanted = waiting

    def _hear(self, news: News) -> None:
        """Take news from the engine's thread to the loop; of a post only the last counts."""

        def take() -> None:
            self._news.pop(news.post.path, None)
            self._news[news.post.path] = news
            self._work.set()

        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(take)

    def _stop(self, article: Article, cell: int) -> None:
        if self._engine is not None:
            self._engine.stop(article.path, cell)

    def _opened(self, article: Article) -> None:
        """What somebody looks at is run before all else."""
        if self._engine is not None and article.path in self._wanted:
            self._engine.want(self._wanted[article.path])

    # --- the web and the terminal ---------------------------------------------------------------

    def _web(self) -> uvicorn.Config:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        return uvicorn.Config(
            application(self.pages, self.rules, self._stop, self._opened),
            http=_Patient,
            ws="websockets-sansio",
            ws_max_size=MOST_HEADERS,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=SECONDS_IDLE,
            timeout_graceful_shutdown=1,
        )

    def _tell_problems(self) -> None:
        problems = dict.fromkeys(self.press.problems)
        for problem in problems:
            if problem not in self._told:
                self._say(message(problem))
        if self._told - problems.keys() and not any(problem.level == "error" for problem in problems):
            self._say("mended")
        self._told = set(problems)


def bind(port: int | None) -> tuple[list[socket.socket], int]:
    """Bind a port of this machine, for itself only. Raises SiteError if that is in use."""
    for candidate in [port] if port is not None else range(PORT, PORT + PORTS):
        try:
            first = _bound(socket.AF_INET, "127.0.0.1", candidate)
        except OSError:
            continue
        chosen = first.getsockname()[1]
        sockets = [first]
        with contextlib.suppress(OSError):  # a machine without IPv6, or somebody else's there
            sockets.append(_bound(socket.AF_INET6, "::1", chosen))
        return sockets, chosen
    what = f"port {port} is in use" if port is not None else f"the ports from {PORT} on are in use"
    raise SiteError(Problem("error", "", 0, "config", what, "choose another with --port"))


def _bound(family: int, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio delays answers
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


class _Server(uvicorn.Server):
    """Ends with the task that it runs in: signals are not its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Patient(HttpToolsProtocol):
    """HTTP, but headers that come too slowly, or are too many, are not waited for."""

    _deadline: asyncio.TimerHandle | None = None
    _awaited: int = 0  # bytes of headers that have come so far

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._forget()
        elif before is None or before.response_complete:
            if self._deadline is None:
                self._await_headers()
            self._awaited += len(data)
            if self._awaited > MOST_HEADERS and not self.transport.is_closing():
                self.send_400_response("the headers are too large")

    def on_headers_complete(self) -> None:
        if not self.url.startswith(b"/"):  # an address of another server, say: none of our paths
            self.url = b"/" + self.url
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._awaited = 0
        self._deadline = self.loop.call_later(SECONDS_OF_HEADERS, self.transport.close)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(preview: Preview, ready: Callable[[], None]) -> None:
    """Run a preview until Ctrl-C or SIGTERM; leaves no process behind."""

    async def until_asked() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(preview.run(ready))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    preview.first()
    asyncio.run(until_asked())
