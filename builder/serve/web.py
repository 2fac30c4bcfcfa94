"""The preview as a web application: pages of the present edition, and word of the next one.

/…                       the pages and files of the edition: its own list of them is all that is ever looked at
/.fencepost/live.js      the script that swaps what has changed into an open page, and its stylesheet
/.fencepost/live         the socket over which a page is told the number of each new edition
/.fencepost/stop         POST: end the cell that is running
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from builder.model import Article, Problem, SiteError
from builder.serve.edition import HTML, Edition
from builder.serve.guard import OURS, Guard, Rules
from builder.serve.margin import trouble_page

MOST_LISTENERS: Final = 100
FILES: Final = {"live.js": "text/javascript; charset=utf-8", "live.css": "text/css; charset=utf-8"}


@dataclass(eq=False)
class Listener:
    """An open page: which one, and the number of the edition that it is to be told of next."""

    path: str
    number: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, number: int) -> None:
        """Let the page know of an edition; of several, of the last."""
        self.number = number
        self.news.set()


@dataclass
class Pages:
    """What is served at the moment. It changes on the event loop only."""

    baseurl: str = ""
    edition: Edition | None = None
    troubles: tuple[Problem, ...] = ()  # while there is no edition
    listeners: set[Listener] = field(default_factory=set)

    def show(self, edition: Edition, only: str = "") -> None:
        """Serve another edition, and tell the open pages: if only one is another, that one."""
        self.edition = edition
        for listener in self.listeners:
            if not only or listener.path == only:
                listener.tell(edition.number)

    def open(self) -> list[str]:
        """Return the paths of the pages that are open. May be called from any thread."""
        return sorted({listener.path for listener in tuple(self.listeners)})


def script_of(rules: Rules) -> str:
    """Return the element that makes a page live."""
    return f'<script src="{OURS}live.js" data-token="{escape(rules.token)}"></script>'


def application(
    pages: Pages,
    rules: Rules,
    stop: Callable[[Article, int], None],
    opened: Callable[[Article], None],
) -> ASGIApp:
    """Return the application. `stop(article, cell)` ends a running cell; `opened` is told of each open page."""

    async def page(request: Request) -> Response:
        path = _path(request.scope["path"], pages.baseurl)
        edition = pages.edition
        if edition is None:
            text = trouble_page(pages.troubles, script_of(rules))
            return Response(text, 503, media_type=HTML)
        if path is None:
            return RedirectResponse(f"{quote(pages.baseurl)}/") if pages.baseurl else _missing()
        try:
            answer = edition.answer(path)
        except SiteError as error:
            text = trouble_page(error.problems, script_of(rules))
            return Response(text, 500, media_type=HTML)
        if answer is None:
            if edition.knows(f"{path}/index.html"):
                return RedirectResponse(quote(f"{pages.baseurl}/{path}/"))
            return _missing()
        if answer.tag and request.headers.get("if-none-match") == answer.tag:
            return Response(status_code=304, headers={"etag": answer.tag})
        headers = {"etag": answer.tag} if answer.tag else {}
        if answer.draft:
            headers["x-robots-tag"] = "noindex"
        return Response(answer.content, media_type=answer.media_type, headers=headers)

    async def ours(request: Request) -> Response:
        name = request.path_params["name"]
        return Response(_file(name), media_type=FILES[name]) if name in FILES else _missing()

    async def live(socket: WebSocket) -> None:
        path = _path(socket.query_params.get("page", ""), pages.baseurl)
        allowed = rules.may_listen(socket.scope["headers"], socket.query_params.get("token", ""))
        if not allowed or path is None or len(pages.listeners) >= MOST_LISTENERS:
            await socket.close()
            return
        listener = Listener(path)
        pages.listeners.add(listener)
        try:
            await socket.accept()
            listener.tell(pages.edition.number if pages.edition else 0)
            if pages.edition is not None and path in pages.edition.articles:
                opened(pages.edition.articles[path])
            await _keep_telling(socket, listener)
        finally:
            pages.listeners.discard(listener)

    async def stopping(request: Request) -> Response:
        path = _path(request.query_params.get("page", ""), pages.baseurl)
        cell = request.query_params.get("cell", "")
        article = pages.edition.articles.get(path or "") if pages.edition else None
        if article is None or not cell.isascii() or not cell.isdigit() or len(cell) > 9:
            return _missing()
        stop(article, int(cell))
        return Response(status_code=204)

    routes = [
        WebSocketRoute(f"{OURS}live", live),
        Route(f"{OURS}stop", stopping, methods=["POST"]),
        Route(f"{OURS}{{name:path}}", ours),
        Route("/{path:path}", page),
    ]
    return Guard(Starlette(routes=routes), rules)


async def _keep_telling(socket: WebSocket, listener: Listener) -> None:
    """Tell a page of each edition until it goes away. What it says is not listened to."""
    gone = asyncio.ensure_future(_until_gone(socket))
    try:
        while True:
            news = asyncio.ensure_future(listener.news.wait())
            await asyncio.wait([news, gone], return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                news.cancel()
                return
            listener.news.clear()
            await socket.send_json({"edition": listener.number})
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _path(address: str, baseurl: str) -> str | None:
    """Return the path in the output folder that an address stands for; None if it is not below `baseurl`."""
    if not address.startswith(f"{baseurl}/"):
        return None
    path = address.removeprefix(f"{baseurl}/")
    return f"{path}index.html" if not path or path.endswith("/") else path


def _missing() -> Response:
    return PlainTextResponse("404: there is no such page\n", 404)


@cache
def _file(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()
