"""The record that a target keeps of what was sent to it: `.fencepost.json`, at its top.

It says which files there are ours, so that no other is ever removed or written over. A publish writes it twice:
before the first file, with every file that it is about to send or remove, and behind the last one. Whatever an
interrupted publish has left is known to the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

NAME: Final = ".fencepost.json"
UNDER_WAY: Final = ""  # in place of a hash: the file may be there, or not, or be another


def parse_record(content: bytes | None) -> dict[str, str]:
    """Return {path: SHA-256} of what was sent; nothing is ours where there is no whole record."""
    try:
        stored = json.loads(content or b"")
        files = stored["files"]
        if stored["sha256"] != _digest(files) or not all(map(_is_safe, files)):
            return {}
        return {str(path): str(digest) for path, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def record_text(files: Mapping[str, str]) -> bytes:
    """Return the bytes of a record."""
    files = dict(sorted(files.items()))
    return (json.dumps({"sha256": _digest(files), "files": files}, ensure_ascii=False) + "\n").encode()


def under_way(known: Mapping[str, str], touched: Iterable[str]) -> bytes:
    """Return the record of a publish that is about to touch those paths."""
    return record_text({**known, **dict.fromkeys(touched, UNDER_WAY)})


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _is_safe(path: str) -> bool:
    """A record comes from a host: no path in it may lead out of the target."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
