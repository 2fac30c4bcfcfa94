"""Abbreviations, as PHP Markdown Extra and kramdown have them: `*[HTML]: Hyper Text Markup Language`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from builder.markdown.highlight import escape

KNOWN = "abbreviations"  # of an environment: {abbreviation: what it stands for}

_DEFINITION = re.compile(r"\*\[([^\]\n]+)\]:[ \t]*(.*)")


def abbreviation(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`*[HTML]: Hyper Text Markup Language` on a line of its own, which shows nothing."""
    at = state.bMarks[start] + state.tShift[start]
    if state.src[at : at + 2] != "*[" or state.is_code_block(start):
        return False
    match = _DEFINITION.fullmatch(state.src, at, state.eMarks[start])
    if not match:
        return False
    if not silent:
        state.env.setdefault(KNOWN, {}).setdefault(match[1], match[2].strip())
        state.line = start + 1
    return True


def mark_abbreviations(children: list[Token], known: Mapping[str, str]) -> None:
    """Put `<abbr>` around the abbreviations in text tokens."""
    names = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)")
    marked: list[Token] = []
    for token in children:
        if token.type != "text" or not pattern.search(token.content):
            marked.append(token)
            continue
        at = 0
        for match in pattern.finditer(token.content):
            title = f' title="{escape(known[match[0]])}"' if known[match[0]] else ""
            marked += [
                Token("text", "", 0, content=token.content[at : match.start()]),
                Token("html_inline", "", 0, content=f"<abbr{title}>", meta={"ours": True}),
                Token("text", "", 0, content=match[0]),
                Token("html_inline", "", 0, content="</abbr>", meta={"ours": True}),
            ]
            at = match.end()
        marked.append(Token("text", "", 0, content=token.content[at:]))
    children[:] = marked
