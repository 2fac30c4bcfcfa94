"""Mathematics, kept from all other rules: `$$…$$`, `$…$`, `\\\\(…\\\\)`, `\\\\[…\\\\]` and `\\begin{align}`.

A dollar opens before what is no space and closes behind what is none, not before a digit: `$5 to $10` is money.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from builder.highlight import escape

INLINE, BLOCK = "math_inline", "math_block"  # types of tokens, whose content is TeX

_DOUBLE = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_SINGLE = re.compile(r"\$(?![\s$])((?:\\.|[^$\\\n]|\n(?!\s*\n))+?)(?<!\s)\$(?!\d)")
_ROUND = re.compile(r"\\\\\((.+?)\\\\\)", re.DOTALL)
_SQUARE = re.compile(r"\\\\\[(.+?)\\\\\]", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\begin\{((?:align|equation|gather|multline|eqnarray|alignat)\*?)\}")


def add_math(md: MarkdownIt) -> None:
    """Let `md` know mathematics."""
    md.block.ruler.before("fence", "math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.inline.ruler.before("escape", "math", _inline)


def math_html(tex: str, *, display: bool) -> str:
    """The HTML of one formula: its TeX between the marks that every script for mathematics knows."""
    if display:
        return f'<div class="math">\\[{escape(tex)}\\]</div>'
    return f'<span class="math">\\({escape(tex)}\\)</span>'


def in_html(html: str) -> str:
    """Raw HTML with the formulas between its tags marked, so that no `<` in them is taken for a tag."""
    return _DOUBLE.sub(lambda found: f'<span class="math">\\[{escape(found[1].strip())}\\]</span>', html)


def _inline(state: StateInline, silent: bool) -> bool:
    start = state.pos
    character = state.src[start]
    if character == "$":
        match = _DOUBLE.match(state.src, start, state.posMax) or _SINGLE.match(state.src, start, state.posMax)
    elif character == "\\":
        match = _ROUND.match(state.src, start, state.posMax) or _SQUARE.match(state.src, start, state.posMax)
    else:
        return False
    if not match:
        return False
    if not silent:
        token = state.push(INLINE, "math", 0)
        token.content, token.markup = match[1].strip(), match[0][:2].rstrip(match[1][:1])
    state.pos = match.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` … `$$` with nothing else on their lines, or an environment that is a formula by itself."""
    at = state.bMarks[start] + state.tShift[start]
    if state.src[at : at + 1] not in ("$", "\\") or state.is_code_block(start):
        return False
    first = state.src[at : state.eMarks[start]]
    if first.startswith("$$"):
        closing, tail = "$$", first[2:].rstrip()
        if tail.endswith("$$") and len(tail) > 2:
            if "$$" in tail[:-2] or (silent and state.parentType == "paragraph"):
                return False
            return silent or _push(state, start, start + 1, tail[:-2])
        # A formula that goes on in the text of its line is no block.
        if "$$" in tail or (silent and tail):
            return False
    elif environment := _ENVIRONMENT.match(first):
        closing = f"\\end{{{environment[1]}}}"
        if closing in first:
            return silent or _push(state, start, start + 1, first.rstrip())
    else:
        return False
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            return False
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
        if closing in text:
            if not text.endswith(closing) or text.count(closing) > 1:
                return False
            if silent:
                return True
            lines = state.getLines(start, line + 1, state.blkIndent, False).strip()
            return _push(state, start, line + 1, lines[2:-2] if closing == "$$" else lines)
    return False


def _push(state: StateBlock, start: int, stop: int, tex: str) -> bool:
    state.line = stop
    token = state.push(BLOCK, "math", 0)
    token.content, token.map, token.block = tex.strip(), [start, stop], True
    return True
