"""ANSI colours: the styles that a terminal can give to text, reduced to those that a page has classes for.

The coloured form of a text has sequences such as `\\x1b[1;31m`, of the codes in CLASSES only, and `\\x1b[0m`
at the end of each run; no run goes beyond its line.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

_COLOURS: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_FLAGS: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
# The classes of a page, without their prefix, by code.
CLASSES: Final = {
    **_FLAGS,
    **{30 + k: name for k, name in enumerate(_COLOURS)},
    **{40 + k: f"bg-{name}" for k, name in enumerate(_COLOURS)},
    **{90 + k: f"bright-{name}" for k, name in enumerate(_COLOURS)},
    **{100 + k: f"bg-bright-{name}" for k, name in enumerate(_COLOURS)},
}
# What a code takes back: 22 ends bold and dim, 39 and 49 the colours.
_ENDS: Final = {22: {1, 2}, 23: {3}, 24: {4}, 27: {7}, 29: {9}}
SEQUENCE: Final = re.compile(r"\x1b\[([\d;]*)m")

Style: TypeAlias = frozenset[int]
PLAIN: Final[Style] = frozenset()


def sequence(style: Style) -> str:
    """Return the sequence that switches a style on; "" for plain text."""
    return f"\x1b[{';'.join(map(str, sorted(style)))}m" if style else ""


def restyled(style: Style, argument: str) -> Style:
    """Return the style behind a sequence with this argument ("1;31", "38;5;208", "" ...)."""
    codes = [int(code) if code.isdigit() and len(code) < 4 else 0 for code in re.split("[;:]", argument)]
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            style = _with_colour(style, code + 1, _reduced(codes) + (0 if code == 38 else 10))
        elif code == 0:
            style = PLAIN
        elif code in _ENDS:
            style -= _ENDS[code]
        elif code in (39, 49):
            style = _with_colour(style, code, None)
        elif code in _FLAGS:
            style |= {code}
        elif code in CLASSES:
            style = _with_colour(style, 39 if code // 10 in (3, 9) else 49, code)
    return style


def _with_colour(style: Style, end: int, code: int | None) -> Style:
    """Give a style another colour of text (`end` 39) or ground (49)."""
    tens = (3, 9) if end == 39 else (4, 10)
    kept = frozenset(old for old in style if old // 10 not in tens)
    return kept if code is None else kept | {code}


def _reduced(codes: list[int]) -> int:
    """Take an extended colour (`5;n` or `2;r;g;b`) from `codes`; return the nearest of the sixteen."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        number = codes.pop(0)
        if number < 16:
            return 30 + number if number < 8 else 82 + number
        if number > 231:
            number = (number - 232) * 10
            return _nearest(number, number, number)
        number -= 16
        return _nearest(*(level * 51 for level in (number // 36, number // 6 % 6, number % 6)))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = codes[:3]
        del codes[:3]
        return _nearest(red, green, blue)
    return 37


def _nearest(red: int, green: int, blue: int) -> int:
    """Return the code of the nearest of the sixteen colours."""
    top = max(red, green, blue)
    if top < 64:
        return 30
    bits = sum(1 << k for k, level in enumerate((red, green, blue)) if level * 2 > top)
    return (90 if top > 210 else 30) + bits
