"""Code -> HTML: escaped text in spans with Pygments' short class names (`k`, `s2`); the theme has the CSS."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from builder.frozen import frozen
from builder.markdown.colours import CLASSES, SEQUENCE

# Pygments, and what is quicker than it, are imported where a lexer is made: much code is known already.
if TYPE_CHECKING:
    from pygments.token import _TokenType

# Shown as it is: a console's transcript is mostly output, and lexing it is slow for long lines.
PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "output", "console", "terminal"})

# Pygments promises nothing about time. Longer code, or a longer line, is data and not to be read.
_LONGEST_CODE = 200_000
_LONGEST_LINE = 20_000
# The strings of several lexers (Scala, Maple, TADS 3) try 2^n ways through n backslashes.
_BACKSLASHES = "\\" * 20
# What is held in memory: blocks of code, short texts of each class, and how long they are.
_MOST_BLOCKS, _MOST_TEXTS, _SHORT = 1024, 1024, 40


@frozen
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


# What has been highlighted: the HTML of a language and a code, since many cells of a blog are alike; and all
# HTML of a language and a length, to know it again.
_html: Final[dict[tuple[str, str], str]] = {}
_given: Final[dict[tuple[str, int], list[str]]] = {}


def highlight(code: str, language: str) -> str:
    """The inside of a `<code>`: `code`, escaped, no character lost, no span across a line's end.

    `language` is any name that Pygments knows, in any case. Another one, and code that is too large to
    be highlighted in reasonable time, gives escaped text without spans. Nothing is raised.
    """
    language = language.lower()
    if language in PLAIN or not code.strip() or _is_too_much(code):
        return escape(code)
    html = _html.get((language, code))
    if html is None:
        html = _highlighted(code, language)
        _hold(language, code, html)
    return html


def _highlighted(code: str, language: str) -> str:
    """The HTML of `code` by what a lexer makes of it."""
    lex = _lexer(language)
    if lex is None:
        return escape(code)
    try:
        html = "".join(lex(code if code.endswith("\n") else code + "\n"))
    except Exception:  # a lexer is other people's program, and colours are not worth a page
        return escape(code)
    return html if code.endswith("\n") else html.removesuffix("\n")


def _hold(language: str, code: str, html: str) -> None:
    """Hold a block of code in memory."""
    if len(_html) >= _MOST_BLOCKS:
        _html.clear()
        _given.clear()
    if (language, code) not in _html:
        _html[language, code] = html
        _given.setdefault((language, len(html)), []).append(html)


# --- what an earlier process has highlighted --------------------------------------------------

# How `render` begins a block whose inside may be what `highlight` gave: `in_lines` has changed a numbered one.
_BLOCK: Final = '<pre class="highlight" tabindex="0"'
_OPENING: Final = re.compile(
    r'(?: data-lines="\d+")?><code class="language-([\w.+#-]+)">(?!<span class="line)'
)
_TAG: Final = re.compile(r"</?span[^>]*>")


def is_ours(html: str) -> bool:
    """Is each block of code in the HTML of an article what `highlight` has made of it?

    An author may write a block like ours, and so may a cell. To be asked in the process that has rendered
    the article, soon after: what `highlight` has made is held in memory, some of it. False is always safe.
    """
    return all(inside in _given.get((language, len(inside)), ()) for language, inside in _blocks(html))


def remember(html: str) -> None:
    """Spare `highlight` the blocks of code in the HTML of an article, of which `is_ours` was true.

    It must have been made by this same program, with the same Pygments.
    """
    for language, inside in _blocks(html):
        _hold(language, _text_of(inside), inside)


def _blocks(html: str) -> Iterator[tuple[str, str]]:
    """The blocks of code that may be remembered: the language and the inside of each."""
    at = html.find(_BLOCK)
    while at >= 0:
        opening = _OPENING.match(html, at + len(_BLOCK))
        end = html.find("</code></pre>", opening.end()) if opening else -1
        if opening and end >= 0:
            language, inside = opening[1].lower(), html[opening.end() : end]
            if language not in PLAIN and inside and not inside.isspace():
                yield language, inside
        at = html.find(_BLOCK, at + len(_BLOCK))


def _text_of(inside: str) -> str:
    """The code of which `inside` is what `highlight` gave."""
    text = _TAG.sub("", inside)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")


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
def _lexer(language: str) -> Callable[[str], list[str]] | None:
    """What makes HTML of code of `language`, piece by piece, made once; None where Pygments has no lexer."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    from builder.markdown.lexing import Table

    try:
        return Table(get_lexer_by_name(language, stripnl=False), _class_of).shown
    except ClassNotFound:
        return None


def _is_too_much(code: str) -> bool:
    """Could highlighting `code` take long?"""
    if len(code) > _LONGEST_CODE or _BACKSLASHES in code:
        return True
    return len(code) > _LONGEST_LINE and max(map(len, code.split("\n"))) > _LONGEST_LINE


def _class_of(kind: _TokenType) -> _Class:
    """How texts of one of Pygments' types are shown."""
    from pygments.token import STANDARD_TYPES, Whitespace

    known: _TokenType = kind
    while known not in STANDARD_TYPES and known.parent is not None:
        known = known.parent
    # Whitespace has a class in Pygments, but nothing to be seen of it.
    return _class("" if kind is Whitespace else STANDARD_TYPES.get(known, ""))


@functools.cache
def _class(name: str) -> _Class:
    return _Class(name)


class _Class(dict[str, str]):
    """The HTML of each text of one class; a span ends with its line, and "" needs none.

    The short ones are kept: a few names and signs make up most of the code of a site.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, text: str) -> str:
        html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if self._name:
            lines = html.split("\n")
            html = "\n".join([f'<span class="{self._name}">{line}</span>' if line else "" for line in lines])
        if len(text) <= _SHORT:
            if len(self) >= _MOST_TEXTS:
                self.clear()
            self[text] = html
        return html
