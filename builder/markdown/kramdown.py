"""What Markdown of Jekyll's means otherwise: the rules of kramdown's GFM dialect that real posts rely on.

* An element of HTML goes on to its end tag, over blank lines, and ends there; `<br>` and the like are text.
* `markdown="1"` lets Markdown into an element; a fence within an element is a fence in any case.
* Emphasis opens before and closes behind whatever is no space; the text of a link's address may hold spaces.
* A list begins right after text, whatever its number; `1)` is text; a heading begins its line, and one with
  a line below it is one line of text.
* A fence that is never closed is text, and a `|` in code does not end a cell of a table.
* `--`, `---`, `...` and straight quotes are set as typography.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Final

from markdown_it import MarkdownIt, helpers
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, fence, heading, lheading
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from builder.markdown.math import in_html


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements of text: a line that begins with one is a paragraph.
_SPAN: Final = _words(
    "a abbr acronym b big bdo br button cite code del dfn em i img input ins kbd label mark "
    "option q rb rbc rp rt rtc ruby samp select small span strong sub sup tt u var"
)
_EMPTY: Final = _words("area base br col command embed hr img input keygen link meta param source track wbr")
_OWN_END: Final = frozenset({"script", "style", "pre", "textarea", "math"})
_SPAN_MODEL: Final = _words("p h1 h2 h3 h4 h5 h6 dt legend caption cite summary th button")

_OPENING = re.compile(
    r"""<([A-Za-z][\w:-]*)((?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*)\s*(/?)>"""
)
_MARKDOWN = re.compile(r"""\s+markdown\s*=\s*["']?(1|block|span|0)["']?""")
_FENCE = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
_SPANS = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)|\$\$[^$\n]+\$\$|\$(?! )[^$\n]*[^$\s]\$(?!\d)")
_BAR = "\ue00f"  # stands for a `|` for a while
_LIST_START = re.compile(r"(?:[+*-]|\d+\.)(?:[ \t]|$)")
_LONGEST_TAG = 20_000


def html_block(stock: RuleFuncBlockType) -> RuleFuncBlockType:
    """The rule for blocks of HTML; `stock` takes comments, stray end tags, and what is never closed."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        at = state.bMarks[start] + state.tShift[start]
        if state.src[at : at + 1] != "<" or state.is_code_block(start):
            return False
        if state.src[at + 1 : at + 2] in ("!", "?"):
            return stock(state, start, end, silent)
        name = re.match(r"</?([A-Za-z][\w:-]*)", state.src[at : at + 50])
        if not name or name[1].lower() in _SPAN:
            return False
        opening = _OPENING.match(state.src, at, min(at + _LONGEST_TAG, state.eMarks[end - 1]))
        if not opening or name[1].lower() in _OWN_END:
            return stock(state, start, end, silent)
        if silent:
            return True
        stop = _element_end(state, opening, end)
        if stop is None:
            return stock(state, start, end, silent)
        last = _line_of(state, stop, start, end)
        markdown = _MARKDOWN.search(opening[2])
        if markdown and markdown[1] != "0":
            return _with_markdown(state, start, last, opening, stop, markdown[1])
        if _holds_fence(state, start, last):
            return stock(state, start, end, silent)
        state.line = last + 1
        token = state.push("html_block", "", 0)
        token.map = [start, last + 1]
        lines = state.getLines(start, last + 1, state.blkIndent, True)
        token.content = in_html(lines) if "$$" in lines else lines
        return True

    return rule


def _element_end(state: StateBlock, opening: re.Match[str], end: int) -> int | None:
    """The offset behind the element that `opening` opens, and behind elements that follow on its last line."""
    limit = state.eMarks[end - 1]
    stop = _closing(state.src, opening, limit)
    while stop is not None:
        rest = re.compile(r"[ \t]*(?=<[A-Za-z])").match(state.src, stop, limit)
        following = _OPENING.match(state.src, rest.end(), limit) if rest else None
        if not following or following[1].lower() in _SPAN:
            return stop
        further = _closing(state.src, following, limit)
        if further is None:
            return stop
        stop = further
    return None


def _closing(source: str, opening: re.Match[str], limit: int) -> int | None:
    name = opening[1].lower()
    if opening[3] or name in _EMPTY:
        return opening.end()
    depth = 1
    for tag in re.compile(
        rf"<!--.*?-->|<(/?){re.escape(name)}(?=[\s/>])[^>]*>", re.IGNORECASE | re.DOTALL
    ).finditer(source, opening.end(), limit):
        if tag[1] is None or tag[0].endswith("/>"):
            continue
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return None


def _line_of(state: StateBlock, offset: int, start: int, end: int) -> int:
    """The line that the character before `offset` stands in."""
    for line in range(start, end):
        if offset <= state.eMarks[line]:
            return line
    return end - 1


def _holds_fence(state: StateBlock, start: int, last: int) -> bool:
    return any(
        not state.isEmpty(line) and state.sCount[line] >= state.blkIndent and fence(state, line, last, True)
        for line in range(start + 1, last)
    )


def _with_markdown(
    state: StateBlock, start: int, last: int, opening: re.Match[str], stop: int, model: str
) -> bool:
    """An element with Markdown in it: its tags as HTML, between them blocks or the text of one line."""
    source = state.src
    tag = f"<{opening[1]}{_MARKDOWN.sub('', opening[2])}>"
    closing = source.rindex("<", opening.end(), stop)
    first_inner = _line_of(state, opening.end(), start, last + 1) + 1
    alone = not source[opening.end() : state.eMarks[first_inner - 1]].strip()
    closes_alone = not source[state.bMarks[last] + state.tShift[last] : closing].strip()
    state.line = last + 1
    if alone and closes_alone and model != "span" and opening[1].lower() not in _SPAN_MODEL:
        _push_html(state, f"{tag}\n", start)
        line_max = state.lineMax
        state.lineMax = last
        state.md.block.tokenize(state, first_inner, last)
        state.lineMax = line_max
        state.line = last + 1
        _push_html(state, f"{source[closing:stop]}\n", last)
        return True
    _push_html(state, tag, start)
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = (
        source[opening.end() : closing].strip(),
        [start, last + 1],
        [],
    )
    _push_html(state, f"{source[closing:stop]}\n", last)
    return True


def _push_html(state: StateBlock, html: str, line: int) -> None:
    token = state.push("html_block", "", 0)
    token.content, token.map = html, [line, line + 1]


# --- fences and tables -----------------------------------------------------------------------


def closed_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A fence that is never closed is text."""
    at = state.bMarks[start] + state.tShift[start]
    opening = _FENCE.match(state.src[at : state.eMarks[start]])
    if not opening or state.is_code_block(start):
        return False
    marker = opening[0]
    for line in range(start + 1, end):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if text and state.sCount[line] < min(state.blkIndent, state.sCount[start]):
            return False
        if text.startswith(marker) and not text.strip(marker[0]) and not state.is_code_block(line):
            return fence(state, start, end, silent)
    if not silent:
        state.env.setdefault("unclosed", set()).add(start)
    return False


def table(stock: RuleFuncBlockType) -> RuleFuncBlockType:
    """A `|` in code or in mathematics does not end a cell."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        last = start
        while last < end and not state.isEmpty(last):
            last += 1
        first, stop = state.bMarks[start], state.eMarks[max(last - 1, start)]
        source = state.src
        text = source[first:stop]
        if silent or "|" not in text or not ("`" in text or "$" in text):
            return stock(state, start, end, silent)
        masked = _SPANS.sub(lambda span: span[0].replace("|", _BAR), text)
        count = len(state.tokens)
        state.src = source[:first] + masked + source[stop:]
        found = stock(state, start, end, silent)
        state.src = source
        for token in state.tokens[count:]:
            token.content = token.content.replace(_BAR, "|")
        return found

    return rule


# --- lists and headings ----------------------------------------------------------------------


def list_block(stock: RuleFuncBlockType) -> RuleFuncBlockType:
    """A list may begin right after text, with any number; `1)` begins none."""

    def rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        at = state.bMarks[start] + state.tShift[start]
        if not _LIST_START.match(state.src, at, state.eMarks[start]):
            return False
        if silent and state.parentType == "paragraph":
            return not state.is_code_block(start) and bool(
                state.src[at + 1 : state.eMarks[start]].strip(" .\t")
            )
        return stock(state, start, end, silent)

    return rule


def atx_heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`# text` begins its line, and has a text."""
    if state.sCount[start] > state.blkIndent or not state.src[
        state.bMarks[start] : state.eMarks[start]
    ].strip("# \t"):
        return False
    return heading(state, start, end, silent)


def setext_heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A heading that is underlined is one line of text."""
    if start + 1 >= end or state.isEmpty(start + 1):
        return False
    return lheading(state, start, min(end, start + 2), silent)


# --- links -----------------------------------------------------------------------------------


def let_links_hold_spaces(md: MarkdownIt) -> None:
    """`![](a b.png)`: only a quote behind a space begins a title."""

    def parse_destination(text: str, start: int, maximum: int) -> object:
        result = helpers.parseLinkDestination(text, start, maximum)
        at = result.pos if result.ok else start
        if text[start : start + 1] == "<" or text[at : at + 1] != " ":
            return result
        level = 0
        for stop in range(start, min(maximum, start + 2_000)):
            character = text[stop]
            if character == "\n":
                return result
            if character == " " and text[stop + 1 : stop + 2] in ('"', "'"):
                result.pos, result.str, result.ok = stop, text[start:stop].strip(), stop > start
                return result
            level += (character == "(") - (character == ")")
            if level < 0:
                result.pos, result.str, result.ok = stop, text[start:stop].strip(), stop > start
                return result
        return result

    md.helpers = SimpleNamespace(  # type: ignore[assignment]
        parseLinkDestination=parse_destination,
        parseLinkLabel=helpers.parseLinkLabel,
        parseLinkTitle=helpers.parseLinkTitle,
    )


# --- typography ------------------------------------------------------------------------------


_SYMBOLS: Final = {"---": "—", "--": "–", "...": "…", "<<": "«", ">>": "»"}
_TYPED = re.compile(r"---|--|\.\.\.|<<|>>|[\"']")
_OPENS_AFTER: Final = " \t\n([{<-–—«‘“"


def double_angle(state: StateInline, silent: bool) -> bool:
    """`<<` is a quotation mark, and its second half begins no tag."""
    if not state.src.startswith("<<", state.pos) or state.pos + 2 > state.posMax:
        return False
    if not silent:
        state.pending += "<<"
    state.pos += 2
    return True


def set_typography(children: Sequence[Token]) -> None:
    """Set dashes, dots and quotes in the text tokens of one paragraph."""
    before = ""
    for number, token in enumerate(children):
        if token.type == "text" and _TYPED.search(token.content):
            following = next((t.content[:1] for t in children[number + 1 :] if t.content), "")
            token.content = _typeset(token.content, before, following)
        if token.content:
            before = token.content[-1]
        elif token.type in ("softbreak", "hardbreak"):
            before = "\n"


def _typeset(text: str, before: str, following: str) -> str:
    def symbol(match: re.Match[str]) -> str:
        written = match[0]
        if written in _SYMBOLS:
            return _SYMBOLS[written]
        left = text[match.start() - 1] if match.start() else before
        right = text[match.end() : match.end() + 1] or following
        opens = (not left or left in _OPENS_AFTER) and bool(right) and not right.isspace()
        if written == '"':
            return "“" if opens else "”"
        return "‘" if opens else "’"

    return _TYPED.sub(symbol, text)
