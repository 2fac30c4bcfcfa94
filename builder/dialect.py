"""The one Markdown dialect: CommonMark with tables and strikethrough, and three mends that authors need.

* Emphasis closes beside Hangul and other CJK letters (`**분할(divide)**은`), which CommonMark forbids.
* A fence directly below a line of HTML (`<br>`, `<center>`) is a fence, not part of the HTML.
* What is nested deeper than `DEEPEST` levels is shown as plain text and noted; no word is ever lost.

Everything that asks what a post's Markdown means asks here, so that the cells that run, the page, and the
check all see the same fences. Lines are those of markdown-it: `\\r\\n`, `\\n` and `\\r` end one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import MutableMapping, Sequence
from typing import Any, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, blockquote, fence, html_block, list_block
from markdown_it.rules_block.html_block import HTML_SEQUENCES
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

Env: TypeAlias = MutableMapping[str, Any]

# A list takes two levels (the list and its item), a quote one. Python allows 1,000 nested calls and the
# parser makes three for each level: 200 leaves room for whoever calls us.
DEEPEST = 200
# Pictures in the text of pictures: only words for the blind are left of the inner ones.
_DEEPEST_PICTURE = 10

_NEWLINE = re.compile(r"\r\n?")
_CJK = re.compile(
    "[\u1100-\u11ff\u3000-\u30ff\u3130-\u318f\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
).match
_VERBATIM = re.compile(r"<!--|-->|<(/?)(pre|script|style|textarea)\b", re.IGNORECASE)


# --- what others call -------------------------------------------------------------------------


def parse(body: str, env: Env | None = None) -> list[Token]:
    """All tokens of `body`, inline ones too. `env` receives the references and what was `too_deep`."""
    env = {} if env is None else env
    tokens = block_tokens(body, env)
    md = _parser()
    for token in tokens:
        if token.type == "inline":
            token.children = []
            md.inline.parse(token.content, md, env, token.children)
    return tokens


def block_tokens(body: str, env: Env | None = None) -> list[Token]:
    """The block structure of `body` alone: the same fences as `parse` finds, at a third of its price."""
    tokens: list[Token] = []
    md = _parser()
    source = _NEWLINE.sub("\n", body).replace("\0", "\ufffd")
    md.block.parse(source, md, {} if env is None else env, tokens)
    return tokens


def to_html(tokens: Sequence[Token]) -> str:
    """The HTML of block tokens, as CommonMark writes it."""
    md = _parser()
    return str(md.renderer.render(tokens, md.options, {}))


def inline_to_html(tokens: Sequence[Token]) -> str:
    """The HTML of the children of an `inline` token."""
    return to_html([Token("inline", "", 0, children=list(tokens))])


def too_deep(env: Env) -> tuple[int, ...]:
    """The lines (from 0) where lists or quotes of the parse that filled `env` were nested too deep."""
    return tuple(sorted(env.get("too_deep", ())))


def body_of(text: str, line: int) -> str:
    """The Markdown of a file from `line` (from 1) on, with `\\n` line ends and without a BOM."""
    rest = _NEWLINE.sub("\n", text.removeprefix("\ufeff")).split("\n", line - 1)
    return rest[line - 1] if line <= len(rest) else ""


# --- the parser -------------------------------------------------------------------------------


@functools.cache
def _parser() -> MarkdownIt:
    """Built once: it costs as much as a page."""
    # One list or quote at the deepest allowed level still opens, hence `+ 2`: markdown-it's own limit,
    # which drops text without a word, is never reached.
    options = {
        "maxNesting": DEEPEST + 2,
        "html": True,
        "linkify": False,
        "typographer": False,
        "xhtmlOut": False,
    }
    md = MarkdownIt("commonmark", options)
    md.inline = _Inline()
    md.configure("commonmark", options)  # again, for the inline rules of the new `md.inline`
    md.enable(["table", "strikethrough"])
    rules = md.block.ruler
    ends = ["paragraph", "reference", "blockquote"]  # as markdown-it registers them
    rules.at("html_block", _html_block, {"alt": ends})
    rules.at("blockquote", _limited(blockquote), {"alt": [*ends, "list"]})
    rules.at("list", _limited(list_block), {"alt": ends})
    return md


class _State(StateInline):
    """markdown-it's state of one paragraph, with emphasis that knows Hangul."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """May the run of markers at `start` open or close? CommonMark's answer, and more beside CJK letters.

        CommonMark asks for a space or punctuation after `)**`; Korean puts the particle there. A right
        that CommonMark gives is never taken away, and `_` is left alone (`__init__`은).
        """
        run = super().scanDelims(start, canSplitWord)
        if self.src[start] == "_" or (run.can_open and run.can_close):
            return run
        end = start + run.length
        before = self.src[start - 1 : start]
        after = self.src[end : end + 1] if end < self.posMax else ""
        if not before or before.isspace() or not after or after.isspace():
            return run
        return Scanned(
            run.can_open or _CJK(before) is not None, run.can_close or _CJK(after) is not None, run.length
        )


class _Inline(ParserInline):
    """markdown-it's inline parser over our state; only our parser has it, nothing is patched."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Fill `tokens`. Called again by the parser for the text of each picture, so depth is bounded."""
        depth = env.get("picture_depth", 0)
        if depth > _DEEPEST_PICTURE or (src and not self.terminator_re.search(src)):  # nothing but words
            tokens.append(Token("text", "", 0, content=src))
            return tokens
        env["picture_depth"] = depth + 1
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        env["picture_depth"] = depth
        for token in tokens:
            if token.type == "text_special":  # an escaped character or an entity
                token.type = "text"
        return tokens


def _limited(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """`rule`, which opens a container, up to `DEEPEST` levels; below, its lines are text and are noted."""

    def limited(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if state.level < DEEPEST:
            return rule(state, start, end, silent)
        if rule(state, start, end, True):
            state.env.setdefault("too_deep", set()).add(start)
        return False

    return limited


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """CommonMark's HTML block, but one that a blank line ends also ends before a closed fence."""
    return html_block(state, start, end if silent else _fence_below(state, start, end), silent)


def _fence_below(state: StateBlock, start: int, end: int) -> int:
    """The line of the fence that ends an HTML block at `start`; `end` if there is none.

    A block that begins as `<pre>`, `<script>`, a comment and the like has its own end, and a fence inside
    such an element is its text. A fence that is never closed would take all that follows: it stays HTML.
    """
    first = _line(state, start)
    if not first.startswith("<") or any(opening.search(first) for opening, _, _ in HTML_SEQUENCES[:5]):
        return end
    element = _open_verbatim(first, "")
    for line in range(start + 1, end):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            break
        if not element and fence(state, line, end, True):
            return line if _is_closed(state, line, end) else end
        element = _open_verbatim(_line(state, line), element)
    return end


def _line(state: StateBlock, line: int) -> str:
    """Line `line` without its container's prefix, its indentation and its end."""
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _open_verbatim(text: str, element: str) -> str:
    """The element whose content is not HTML ("pre", "<!--") that is open behind `text`, "" for none.

    `element` is the one that is open before `text`.
    """
    for match in _VERBATIM.finditer(text):
        name = (match[2] or match[0]).lower()
        if not element and name != "-->" and not match[1]:
            element = name
        elif (match[1] and name == element) or (name == "-->" and element == "<!--"):
            element = ""
    return element


def _is_closed(state: StateBlock, line: int, end: int) -> bool:
    """Does the fence that opens at `line` close before its container's `end`?"""
    fence(state, line, end, False)
    token = state.tokens.pop()
    last = _line(state, state.line - 1).rstrip()
    return state.line - line > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])
