"""What a build keeps for the next one: values that are read in a blink, or not at all.

In the format of Python's compiled modules, the quickest that there is for plain values, behind a checksum: what is
damaged is as good as lost. Nothing may be kept so whose loss does harm.

The command reads this first of all: keep it to what Python has loaded anyway.
"""

from __future__ import annotations

import marshal
import os
import zlib

TYPE_CHECKING = False  # see state.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

_FORMAT = 4  # of `marshal`; later versions of Python read it too
_CHECKSUM = 4  # bytes
_OF_PARTS = 1  # what the checksum of a file of parts begins with: such a file is never taken for another one


def packed(value: Any) -> bytes:
    """A plain value (numbers, texts, bytes, and lists, tuples, dicts of them) as bytes."""
    return marshal.dumps(value, _FORMAT)


def unpacked(content: bytes | memoryview) -> Any:
    """The value that `packed` made bytes of. The bytes must be just these: others may do any harm."""
    return marshal.loads(content)


def write_kept(path: str | Path, value: Any) -> None:
    """Keep a plain value at `path`. Raises OSError."""
    from pathlib import Path

    from builder.whole import write_whole

    content = packed(value)
    write_whole(Path(path), zlib.crc32(content).to_bytes(_CHECKSUM), content)


def read_kept(path: str | Path) -> Any:
    """Return the value that is kept at `path`; None if there is none, or it is damaged."""
    try:
        with open(path, "rb") as file:
            stored = file.read()
        content = memoryview(stored)[_CHECKSUM:]
        if zlib.crc32(content).to_bytes(_CHECKSUM) == stored[:_CHECKSUM]:
            return marshal.loads(content)
    except (OSError, ValueError, EOFError, TypeError):
        pass
    return None


def write_parts(path: str | Path, value: Any, parts: Sequence[bytes]) -> None:
    """Keep a plain value and with it some packed ones, which are taken apart when they are asked for.

    Raises OSError.
    """
    from pathlib import Path

    from builder.whole import write_whole

    head = packed((value, [len(part) for part in parts]))
    pieces = (len(head).to_bytes(_CHECKSUM), head, *parts)
    checksum = _OF_PARTS
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    write_whole(Path(path), checksum.to_bytes(_CHECKSUM), *pieces)


def read_parts(path: str | Path) -> tuple[Any, list[memoryview]] | None:
    """Return what `write_parts` kept at `path`; None if there is nothing, or it is damaged.

    The file is not read into memory, which would take longer than all else: except on Windows, where what is
    mapped cannot be written anew.
    """
    import mmap  # not at the top: most that is kept is small

    try:
        with open(path, "rb") as file:
            mapped = os.name != "nt"
            stored = memoryview(
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if mapped else file.read()
            )
        if zlib.crc32(stored[_CHECKSUM:], _OF_PARTS).to_bytes(_CHECKSUM) != stored[:_CHECKSUM]:
            return None
    except (OSError, ValueError):
        return None
    start = 2 * _CHECKSUM
    end = start + int.from_bytes(stored[_CHECKSUM:start])
    value, sizes = marshal.loads(stored[start:end])
    parts = []
    for size in sizes:
        parts.append(stored[end : end + size])
        end += size
    return value, parts
