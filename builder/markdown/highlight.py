"""Code -> HTML: escaped text in spans with Pygments' short class names (`k`, `s2`); the theme has the CSS."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Whitespace, _TokenType
from pygments.util import ClassNotFound

from builder.markdown.colours import CLASSES, SEQUENCE
from builder.markdown.lexing import Tokens, quick

# Shown as it is: a console's transcript is mostly output, and lexing it is slow for long lines.
PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output", "console", "terminal"})

# Pygments promises nothing about time. Longer code, or a longer line, is data and not to be read.
_LONGEST_CODE = 200_000
_LONGEST_LINE = 20_000
# The strings of several lexers (Scala, Maple, TADS 3) try 2^n ways through n backslashes.
_BACKSLASHES = "\\" * 20


@dataclass(frozen=True, slots=True)
class Look:
    """How a block of code is shown besides its colours. Lines count from 1."""

    title: str = ""
    numbered: bool = False
    marked: frozenset[int] = frozenset()
    fold: bool = False


_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_RANGES: Final = re.compile(r"\s*\d{1,6}(?:-\d{1,6})?(?:[\s,]+\d{1,6}(?:-\d{1,6})?)*\s*")
PLAIN_LOOK: Final = Look()


def look_of(
    options: Mapping[str, str | bool], braced: frozenset[str], lines: int
) -> tuple[Look, tuple[str, ...]]:
    """How the options of an info string want a block of so many lines shown, and what is wrong with them.

    `title="x.py"`, `linenos=true`, `hl_lines="2 4-5"`, `fold=true`. What has no value (`linenos`) is for
    other tools; so is what is wrong, unless it stands in braces.
    """
    complaints: list[str] = []

    def flag(name: str) -> bool:
        value = options.get(name)
        if isinstance(value, str) and value.lower() not in _FLAGS and name in braced:
            complaints.append(f"`{name}` must be true or false, not `{value}`")
        return isinstance(value, str) and _FLAGS.get(value.lower(), False)

    title = options.get("title")
    return (
        Look(
            title.strip() if isinstance(title, str) else "",
            flag("linenos"),
            _marked(options.get("hl_lines"), "hl_lines" in braced, lines, complaints),
            flag("fold"),
        ),
        tuple(complaints),
    )


def _marked(value: str | bool | None, ours: bool, lines: int, complaints: list[str]) -> frozenset[int]:
    """The lines that `hl_lines` names."""
    text = value.strip("[]") if isinstance(value, str) else ""
    if not _RANGES.fullmatch(text):
        if ours:
            complaints.append(f'`hl_lines` must be like "2 4-5", not `{value}`')
        return frozenset()
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        found |= set(range(int(first), min(int(last or first), lines) + 1))
        if ours and not 1 <= int(first) <= int(last or first) <= lines:
            complaints.append(f"`hl_lines` names `{first}{'-' if last else ''}{last}`, of {lines} lines")
    return frozenset(found & set(range(1, lines + 1)))


def in_lines(html: str, marked: Iterable[int]) -> str:
    """What `highlight` has made, each line in an element of its own: `line`, or `line marked`."""
    chosen = frozenset(marked)
    *lines, last = html.split("\n")
    rows = [*lines, last] if last else lines
    return "".join(
        f'<span class="{"line marked" if number in chosen else "line"}">{row}\n</span>'
        for number, row in enumerate(rows, start=1)
    )


def highlight(code: str, language: str) -> str:
    """The inside of a `<code>`: `code`, escaped, no character lost, no span across a line's end.

    `language` is any name that Pygments knows, in any case. Another one, and code that is too large to
    be highlighted in reasonable time, gives escaped text without spans. Nothing is raised.
    """
    lex = _lexer(language.lower())
    if lex is None or not code.strip() or _is_too_much(code):
        return escape(code)
    return _highlighted(lex, code)


@functools.lru_cache(maxsize=1024)  # many cells of a blog are alike
def _highlighted(lex: Callable[[str], Tokens], code: str) -> str:
    """The HTML of `code` by what a lexer makes of it."""
    try:
        tokens = lex(code if code.endswith("\n") else code + "\n")
    except Exception:  # a lexer is other people's program, and colours are not worth a page
        return escape(code)
    if not code.endswith("\n") and tokens and tokens[-1][1].endswith("\n"):
        tokens[-1] = (tokens[-1][0], tokens[-1][1][:-1])
    if "".join([value for _, value in tokens]) != code:
        return escape(code)
    return _spans(tokens)


def escape(text: str) -> str:
    """`text` for HTML, outside and inside of double-quoted attributes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def coloured(text: str) -> str:
    """`text` with ANSI sequences (those of `colours` only) as HTML: its styles are classes, `ansi-red`."""
    plain, *runs = SEQUENCE.split(text)
    html = [escape(plain)]
    for codes, run in zip(runs[::2], runs[1::2], strict=True):
        names = " ".join(f"ansi-{CLASSES[int(code)]}" for code in codes.split(";") if code != "0")
        html.append(f'<span class="{names}">{escape(run)}</span>' if names and run else escape(run))
    return "".join(html)


@functools.cache
def _lexer(language: str) -> Callable[[str], Tokens] | None:
    """What cuts code of `language` up by classes, made once; None where its text is to be shown as it is."""
    if language in PLAIN:
        return None
    try:
        return quick(get_lexer_by_name(language, stripnl=False), _CLASSES.__getitem__)
    except ClassNotFound:
        return None


def _is_too_much(code: str) -> bool:
    """Could highlighting `code` take long?"""
    if len(code) > _LONGEST_CODE or _BACKSLASHES in code:
        return True
    return len(code) > _LONGEST_LINE and max(map(len, code.split("\n"))) > _LONGEST_LINE


class _Classes(dict[_TokenType, str]):
    """Pygments' class of a token type; "" for what needs no span."""

    def __missing__(self, kind: _TokenType) -> str:
        known: _TokenType = kind
        while known not in STANDARD_TYPES and known.parent is not None:
            known = known.parent
        # Whitespace has a class in Pygments, but nothing to be seen of it.
        self[kind] = "" if kind is Whitespace else STANDARD_TYPES.get(known, "")
        return self[kind]


_CLASSES = _Classes()


def _spans(tokens: Iterable[tuple[str, str]]) -> str:
    """HTML of texts and their classes; neighbours of one class share a span, and a span ends with its line."""
    html: list[str] = []
    text = current = ""
    for name, value in tokens:
        if name == current:
            text += value
        else:
            html.append(_span(current, text))
            current, text = name, value
    html.append(_span(current, text))
    return "".join(html)


@functools.lru_cache(maxsize=4096)  # a few names and signs make up most of the code of a site
def _span(name: str, text: str) -> str:
    """One run of text of one class."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not name or not text:
        return text
    if "\n" not in text:
        return f'<span class="{name}">{text}</span>'
    return "\n".join(f'<span class="{name}">{line}</span>' if line else "" for line in text.split("\n"))
