"""Do other sites answer? Asked politely: one request at a time to a host, with a pause, and remembered.

HEAD first; a host that does not take it is asked with GET. What has answered is not asked again for a week.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, build_opener

from builder import __version__
from builder.frozen import frozen
from builder.whole import write_whole

_WEEK: Final = 7 * 24 * 3600.0
_TIMEOUT: Final = 20.0
_TRIES: Final = 3
_AT_ONCE: Final = 8  # hosts
_LONGEST_PAUSE: Final = 30.0
_LONGEST_COMPLAINT: Final = 80
_TAKES_NO_HEAD: Final = {400, 403, 404, 405, 406, 500, 501, 503}
_MAY_PASS: Final = {429, 500, 502, 503, 504}
_GONE: Final = {404, 410}
_HEADERS: Final = {"User-Agent": f"fencepost/{__version__} (checks links)", "Accept": "*/*"}


@frozen
class Answer:
    """What came of asking for an address. `gone`: its host says that there is nothing."""

    complaint: str = ""
    gone: bool = False


def ask_all(addresses: Sequence[str], memory: Path, pause: float = 1.0) -> dict[str, Answer]:
    """Return the answer for each address.

    `memory` is the file of those that have answered, `pause` the seconds between two requests to a host.
    """
    known = _remembered(memory)
    hosts: dict[str, list[str]] = {}
    for address in addresses:
        if address not in known:
            hosts.setdefault(urlsplit(address).netloc, []).append(address)
    answers = {address: Answer() for address in addresses if address in known}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for answered in pool.map(lambda asked: _ask_host(asked, pause), hosts.values()):
            answers |= answered
    now = time.time()
    known |= {
        address: now for address, answer in answers.items() if not answer.complaint and address not in known
    }
    write_whole(memory, json.dumps(known, ensure_ascii=False, indent=0).encode())
    return answers


def _remembered(memory: Path) -> dict[str, float]:
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        stored = json.loads(memory.read_text(encoding="utf-8"))
        return {address: at for address, at in stored.items() if at > time.time() - _WEEK}
    return {}


def _ask_host(addresses: Iterable[str], pause: float) -> dict[str, Answer]:
    answers = {}
    for number, address in enumerate(addresses):
        if number:
            time.sleep(pause)
        answers[address] = _ask(address, pause)
    return answers


def _ask(address: str, pause: float) -> Answer:
    method, complaint, status = "HEAD", "", 0
    for attempt in range(_TRIES):
        status, complaint, wait = _request(method, address)
        if not complaint:
            return Answer()
        if method == "HEAD" and status in _TAKES_NO_HEAD:
            method = "GET"
        elif status and status not in _MAY_PASS:
            break
        if attempt < _TRIES - 1:
            time.sleep(min(max(wait, pause), _LONGEST_PAUSE))
    return Answer(complaint, status in _GONE)


def _request(method: str, address: str) -> tuple[int, str, float]:
    """Return the status (0: there was none), what is wrong, and the seconds that the host asks to wait."""
    try:
        request = Request(_ascii(address), method=method, headers=dict(_HEADERS))
        with build_opener().open(request, timeout=_TIMEOUT) as response:
            return response.status, "", 0.0
    except HTTPError as error:
        wait = error.headers.get("Retry-After", "")
        # What a host says of it goes to a terminal: no host is to colour that, or to move in it.
        reason = "".join(filter(str.isprintable, str(error.reason)))
        return (
            error.code,
            f"{error.code} {reason}"[:_LONGEST_COMPLAINT],
            float(wait) if wait.isdecimal() else 0.0,
        )
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        return 0, str(getattr(error, "reason", "") or error) or type(error).__name__, 0.0


def _ascii(address: str) -> str:
    parts = urlsplit(address)
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    safe = "/:;,@!$&'()*+=%~?-._[]"
    return parts._replace(netloc=host, path=quote(parts.path, safe), query=quote(parts.query, safe)).geturl()
