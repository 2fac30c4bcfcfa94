"""Emoji by their names on GitHub: `:tada:`. Not in code, and not in `12:30:45`.

The names are those of the package `emoji`, which is read only when a text has something that looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it.token import Token

_NAME = re.compile(r"(?<![A-Za-z0-9]):[a-z0-9_+'-]+:(?![A-Za-z0-9])", re.IGNORECASE)


def set_emoji(children: Iterable[Token]) -> None:
    """Put the characters in the place of their names, in text tokens; `meta` keeps the text as it was written."""
    address = False
    for token in children:
        if token.type == "image":
            set_emoji(token.children or ())
        elif token.info == "auto":  # the text of an address that links to itself
            address = token.nesting == 1
        elif token.type == "text" and token.content.count(":") > 1 and not address:
            shown = _NAME.sub(lambda found: _character(found[0]), token.content)
            if shown != token.content:
                token.meta = {**token.meta, "written": token.content}
                token.content = shown


def as_written(children: Iterable[Token]) -> Iterator[Token]:
    """The tokens with the names of emoji in place of the characters, for ids: as on GitHub."""
    for token in children:
        written = token.meta.get("written")
        yield Token("text", "", 0, content=written) if token.type == "text" and written else token


def _character(name: str) -> str:
    import emoji

    shown: str = emoji.emojize(name, language="alias")
    return shown if shown != name else emoji.emojize(name.lower(), language="alias")
