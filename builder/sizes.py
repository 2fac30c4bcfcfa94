"""Sizes as people write them: "4 GiB", "256 KiB", "1000"."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    "": 1,
    "b": 1,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)


def parse_size(text: str) -> int:
    """Return the bytes that `text` names. Raises ValueError if it names no size."""
    found = _SIZE.fullmatch(text)
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(f"no size: {text!r}")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def size_text(size: float) -> str:
    """Return a number of bytes for people: the largest unit of which there is at least a half."""
    for unit in ("GiB", "MiB"):
        if size >= _UNITS[unit.lower()] / 2:
            return f"{size / _UNITS[unit.lower()]:.1f} {unit}".replace(".0 ", " ")
    return f"{size / 1024:.0f} KiB"
