"""Callouts, as GitHub writes them: a quote whose first line is `[!NOTE]`, with a title of its own perhaps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from markdown_it.token import Token

KINDS: Final = ("note", "tip", "important", "warning", "caution")

_FIRST_LINE = re.compile(rf"\[!({'|'.join(KINDS)})\](?:[ \t]+([^\n]*))?(?:\n|\Z)", re.IGNORECASE)


def settle_callouts(tokens: list[Token], titles: Mapping[str, str]) -> None:
    """Make callouts of those quotes among block tokens that are not parsed inside yet; `titles` are by kind."""
    places = [
        index
        for index, token in enumerate(tokens)
        if token.type == "inline"
        and token.content.startswith("[!")
        and index >= 2
        and tokens[index - 2].type == "blockquote_open"
        and tokens[index - 1].type == "paragraph_open"
    ]
    for index in reversed(places):
        if found := _FIRST_LINE.match(tokens[index].content):
            _settle(tokens, index, found, titles)


def _settle(tokens: list[Token], index: int, found: re.Match[str], titles: Mapping[str, str]) -> None:
    """Make a callout of the quote whose first text is at `index`."""
    opening, paragraph, text = tokens[index - 2 : index + 1]
    closing = next(
        token for token in tokens[index:] if token.type == "blockquote_close" and token.level == opening.level
    )
    kind = found[1].lower()
    opening.tag = closing.tag = "div"
    own = f" {opening.attrs['class']}" if opening.attrs.get("class") else ""
    opening.attrs |= {"class": f"callout callout-{kind}{own}", "role": "note"}
    level = paragraph.level
    words = (found[2] or "").strip() or titles.get(kind) or kind.title()
    head = [
        Token("callout_title_open", "p", 1, attrs={"class": "callout-title"}, level=level, block=True),
        Token("inline", "", 0, content=words, map=paragraph.map, level=level + 1, children=[]),
        Token("callout_title_close", "p", -1, level=level, block=True),
    ]
    text.content = text.content[found.end() :]
    if paragraph.map and text.map:
        paragraph.map = text.map = [paragraph.map[0] + 1, paragraph.map[1]]
    if text.content.strip():
        tokens[index - 1 : index - 1] = head
    else:
        tokens[index - 1 : index + 2] = head
