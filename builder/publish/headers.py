"""What a host is to say of a file: its type, and how long a browser may keep it."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from typing import Final

from builder.publish.files import File

FOR_EVER: Final = "public, max-age=31536000, immutable"
SHORT: Final = "public, max-age=300"
DAY: Final = "public, max-age=86400"

# Not from the machine's own list of types, which is another on every machine.
_TYPES: Final = mimetypes.MimeTypes(filenames=())
_OURS: Final = {
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_TEXT: Final = ("text/", "application/xml", "application/atom+xml", "application/json")


def content_type(path: str) -> str:
    """Return the media type of a file by its name; text is UTF-8."""
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    kind = _OURS.get(suffix) or _TYPES.guess_type(path)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(_TEXT) else kind


def cache_control(file: File) -> str:
    """Return how long a file may be kept: for ever where its name holds its hash, pages for minutes."""
    if file.hashed:
        return FOR_EVER
    return SHORT if file.leads else DAY


def headers_file(files: Iterable[File]) -> bytes:
    """Return `_headers` as Netlify and Cloudflare Pages read it: one rule for a folder, since they take few."""
    folders: dict[str, list[File]] = {}
    for file in files:
        folders.setdefault(file.path.split("/")[0], []).append(file)
    kept: list[str] = []
    for folder, inside in sorted(folders.items()):
        hashed = sorted(file.path for file in inside if file.hashed)
        kept += [f"{folder}/*"] if len(hashed) == len(inside) else hashed
    lines = ["/*", "  X-Content-Type-Options: nosniff", ""]
    for path in kept:
        lines += [f"/{path}", f"  Cache-Control: {FOR_EVER}", ""]
    return "\n".join(lines).encode()
