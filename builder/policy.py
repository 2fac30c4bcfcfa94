"""What a page may load and run: its Content-Security-Policy, from the configuration and from what its posts hold.

It begins with nothing but the site's own files, and is opened for exactly

    the hosts of comments and analytics, where they are configured
    the hosts of the pictures, videos and frames of the posts that the page shows
    the author's own scripts and styles in raw HTML, by the digests of their text
    what `[policy]` of the configuration adds, for a site's own templates

`loads` finds what the HTML of a post needs, when it is made: texts like `img-src https://example.org`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import urlsplit

from builder.model import Config
from builder.services import analytics_loads, comments_loads

# In its place stands what a whole page needs, when that is known.
PLACE: Final = "\ue000policy\ue001"
_HAS_COMMENTS: Final = 'class="comments-place"'
# The site's own files; all that is not here is forbidden.
STRICT: Final[Mapping[str, tuple[str, ...]]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "font-src": ("'self'",),
    "media-src": ("'self'",),
    "connect-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
}
# What may be opened besides.
DIRECTIVES: Final = (
    *STRICT,
    *("frame-src", "object-src", "script-src-attr", "style-src-attr", "manifest-src", "worker-src"),
)

# Comments hold no elements; the others are what a page can load or run.
_NAMES = (
    *("script", "style", "img", "source", "video", "audio", "track", "iframe", "frame"),
    *("embed", "object", "link", "image", "use", "input", "form", "button"),
)
_INSIDE = r"(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+"
# Patterns that are compiled when they are first needed (the `re` module keeps them): most builds need none.
_ELEMENT = (
    r"(?is)<!--(?:.*?-->|.*)"
    rf"|<(?P<raw>script|style)\b(?P<raw_attributes>{_INSIDE})>(?P<text>.*?)(?:</(?P=raw)\s*>|\Z)"
    rf"|<(?P<name>{'|'.join(_NAMES[2:])})\b"
    rf"(?P<attributes>{_INSIDE})>"
)
_TAG = rf"(?i)<[a-z][a-z0-9-]*+(?P<attributes>{_INSIDE})>"
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?""")
_EVENT = re.compile(rb"on[a-z]+\s*=")
# How one of these begins. Most tags of a page are the spans of its code, and their ends.
_BEGINNING = re.compile(rf"<(?!span|/)(?:{'|'.join(_NAMES)})".encode())
_URL = re.compile(r"""\burl\(\s*["']?([^"')]+)""", re.IGNORECASE)
_HOST = r"(?i)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?"
_SCRIPT_TYPES = ("", "module", "text/javascript", "application/javascript", "application/ecmascript")
_DIRECTIVE_OF = {
    **{(name, "src"): "frame-src" for name in ("iframe", "frame")},
    **{(name, "src"): "img-src" for name in ("img", "input")},
    **{(name, "srcset"): "img-src" for name in ("img", "source")},
    **{(name, "src"): "media-src" for name in ("video", "audio", "track", "source")},
    **{(name, attribute): "img-src" for name in ("image", "use") for attribute in ("href", "xlink:href")},
    ("video", "poster"): "img-src",
    ("embed", "src"): "object-src",
    ("object", "data"): "object-src",
    ("form", "action"): "form-action",
    ("input", "formaction"): "form-action",
    ("button", "formaction"): "form-action",
    # What a script of the theme makes a frame of when a reader asks for it.
    ("button", "data-frame"): "frame-src",
}
_LINKED = {"stylesheet": "style-src", "icon": "img-src", "preload": "", "manifest": "manifest-src"}


def policy(config: Config, loads: Iterable[str] = (), *, comments: bool = False) -> str:
    """The policy of a page that shows posts which need `loads`, and perhaps comments."""
    opened = [f"{directive} {source}" for directive, found in config.policy.items() for source in found]
    services = (*analytics_loads(config), *(comments_loads(config) if comments else ()))
    avatar = _from("img-src", config.profile.avatar)
    return _opened((*services, *avatar, *opened, *sorted(set(loads))))


@lru_cache(maxsize=256)  # most pages load nothing
def _opened(loads: tuple[str, ...]) -> str:
    """The strict policy, opened for these."""
    sources = {directive: list(found) for directive, found in STRICT.items()}
    for load in loads:
        directive, _, source = load.partition(" ")
        found = sources.setdefault(directive, [])
        if "'none'" in found:
            found.remove("'none'")
        if source not in found:
            found.append(source)
    return "; ".join(f"{directive} {' '.join(found)}" for directive, found in sources.items())


def with_policy(html: str, config: Config, loads: Iterable[str]) -> str:
    """A page with its policy in the place that is kept for it."""
    if PLACE not in html:
        return html
    comments = config.comments.provider != "" and _HAS_COMMENTS in html
    found = policy(config, loads, comments=comments)
    # It stands near the beginning of a page, and once: the rest of a long text need not be searched.
    return html.replace(PLACE, found.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;"), 1)


def is_source(value: object) -> bool:
    """Is this one source of a policy, like `https://example.org` or `'unsafe-inline'`?"""
    return isinstance(value, str) and re.fullmatch(r"[^\s;,]+", value) is not None and value.isascii()


# --- what a post needs -------------------------------------------------------------------------


def loads(html: str) -> tuple[str, ...]:
    """What HTML loads from other hosts, and what it runs itself: sorted, each once."""
    lowered = html.encode("utf-8", "replace").lower()  # a fifth of what lower case costs for Hangul
    found = set(_elements(html)) if _BEGINNING.search(lowered) else set()
    if _may_have_inline(lowered):
        found.update(_inline(html))
    return tuple(sorted(found))


def _elements(html: str) -> Iterator[str]:
    for found in re.finditer(_ELEMENT, html):
        if raw := (found["raw"] or "").lower():
            yield from _raw(raw, _attributes(found["raw_attributes"]), found["text"])
            continue
        name = (found["name"] or "").lower()
        if not name:
            continue
        attributes = _attributes(found["attributes"])
        if name == "link":
            directive = next(
                (_LINKED[rel] for rel in attributes.get("rel", "").split() if rel in _LINKED), ""
            )
            yield from _from(directive, attributes.get("href", ""))
        for attribute, value in attributes.items():
            if directive := _DIRECTIVE_OF.get((name, attribute), ""):
                for address in _addresses(value) if attribute == "srcset" else (value,):
                    yield from _from(directive, address)


def _raw(name: str, attributes: Mapping[str, str], text: str) -> Iterator[str]:
    """What a script or style of the author's needs."""
    if name == "style":
        yield f"style-src {_digest(text)}"
        yield from _from_style(text)
    elif "src" in attributes:
        yield from _from("script-src", attributes["src"])
    elif attributes.get("type", "").strip().lower() in _SCRIPT_TYPES:
        yield f"script-src {_digest(text)}"


def _may_have_inline(lowered: bytes) -> bool:
    return b"style" in lowered or _EVENT.search(lowered) is not None


def _inline(html: str) -> Iterator[str]:
    """What the author's `style` and `on…` attributes need."""
    for tag in re.finditer(_TAG, html):
        if not _may_have_inline(tag["attributes"].lower().encode("utf-8", "replace")):
            continue
        for name, value in _attributes(tag["attributes"]).items():
            if name == "style":
                yield "style-src-attr 'unsafe-hashes'"
                yield f"style-src-attr {_digest(value)}"
                yield from _from_style(value)
            elif name.startswith("on"):
                yield "script-src-attr 'unsafe-hashes'"
                yield f"script-src-attr {_digest(value)}"


def _from_style(css: str) -> Iterator[str]:
    for address in _URL.findall(css):
        yield from _from("img-src", address)


def _from(directive: str, address: str) -> Iterator[str]:
    """`directive` and the origin of an address, if it is on another host."""
    source = origin(address)
    if directive and source:
        yield f"{directive} {source}"


def origin(address: str) -> str:
    """Scheme, host and port of an address as a policy names them; "" for one of this site, or of no host."""
    try:
        parts = urlsplit(address.strip())
        host = parts.netloc.rpartition("@")[2]
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        return ""
    if not re.fullmatch(_HOST, host) or parts.scheme not in ("", "http", "https"):
        return "blob:" if parts.scheme == "blob" else ""
    return f"{parts.scheme}://{host}" if parts.scheme else host


def _addresses(srcset: str) -> Iterator[str]:
    for candidate in re.split(r",\s+|,(?=https?:|//)", srcset):
        if candidate.strip():
            yield candidate.split()[0]


def _attributes(text: str) -> dict[str, str]:
    """Attributes by their names in lower case; of two of one name, the first counts."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape(value[1:-1] if value[:1] in ('"', "'") else value))
    return found


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8', 'replace')).digest()).decode()}'"


# --- what the author is told -------------------------------------------------------------------

_CODE = r"""(?i)<(script)\b|<[a-z][^<>]*[\s"'/](on[a-z]+)\s*=|(?:href|src)\s*=\s*["']?\s*(javascript:)"""


def own_code(html: str) -> Iterator[tuple[int, str, bool]]:
    """The author's scripts in raw HTML: line (from 0), what it is, and whether a page will run it."""
    for found in re.finditer(_CODE, html):
        line = html.count("\n", 0, found.start())
        if found[1]:
            yield line, "a script of its own", True
        elif found[2]:
            yield line, f"code in `{found[2].lower()}`", True
        else:
            yield line, "a `javascript:` address", False
