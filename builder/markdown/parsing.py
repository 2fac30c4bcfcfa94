"""A quicker way through markdown-it's own rules: the same tokens, sooner.

markdown-it asks every rule at every line of a text, and at every character that might begin something. Which
characters a rule can begin with is known, so only those are asked that may say yes, in their order.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import accumulate
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock, RuleFuncBlockType
from markdown_it.parser_inline import ParserInline, RuleFuncInlineType
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from builder.markdown.highlight import escape

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
# Those that need a second line, with something on it.
_OF_TWO_LINES: Final = frozenset({"table", "lheading"})
# The same within a text, where every rule but that of plain text is here.
TEXTS: Final = {
    "text": "",
    "newline": "\n",
    "escape": "\\",
    "backticks": "`",
    "strikethrough": "~",
    "emphasis": "*_",
    "link": "[",
    "image": "!",
    "footnote_inline": "^",
    "footnote_ref": "[",
    "autolink": "<",
    "double_angle": "<",
    "html_inline": "<",
    "entity": "&",
    "attributes": "{",
    "math": "$\\",
}
# The label of a link is looked through for its end, too.
_STOPS: Final = re.compile(f"[{re.escape(''.join(sorted({*''.join(TEXTS.values()), ']'})))}]")


class Blocks(ParserBlock):
    """markdown-it's parser of blocks."""

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
        line = startLine
        after_blank = False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= state.md.options.maxNesting:
                state.line = endLine
                break
            is_last = line + 1 >= endLine or state.isEmpty(line + 1)
            character = state.src[state.bMarks[line] + state.tShift[line]]
            if (character, is_last) not in rules:
                rules[character, is_last] = self._rules_at(character, is_last)
            for rule in rules[character, is_last]:
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
    def _rules(self) -> dict[tuple[str, bool], list[RuleFuncBlockType]]:
        return {}

    def _rules_at(self, character: str, is_last: bool) -> list[RuleFuncBlockType]:
        """The rules of blocks that can begin with a character, on a line with another one below or without."""
        return [
            rule.fn
            for rule in self.ruler.__rules__
            if rule.enabled
            and character in BLOCKS.get(rule.name, character)
            and not (is_last and rule.name in _OF_TWO_LINES)
        ]


class _Lines(StateBlock):
    """markdown-it's state of a text, whose lines are measured at once."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> None:
        super().__init__("", md, env, tokens)
        self.src = src
        lines = src.split("\n")
        if not lines[-1].strip(" \t"):  # what stands behind the last line end is no line
            lines.pop()
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        # One more stands at the end, so that rules may look behind the last line.
        self.bMarks = [*starts[:-1], len(src)]
        self.eMarks = [*[start - 1 for start in starts[1:]], len(src)]
        self.tShift = [*[len(line) - len(line.lstrip(" \t")) for line in lines], 0]
        self.sCount = self.tShift.copy()
        if "\t" in src:
            for number, (line, indent) in enumerate(zip(lines, self.tShift, strict=False)):
                self.sCount[number] = len(line[:indent].expandtabs(4))
        self.bsCount = [0] * len(self.bMarks)
        self.lineMax = len(lines)


class Texts(ParserInline):
    """markdown-it's parser of the text of one block."""

    def __init__(self) -> None:
        super().__init__()
        self.terminator_re = _STOPS

    def tokenize(self, state: StateInline) -> None:
        """Put the tokens of the text from `state.pos` on into the state."""
        rules, search, src, end = self._rules, self.terminator_re.search, state.src, state.posMax
        deepest = state.md.options["maxNesting"]
        while state.pos < end:
            start = state.pos
            found = search(src, start, end)
            stop = found.start() if found else end
            if stop > start:
                state.append_pending(src[start:stop])
                state.pos = stop
            if found is None:
                break
            for rule in rules[src[stop]] if state.level < deepest else ():
                if rule(state, False):
                    break
            else:
                state.append_pending(src[stop])
                state.pos = stop + 1
        if state.pending:
            state.pushPending()

    @cached_property
    def _rules(self) -> dict[str, list[RuleFuncInlineType]]:
        """The rules that can begin with each character, when all are known."""
        rules = [rule for rule in self.ruler.__rules__ if rule.enabled]
        characters = {*"".join(TEXTS.values()), "]"}
        return {c: [rule.fn for rule in rules if c in TEXTS[rule.name]] for c in characters}


class Html(RendererHTML):
    """markdown-it's renderer, with a short way for what most of a page is made of."""

    def render(self, tokens: list[Token], options: OptionsDict, env: EnvType) -> str:  # type: ignore[override]
        """The HTML of blocks."""
        html: list[str] = []
        for place, token in enumerate(tokens):
            kind = token.type
            if kind == "inline":
                if token.children:
                    html.append(self.renderInline(token.children, options, env))
            elif kind == "html_block":
                html.append(token.content)
            elif rule := self.rules.get(kind):
                html.append(rule(tokens, place, options, env))
            else:
                html.append(_tag(tokens, place))
        return "".join(html)

    def renderInline(self, tokens: list[Token], options: OptionsDict, env: EnvType) -> str:  # type: ignore[override]
        """The HTML of a text."""
        html: list[str] = []
        for place, token in enumerate(tokens):
            kind = token.type
            if kind == "text":
                html.append(escape(token.content))
            elif rule := self.rules.get(kind):
                html.append(rule(tokens, place, options, env))
            else:
                html.append(_tag(tokens, place))
        return "".join(html)


def _tag(tokens: list[Token], place: int) -> str:
    """A token as its tag, with a line end where CommonMark writes one."""
    token = tokens[place]
    if token.hidden:
        return ""
    attributes = RendererHTML.renderAttrs(token) if token.attrs else ""
    tag = f"</{token.tag}{attributes}>" if token.nesting == -1 else f"<{token.tag}{attributes}>"
    if not token.block:
        return tag
    if token.nesting != -1 and place and tokens[place - 1].hidden:
        tag = f"\n{tag}"
    if token.nesting == 1 and place + 1 < len(tokens):
        below = tokens[place + 1]
        if below.type == "inline" or below.hidden or (below.nesting == -1 and below.tag == token.tag):
            return tag
    return f"{tag}\n"
