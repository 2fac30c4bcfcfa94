"""`[style]` of the configuration -> CSS: the variables of the theme that a site may set, and nothing else.

accent = "#a3312c"                     one colour in both schemes
ground = ["#fffdf8", "#16130f"]        one for the light scheme, one for the dark one
font-text = ["Noto Serif KR", "serif"] names of fonts; the theme's own stand behind them
measure = "40rem"                      a length
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_COLOUR: Final = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"(?:rgb|hsl|hwb|lab|lch|oklab|oklch)\([\d\s.,%/-]{5,60}\)")
_LENGTH: Final = re.compile(r"\d{1,4}(?:\.\d{1,3})?(?:px|rem|em|ch|%)")
_FONT: Final = re.compile(r"[\w .-]{1,60}")
_GENERIC: Final = frozenset(
    ("serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif", "ui-monospace")
)


def _colour(value: object) -> str:
    colours = value if isinstance(value, list) else [value]
    if not 1 <= len(colours) <= 2 or not all(map(_is_colour, colours)):
        raise ValueError('must be a colour like "#0d655d", or two: ["#0d655d", "#6fcabe"], light and dark')
    return str(colours[0]) if len(colours) == 1 else f"light-dark({colours[0]}, {colours[1]})"


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and bool(_COLOUR.fullmatch(value) or _FUNCTION.fullmatch(value))


def _fonts(value: object) -> str:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and _FONT.fullmatch(name) for name in names):
        raise ValueError('must be a list of names of fonts, like ["Noto Sans KR", "sans-serif"]')
    return ", ".join(name if name in _GENERIC else f'"{name}"' for name in names)


def _length(value: object) -> str:
    if not isinstance(value, str) or not _LENGTH.fullmatch(value):
        raise ValueError('must be a length like "44rem", "18px" or "106%"')
    return value


VARIABLES: Final[Mapping[str, Callable[[object], str]]] = {
    "accent": _colour,
    "ground": _colour,
    "raised": _colour,
    "ink": _colour,
    "strong": _colour,
    "muted": _colour,
    "line": _colour,
    "mark": _colour,
    "code-ground": _colour,
    "output-ground": _colour,
    "font-text": _fonts,
    "font-title": _fonts,
    "font-code": _fonts,
    "font-size": _length,
    "measure": _length,
    "radius": _length,
}


def css_value(name: str, value: object) -> str:
    """The value of the variable `name` in CSS. Raises ValueError, KeyError for a name that is none."""
    return VARIABLES[name](value)


def stylesheet(style: Mapping[str, str]) -> str:
    """The rule that sets the variables of a site, "" for none; it stands behind the theme's stylesheet."""
    if not style:
        return ""
    # The fonts of the theme have Hangul, and stand behind those of the site.
    lines = (
        f"  --{name}: {value}{f', var(--theme-{name})' if VARIABLES[name] is _fonts else ''};\n"
        for name, value in style.items()
    )
    return f"\n/* [style] of this site */\n:root {{\n{''.join(lines)}}}\n"
