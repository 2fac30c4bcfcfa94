"""Code -> HTML: escaped text in spans with Pygments' short class names (`k`, `s2`); the theme has the CSS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Whitespace, _TokenType
from pygments.util import ClassNotFound

from builder.colours import CLASSES, SEQUENCE
from builder.lexing import Tokens, quick

# Shown as it is: a console's transcript is mostly output, and lexing it is slow for long lines.
PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output", "console", "terminal"})

# Pygments promises nothing about time. Longer code, or a longer line, is data and not to be read.
_LONGEST_CODE = 200_000
_LONGEST_LINE = 20_000
# The strings of several lexers (Scala, Maple, TADS 3) try 2^n ways through n backslashes.
_BACKSLASHES = "\\" * 20


def highlight(code: str, language: str) -> str:
    """The inside of a `<code>`: `code`, escaped, no character lost, no span across a line's end.

    `language` is any name that Pygments knows, in any case. Another one, and code that is too large to
    be highlighted in reasonable time, gives escaped text without spans. Nothing is raised.
    """
    lex = _lexer(language.lower())
    if lex is None or not code.strip() or _is_too_much(code):
        return escape(code)
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
    """The tokens function of `language`, made once; None where its text is to be shown as it is."""
    if language in PLAIN:
        return None
    try:
        return quick(get_lexer_by_name(language, stripnl=False))
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


def _spans(tokens: Iterable[tuple[_TokenType, str]]) -> str:
    """HTML of `tokens`; neighbours of one class share a span, and a span ends with its line."""
    html: list[str] = []
    text = current = ""
    for kind, value in tokens:
        name = _CLASSES[kind]
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
