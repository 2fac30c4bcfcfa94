"""A quicker way through markdown-it's own rules of blocks: the same tokens, sooner.

markdown-it asks every rule at every line of a text. Which characters a rule can begin with is known, so only
those are asked that may say yes, in their order. What most texts are made of (paragraphs of one line, plain
fences, lists and tables) has a short way here; all else goes markdown-it's own.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal

from markdown_it import MarkdownIt, rules_block
from markdown_it.common.utils import mdTrim
from markdown_it.parser_block import ParserBlock, RuleFuncBlockType
from markdown_it.ruler import Rule, Ruler
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from markdown_it.utils import EnvType

from builder.markdown.tokens import new_token

# The characters that a block of a kind can begin with; one that is not here may begin with any.
BLOCKS: Final = {
    "fence": "`~",
    "blockquote": ">",
    "hr": "*-_",
    "list": "*+-0123456789",
    "reference": "[",
    "html_block": "<",
    "heading": "#",
    "abbreviation": "*",
    "division": ":",
    "attributes": "{",
    "math": "$\\",
    "footnote_def": "[",
}
# Those that need a second line, with something on it; and those that begin with four spaces.
_OF_TWO_LINES: Final = frozenset({"table", "lheading"})
_INDENTED: Final = frozenset({"code"})
# What is plain begins its lines, and is in no list or quote. A fence of three backticks:
_FENCE: Final = re.compile(r"(```)([^`\n]*)\n")
_CLOSING: Final = re.compile(r"\n {0,3}```+[ \t]*(?=\n|\Z)")
_HEADING: Final = re.compile(r"(#{1,6})[ \t]+([^\n#]*)(?=\n|\Z)")
# A list whose items are lines, with a blank one below; none of them can begin another block.
_WORDS: Final = r"(?:[^\W\d_]|\d+(?![\d.)])|`(?!``)|\*\*(?=[^\W_])|\[(?!\^)[^\[\]\\\n]+\](?!:))[^\n]*"
_ITEM: Final = re.compile(rf"([*+-]|(\d{{1,9}})[.)]) {{1,4}}({_WORDS})(?:\n|\Z)")
# A table without a `\\`, each of whose lines has a `|` at either end.
_TABLE: Final = re.compile(
    r"\|[^\n\\]*\|[ \t]*\n\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?:\n\|[^\n\\]*\|[ \t]*)*(?:\n|\Z)"
)
_MOST_CELLS: Final = 10_000  # markdown-it has a limit for empty ones
_STYLES: Final = {  # by colons at the beginning and at the end
    (False, False): "",
    (True, False): "text-align:left",
    (False, True): "text-align:right",
    (True, True): "text-align:center",
}


class Blocks(ParserBlock):
    """markdown-it's parser of blocks."""

    def __init__(self) -> None:
        super().__init__()
        rules = self.ruler.__rules__
        self.ruler = _BlockRules()
        self.ruler.__rules__ = rules
        ends = ["paragraph", "reference", "blockquote"]
        self.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
        self.ruler.at("fence", _fence, {"alt": [*ends, "list"]})
        self.ruler.at("list", list_block, {"alt": ends})
        self.ruler.at("heading", _heading, {"alt": ends})
        self.ruler.at("paragraph", _paragraph)

    def parse(self, src: str, md: MarkdownIt, env: EnvType, outTokens: list[Token]) -> list[Token] | None:
        """Put the blocks of a text into `outTokens`."""
        if not src:
            return None
        state = _Lines(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        return state.tokens

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        """The blocks of some lines: markdown-it's own loop over `_rules`."""
        rules = self._rules
        deepest = state.md.options.maxNesting
        line = startLine
        after_blank = False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= deepest:
                state.line = endLine
                break
            is_last = line + 1 >= endLine or state.isEmpty(line + 1)
            is_indented = state.sCount[line] - state.blkIndent >= 4
            kind = state.src[state.bMarks[line] + state.tShift[line]], is_last, is_indented
            known = rules.get(kind)
            if known is None:
                known = rules[kind] = self._rules_at(*kind)
            for rule in known:
                if rule(state, line, endLine, False):
                    break
            state.tight = not after_blank
            line = state.line
            if line - 1 < endLine and state.isEmpty(line - 1):
                after_blank = True
            if line < endLine and state.isEmpty(line):
                after_blank = True
                line += 1
                state.line = line

    @cached_property
    def _rules(self) -> dict[tuple[str, bool, bool], list[RuleFuncBlockType]]:
        return {}

    def _rules_at(self, character: str, is_last: bool, is_indented: bool) -> list[RuleFuncBlockType]:
        """The rules of blocks that can begin with a character, by what is below the line and before it."""
        left_out = {*(_OF_TWO_LINES if is_last else ()), *(() if is_indented else _INDENTED)}
        return _beginning_with(
            character, (rule for rule in self.ruler.__rules__ if rule.name not in left_out)
        )


def _beginning_with(character: str, rules: Iterable[Rule[RuleFuncBlockType]]) -> list[RuleFuncBlockType]:
    return [rule.fn for rule in rules if rule.enabled and character in BLOCKS.get(rule.name, character)]


class _BlockRules(Ruler[RuleFuncBlockType]):
    """markdown-it's list of rules; those that may end another block are asked through one that knows which."""

    def getRules(self, chainName: str = "") -> list[RuleFuncBlockType]:
        """All rules, or those that may end a block of a kind, when all are known."""
        if not chainName:
            return super().getRules()
        if chainName not in self._ends:
            self._ends[chainName] = [_end([rule for rule in self.__rules__ if chainName in rule.alt])]
        return self._ends[chainName]

    @cached_property
    def _ends(self) -> dict[str, list[RuleFuncBlockType]]:
        return {}


def _end(rules: list[Rule[RuleFuncBlockType]]) -> RuleFuncBlockType:
    """What asks those of some rules that can begin with the first character of a line."""
    known: dict[str, list[RuleFuncBlockType]] = {}

    def end(state: StateBlock, start: int, stop: int, silent: bool) -> bool:
        at = state.bMarks[start] + state.tShift[start]
        character = state.src[at : at + 1]
        if character not in known:
            known[character] = _beginning_with(character, rules)
        for rule in known[character]:  # noqa: SIM110 (a generator costs more than most rules)
            if rule(state, start, stop, silent):
                return True
        return False

    return end


def _is_plain(state: StateBlock, start: int) -> bool:
    """Does a line begin with what stands on it, and stand in no list and no quote?"""
    return not (state.level or state.blkIndent or state.sCount[start])


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for one line."""
    below = start + 1
    if below < state.lineMax and not state.isEmpty(below):
        return rules_block.paragraph(state, start, end, silent)
    text = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    _push_text(state, "paragraph", "p", "", start, text)
    return True


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for one without a `#` in its text."""
    found = None if silent or state.sCount[start] else _HEADING.match(state.src, state.bMarks[start])
    if found is None:
        return rules_block.heading(state, start, end, silent)
    _push_text(state, "heading", f"h{len(found[1])}", found[1], start, found[2])
    return True


def _push_text(state: StateBlock, kind: str, tag: str, markup: str, line: int, text: str) -> None:
    """A block that is one line of text."""
    state.line = line + 1
    level = state.level
    opening = new_token(f"{kind}_open", tag, 1, level, block=True)
    inline = new_token("inline", "", 0, level + 1, mdTrim(text), block=True)
    closing = new_token(f"{kind}_close", tag, -1, level, block=True)
    opening.markup = closing.markup = markup
    opening.map, inline.map, inline.children = [line, line + 1], [line, line + 1], []
    state.tokens += opening, inline, closing


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for a plain one."""
    opening = None if silent or not _is_plain(state, start) else _FENCE.match(state.src, state.bMarks[start])
    closing = _CLOSING.search(state.src, opening.end() - 1) if opening else None
    last = bisect_left(state.bMarks, closing.start() + 1, start) if closing else end
    if opening is None or closing is None or last >= end:
        return rules_block.fence(state, start, end, silent)
    token = state.push("fence", "code", 0)
    token.markup, token.info = opening[1], opening[2]
    token.content = state.src[opening.end() : closing.start() + 1]
    token.map = [start, last + 1]
    state.line = last + 1
    return True


def list_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for a plain list of lines of text."""
    items = [] if silent or not _is_plain(state, start) else _items(state, start, end)
    if not items:
        return rules_block.list_block(state, start, end, silent)
    marker, number, _ = items[0].groups()
    kind, tag = ("ordered_list", "ol") if number else ("bullet_list", "ul")
    markup = marker[-1]
    stop = state.skipEmptyLines(start + len(items))
    whole = state.push(f"{kind}_open", tag, 1)
    whole.map, whole.markup = [start, stop], markup
    if number and int(number) != 1:
        whole.attrs = {"start": int(number)}
    for line, item in enumerate(items, start):
        opening = state.push("list_item_open", "li", 1)
        opening.map, opening.markup, opening.info = [line, line + 1], markup, item[2] or ""
        _push_text(state, "paragraph", "p", "", line, item[3])
        state.tokens[-3].hidden = state.tokens[-1].hidden = True
        state.push("list_item_close", "li", -1).markup = markup
    opening.map = [line, stop]
    state.push(f"{kind}_close", tag, -1).markup = markup
    state.line = stop
    return True


def _items(state: StateBlock, start: int, end: int) -> list[re.Match[str]]:
    """The items of a plain list of lines of text, with a blank line below; none if it is another."""
    found: list[re.Match[str]] = []
    at = state.bMarks[start]
    while (item := _ITEM.match(state.src, at)) and (not found or item[1][-1] == found[0][1][-1]):
        found.append(item)
        at = item.end()
    stop = start + len(found)
    if not found or stop > end or (stop < end and not state.isEmpty(stop)):
        return []
    # What stands below the blank line may be of the last item, or be one itself.
    below = state.skipEmptyLines(stop)
    if below < end and (state.sCount[below] or state.src[state.bMarks[below]] in "*+-:~0123456789"):
        return []
    return found


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for a plain table that is drawn in full."""
    rows = [] if silent or not _is_plain(state, start) else _rows(state, start, end)
    if not rows:
        return rules_block.table(state, start, end, silent)
    head, line, *body = rows
    styles = [_STYLES[cell[0] == ":", cell[-1] == ":"] for cell in map(str.strip, line)]
    stop = state.line = start + len(rows)
    state.push("table_open", "table", 1).map = [start, stop]
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _push_row(state, start, "th", head, styles)
    state.push("thead_close", "thead", -1)
    if body:
        state.push("tbody_open", "tbody", 1).map = [start + 2, stop]
        for number, cells in enumerate(body, start + 2):
            _push_row(state, number, "td", cells, styles)
        state.push("tbody_close", "tbody", -1)
    state.push("table_close", "table", -1)
    return True


def _rows(state: StateBlock, start: int, end: int) -> list[list[str]]:
    """The cells of a table whose rows stand between `|`, with a blank line below; none if it is another.

    Nothing that could end a table begins so.
    """
    found = _TABLE.match(state.src, state.bMarks[start], state.eMarks[end - 1])
    lines = found[0].rstrip("\n").split("\n") if found else []
    stop = start + len(lines)
    if stop < end and not state.isEmpty(stop):
        return []
    rows = [line.rstrip(" \t")[1:-1].split("|") for line in lines]
    return rows if rows and len(rows) * len(rows[0]) < _MOST_CELLS and len(rows[0]) == len(rows[1]) else []


def _push_row(state: StateBlock, line: int, tag: str, cells: list[str], styles: list[str]) -> None:
    """One row of a table, with so many cells as the table has columns."""
    state.push("tr_open", "tr", 1).map = [line, line + 1]
    level, before, behind = state.level, f"{tag}_open", f"{tag}_close"
    for style, cell in zip(styles, cells + [""] * (len(styles) - len(cells)), strict=False):
        opening = new_token(before, tag, 1, level, block=True)
        if style:
            opening.attrs["style"] = style
        inline = new_token("inline", "", 0, level + 1, mdTrim(cell), block=True)
        inline.map, inline.children = [line, line + 1], []
        state.tokens += opening, inline, new_token(behind, tag, -1, level, block=True)
    state.push("tr_close", "tr", -1)


class _Lines(StateBlock):
    """markdown-it's state of a text, whose lines are measured at once."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> None:
        super().__init__("", md, env, tokens)
        self.src = src
        lines = src.split("\n")
        if not lines[-1].strip(" \t"):  # what stands behind the last line end is no line
            lines.pop()
        starts = [0, *accumulate([length + 1 for length in map(len, lines)])]
        # One more stands at the end, so that rules may look behind the last line.
        self.bMarks = [*starts[:-1], len(src)]
        self._starts = self.bMarks.copy()
        self.eMarks = [*[start - 1 for start in starts[1:]], len(src)]
        # Most lines begin with what is no space.
        self.tShift = [0 if line[:1] > " " else len(line) - len(line.lstrip(" \t")) for line in lines]
        self.tShift.append(0)
        self.sCount = self.tShift.copy()
        if "\t" in src:
            for number, (line, indent) in enumerate(zip(lines, self.tShift, strict=False)):
                self.sCount[number] = len(line[:indent].expandtabs(4))
        self.bsCount = [0] * len(self.bMarks)
        self.lineMax = len(lines)

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Put a new token behind the others."""
        if nesting < 0:
            self.level -= 1
        token = new_token(ttype, tag, nesting, self.level, block=True)
        if nesting > 0:
            self.level += 1
        self.tokens.append(token)
        return token

    def getLines(self, begin: int, end: int, indent: int, keepLastLF: bool) -> str:
        """Some lines, less so much of their indentation."""
        if indent or begin >= end or self.bMarks[begin:end] != self._starts[begin:end]:  # in a quote
            return super().getLines(begin, end, indent, keepLastLF)
        return self.src[self.bMarks[begin] : self.eMarks[end - 1] + keepLastLF]
