"""The addresses in a text, of links and pictures, in Markdown and in the author's HTML, made those of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import unescape
from typing import TypeAlias

from markdown_it.token import Token

from builder.markdown.highlight import escape
from builder.markdown.pictures import Pictures

Resolve: TypeAlias = Callable[[str, int], str]  # (address as written, line) -> address in the page

# A comment, or the opening tag of an element that links. An unquoted `<` ends the try, so that the whole
# text is read a fixed number of times, whatever is in it.
_TAG = re.compile(
    r"""<!--(?:.*?-->|.*)|<(?:a|img|source|video|audio|iframe|link)\s(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(?<![\w:-])([\w:-]++)(\s*+=\s*+)("[^"]*"|'[^']*'|[^\s"'=<>`]++)""")
_LINKS = frozenset({"href", "src", "poster"})
_PICTURE = re.compile(r"<picture\b", re.IGNORECASE)


def resolve_text(children: Sequence[Token], line: int, resolve: Resolve, pictures: Pictures) -> list[Token]:
    """The tokens of one text, which begins at `line`, with addresses resolved and pictures enclosed."""
    around: dict[int, tuple[str, str]] = {}  # place of a picture -> the HTML before and after it
    alone = True
    for place, token in enumerate(children):
        match token.type:
            case "link_open":
                token.attrs["href"] = resolve(str(token.attrs.get("href", "")), line)
            case "image":
                address = str(token.attrs.get("src", ""))
                around[place] = pictures.enclose(token, address, line)
                token.attrs["src"] = resolve(address, line)
            case "html_inline" if not token.meta:
                alone = alone and _PICTURE.match(token.content) is None
                token.content = resolve_html(token.content, line, resolve, pictures, alone=alone)
            case "softbreak" | "hardbreak":
                line += 1
    if not around:
        return list(children)
    settled: list[Token] = []
    for place, token in enumerate(children):
        before, after = around.get(place, ("", ""))
        settled += [_html(before), token, _html(after)] if before else [token]
    return settled


def resolve_html(html: str, line: int, resolve: Resolve, pictures: Pictures, *, alone: bool = True) -> str:
    """The author's own HTML with its addresses resolved and its pictures enclosed; all else stays, byte for byte.

    Unless `alone`, there is a `<picture>` around it.
    """
    pieces = []
    done = 0
    alone = alone and _PICTURE.search(html) is None
    for tag in _TAG.finditer(html):
        line += html.count("\n", done, tag.start())
        pieces += [html[done : tag.start()], _resolve_tag(tag[0], line, resolve, pictures, alone)]
        line += tag[0].count("\n")
        done = tag.end()
    return "".join([*pieces, html[done:]])


def _resolve_tag(tag: str, line: int, resolve: Resolve, pictures: Pictures, alone: bool) -> str:
    """One opening tag with its addresses resolved; a comment comes back as it is."""
    source = ""

    def attribute(found: re.Match[str]) -> str:
        nonlocal source
        name, equals, value = found.groups()
        if name.lower() not in _LINKS:
            return found[0]
        old = unescape(value[1:-1] if value[0] in "\"'" else value)
        if name.lower() == "src":
            source = old
        new = resolve(old, line)
        return found[0] if new == old else f'{name}{equals}"{escape(new)}"'

    if tag.startswith("<!--"):
        return tag
    resolved = _ATTRIBUTE.sub(attribute, tag)
    return pictures.raw(resolved, source, line, alone=alone) if tag[1:4].lower() == "img" else resolved


def _html(html: str) -> Token:
    return Token("html_inline", "", 0, content=html, meta={"ours": True})
