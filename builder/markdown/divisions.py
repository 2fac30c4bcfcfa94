"""Divisions of a text, as Pandoc and Quarto write them: `::: {.name}` … `:::`; and tabs, which are one of them.

    ::: {.panel-tabset}
    ## PyTorch
    …
    ## NumPy
    …
    :::

GitHub shows the `:::` lines as text, and what is between them as it is. Tabs are buttons of one choice: they work
without a script, and all that is in them is found and printed.
"""

from __future__ import annotations

import re
from typing import Any, Final

from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from builder.markdown.attributes import html_attributes, parse_attributes

OPEN: Final = "division_open"
CLOSE: Final = "division_close"
TABS: Final = "panel-tabset"
UNCLOSED: Final = "unclosed_divisions"  # of an environment: lines, from 0

_OPENING = re.compile(r":{3,}[ \t]*(?:\{([^{}\n]*)\}|([\w-]+))[ \t]*:*[ \t]*")
_CLOSING = re.compile(r":{3,}[ \t]*")
_FENCE = re.compile(r"(`{3,})(?=[^`]*\Z)|(~{3,})")


def division(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for `::: {.name}` with its `:::`; one that is never closed is text, and is noted."""
    at = state.bMarks[start] + state.tShift[start]
    if state.src[at : at + 3] != ":::" or state.is_code_block(start):
        return False
    opening = _OPENING.fullmatch(state.src, at, state.eMarks[start])
    if not opening:
        return False
    stop = _ends(state, start, end).get(start)
    if stop is None:
        if not silent:
            state.env.setdefault(UNCLOSED, set()).add(start)
        return False
    if silent:
        return True
    attributes = parse_attributes(opening[1] or f".{opening[2]}")
    token = state.push(OPEN, "div", 1)
    token.attrs = {name: value for name, value in attributes.items() if value}
    token.map, token.block = [start, stop + 1], True
    parent, line_max = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", stop
    state.md.block.tokenize(state, start + 1, stop)
    state.parentType, state.lineMax = parent, line_max
    state.push(CLOSE, "div", -1).block = True
    state.line = stop + 1
    return True


def _ends(state: StateBlock, start: int, end: int) -> dict[int, int]:
    """Where the divisions of one container, from line `start` on, end: line of a `::: {…}` -> line of its `:::`.

    It is looked for once, whatever stands there, so that a thousand openings are no million lines.
    """
    known = state.env.setdefault("divisions", {})
    found: dict[int, int]
    first, last, found = known.get((end, state.blkIndent), (end, start, {}))
    if not first <= start < last:
        found = {}
        last = _pair(state, start, end, found)
        known[end, state.blkIndent] = start, last, found
    return found


def _pair(state: StateBlock, start: int, end: int, found: dict[int, int]) -> int:
    """Fill `found`; return the line where the container ends."""
    open_lines: list[int] = []
    fence = ""
    for line in range(start, end):
        at, stop = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        if at < stop and state.sCount[line] < state.blkIndent:
            return line
        character = state.src[at : at + 1]
        if character in ("`", "~") and (marker := _FENCE.match(state.src[at:stop])):
            if not fence:
                fence = marker[1] or marker[2]
            elif (marker[1] or marker[2]).startswith(fence) and not marker.string[marker.end() :].strip():
                fence = ""
        elif character == ":" and not fence and not state.is_code_block(line):
            if _CLOSING.fullmatch(state.src, at, stop):
                if open_lines:
                    found[open_lines.pop()] = line
            elif _OPENING.fullmatch(state.src, at, stop):
                open_lines.append(line)
    return end


# --- tabs ------------------------------------------------------------------------------------


def settle_tabs(tokens: list[Token]) -> None:
    """Make of the first headings in each tabset the titles of its tabs: they are headings of the page no more."""
    number = 0
    for index, token in enumerate(tokens):
        if token.type == OPEN and TABS in str(token.attrs.get("class", "")).split():
            number += 1
            _settle(tokens, index, number)


def _settle(tokens: list[Token], start: int, number: int) -> None:
    opening = tokens[start]
    level = opening.level + 1
    tag = ""
    count = 0
    for token in tokens[start + 1 :]:
        if token.type == CLOSE and token.level == opening.level:
            if count:
                names = str(opening.attrs["class"]).split()
                opening.attrs["class"] = " ".join(["tabs", *(name for name in names if name != TABS)])
                token.type = "tabs_close"
            return
        if token.level != level or token.type not in ("heading_open", "heading_close"):
            continue
        tag = tag or token.tag
        if token.tag == tag and token.type == "heading_open":
            count += 1
            token.type, token.meta = "tab_open", {"tabs": number, "tab": count}
        elif token.tag == tag:
            token.type = "tab_close"


def _tab_open(renderer: Any, tokens: list[Token], index: int, *_: Any) -> str:
    meta = tokens[index].meta
    # Ids that no heading has: theirs hold no dot.
    name, first = f"tab.{meta['tabs']}", meta["tab"] == 1
    button = f'<input type="radio" class="tab" name="{name}" id="{name}.{meta["tab"]}"{" checked" * first}>'
    before = "" if first else "</div>\n"
    return f'{before}{button}<label class="tab-title" for="{name}.{meta["tab"]}">'


RENDER: Final[dict[str, Any]] = {
    OPEN: lambda _, tokens, index, *__: f"<div{html_attributes(tokens[index].attrs)}>\n",
    CLOSE: lambda *_: "</div>\n",
    "tab_open": _tab_open,
    "tab_close": lambda *_: '</label>\n<div class="tab-panel">\n',
    "tabs_close": lambda *_: "</div>\n</div>\n",
}
