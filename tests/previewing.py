"""A preview of a site under way in this process, and what a browser does with it.

with previewing(site) as preview:
    preview.get("/a/").text
    preview.until("/a/", "new text")      waits until the page shows it
    with preview.live("/a/") as socket:   is told of editions
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from builder.serve.preview import Preview
from tests.conftest import TestSite

PATIENCE = 180.0  # seconds; a loaded machine takes its time


@dataclass
class Answer:
    """What came back for a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Served:
    """A preview that is being served."""

    preview: Preview
    lines: list[str] = field(default_factory=list)  # that it said on the terminal

    @property
    def port(self) -> int:
        return self.preview.port

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def token(self) -> str:
        return self.preview.rules.token

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, headers={"Host": self.host, **named})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """Send bytes; return all that comes back until the other end closes, or has answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while data := connection.recv(65536):
                answer += data
            return answer

    def until(self, path: str, text: str) -> str:
        """Wait until a page shows `text`; return it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            page = self.get(path).text
            if text in page:
                return page
            assert time.monotonic() < deadline, f"{text!r} is not in {path}:\n{page}\n{self.lines}"
            time.sleep(0.02)

    def until_said(self, text: str) -> None:
        """Wait until the terminal shows `text`."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in line for line in self.lines):
            assert time.monotonic() < deadline, f"{text!r} is not in {self.lines}"
            time.sleep(0.02)

    def live(self, page: str) -> ClientConnection:
        address = f"ws://{self.host}/.fencepost/live?page={quote(page)}&token={self.token}"
        origin = Origin(f"http://{self.host}")
        return connect(address, origin=origin, open_timeout=PATIENCE, proxy=None)

    def stop(self, page: str, cell: int, **headers: str) -> Answer:
        given = {"Origin": f"http://{self.host}", "X_Fencepost_Token": self.token, **headers}
        return self.get(f"/.fencepost/stop?page={quote(page)}&cell={cell}", "POST", **given)


@contextmanager
def previewing(site: TestSite, **overrides: object) -> Iterator[Served]:
    """Serve a site on a thread until the end of the block."""
    lines: list[str] = []
    preview = Preview(site.root, overrides, 1, 0, lines.append)
    preview.first()
    ready = threading.Event()
    failures: list[BaseException] = []
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def run() -> None:
        task = asyncio.ensure_future(preview.run(ready.set))
        started.append((asyncio.get_running_loop(), task))
        try:
            await task
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait(PATIENCE)
    try:
        assert not failures, failures
        yield Served(preview, lines)
    finally:
        loop, task = started[0]
        if thread.is_alive():
            loop.call_soon_threadsafe(task.cancel)
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert not failures, failures
