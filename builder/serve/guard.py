"""Who may ask a preview for what: the rules that keep other sites, and other machines, out of it.

A browser lets every site send requests to this machine, by any name that leads here. So a request must name this
host with this port, must not come from another site, and one that does anything must have the token of the
page.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import field
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from builder.frozen import frozen

OURS: Final = "/.fencepost/"  # what is the preview's own, and no page
STOP: Final = f"{OURS}stop"
MOST_HEADERS: Final = 16 * 1024  # bytes
MOST_BODY: Final = 1024
HEADERS: Final = (
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

_HOST: Final = re.compile(r"(?P<name>[a-z0-9.-]+|\[::1\]):(?P<port>[0-9]{1,5})", re.IGNORECASE)


@frozen
class Rules:
    """What one run of the preview holds requests to. The token is another in every run."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def refusal(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> HTTPStatus | None:
        """Why a request is refused; None if it may be answered."""
        headers = list(headers)
        if sum(len(name) + len(value) + 4 for name, value in headers) > MOST_HEADERS:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        given = _Given(headers)
        hosts = given.all("host")
        if len(hosts) != 1:
            return HTTPStatus.BAD_REQUEST
        if not self.is_host(hosts[0]):
            return HTTPStatus.MISDIRECTED_REQUEST
        if method == "POST" and path == STOP:
            return self._refusal_of_stop(given, hosts[0])
        if method not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED
        if given.one("sec-fetch-site") not in ("", "same-origin", "none"):
            navigates = (given.one("sec-fetch-mode"), given.one("sec-fetch-dest")) == ("navigate", "document")
            if not navigates or path.startswith(OURS):
                return HTTPStatus.FORBIDDEN
        return None

    def may_listen(self, headers: Iterable[tuple[bytes, bytes]], token: str) -> bool:
        """May a page be told of changes? Only one that was sent from here."""
        given = _Given(headers)
        hosts = given.all("host")
        return (
            len(hosts) == 1
            and self.is_host(hosts[0])
            and given.all("origin") == [f"http://{hosts[0]}"]
            and secrets.compare_digest(token.encode(), self.token.encode())
        )

    def is_host(self, host: str) -> bool:
        """Is this a name of this machine, with our port?"""
        found = _HOST.fullmatch(host)
        if found is None or found["port"] != str(self.port):
            return False
        name = found["name"].lower()
        return (
            name in ("localhost", "127.0.0.1", "[::1]")
            or re.fullmatch(r"([a-z0-9-]+\.)+localhost", name) is not None
        )

    def _refusal_of_stop(self, given: _Given, host: str) -> HTTPStatus | None:
        size = given.one("content-length") or "0"
        if not size.isdigit() or int(size) > MOST_BODY or given.all("transfer-encoding"):
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        token = given.one("x-fencepost-token")
        if given.all("origin") != [f"http://{host}"] or not secrets.compare_digest(
            token.encode(), self.token.encode()
        ):
            return HTTPStatus.FORBIDDEN
        return None


class Guard:
    """Lets through what the rules allow, and puts our headers on every answer."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        status = self.rules.refusal(scope["method"], scope["path"], scope["headers"])
        if scope["http_version"] not in ("1.0", "1.1"):
            status = HTTPStatus.BAD_REQUEST
        if status is None:
            await self.app(scope, receive, with_headers)
        else:
            await _refuse(status, scope, with_headers)


async def _refuse(status: HTTPStatus, scope: Mapping[str, Any], send: Send) -> None:
    body = f"{status.value} {status.phrase}\n".encode()
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, HEAD"))
    start: MutableMapping[str, Any] = {
        "type": "http.response.start",
        "status": status.value,
        "headers": headers,
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class _Given:
    """The headers of a request, by small names."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._of: dict[str, list[str]] = {}
        for name, value in headers:
            self._of.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def all(self, name: str) -> list[str]:
        return self._of.get(name, [])

    def one(self, name: str) -> str:
        """The value of a header that may stand once; that of several is none that we know."""
        return ",".join(self.all(name))
