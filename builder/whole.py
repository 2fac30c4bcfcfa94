"""Files that are written whole or not at all: a reader sees the old content or the new."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, *pieces: bytes, shared: bool = False) -> None:
    """Put some bytes, one after the other, at `path`, and make its folder where there is none.

    `shared`: several processes may write it at once, all of them the same. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}" if shared else f"{path.name}.new")
    with temporary.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    temporary.replace(path)
