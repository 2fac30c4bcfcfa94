"""A quicker way through markdown-it's own rules: the same tokens, sooner.

markdown-it asks every rule at every line of a text, and at every character that might begin something. Which
characters a rule can begin with is known, so only those are asked that may say yes, in their order. What most
texts are made of (paragraphs of one line, simple spans of code, plain addresses) has a short way here; all
else goes markdown-it's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace, mdTrim
from markdown_it.parser_block import ParserBlock, RuleFuncBlockType
from markdown_it.parser_inline import ParserInline, RuleFuncInlineType
from markdown_it.renderer import RendererHTML
from markdown_it.ruler import Rule, Ruler
from markdown_it.rules_block import StateBlock, paragraph
from markdown_it.rules_inline import StateInline, backtick, emphasis, link, strikethrough
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from builder.markdown.attributes import html_attributes
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
_CHARACTERS: Final = re.escape("".join(sorted({*"".join(TEXTS.values()), "]"})))
_STOPS: Final = re.compile(f"[{_CHARACTERS}]")
# Texts without these have no emphasis, and nothing that is to be paired when all tokens are known.
_PAIRED: Final = re.compile("[*_~]")
_CODE: Final = re.compile("`([^`]+)`(?!`)")
_EMPHASIS: Final = re.compile(rf"(\*\*?(?!\*)|__?(?!_))([^{_CHARACTERS}]+)\1(?![*_])")
_WORDS_AND_CODE: Final = re.compile(f"(?:[^{_CHARACTERS}]++|{_CODE.pattern})*+")
# An address that is written as it is: of a place on this site, or of a host in ASCII.
_ADDRESS: Final = r"(?a:(?:https?://[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}(?=[/?#)]|\Z)|(?!//))[\w/.~?#=&+,-]*)"
_PLAIN_ADDRESS: Final = re.compile(_ADDRESS)
_LINK: Final = re.compile(rf"\[([^{_CHARACTERS}]+)\]\((?!\))({_ADDRESS})\)")


class Markdown(MarkdownIt):
    """markdown-it, with a short way for plain addresses."""

    def normalizeLink(self, url: str) -> str:
        """An address as it is written in HTML."""
        return url if _PLAIN_ADDRESS.fullmatch(url) else super().normalizeLink(url)


def new_token(
    kind: str, tag: str, nesting: Literal[-1, 0, 1], level: int, content: str = "", *, block: bool = False
) -> Token:
    """A token, at half the price of its own constructor."""
    token = Token.__new__(Token)
    token.type = kind
    token.tag = tag
    token.nesting = nesting
    token.attrs = {}
    token.map = None
    token.level = level
    token.children = None
    token.content = content
    token.markup = ""
    token.info = ""
    token.meta = {}
    token.block = block
    token.hidden = False
    return token


# --- blocks -----------------------------------------------------------------------------------


class Blocks(ParserBlock):
    """markdown-it's parser of blocks."""

    def __init__(self) -> None:
        super().__init__()
        rules = self.ruler.__rules__
        self.ruler = _BlockRules()
        self.ruler.__rules__ = rules
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
            character = state.src[state.bMarks[line] + state.tShift[line]]
            known = rules.get((character, is_last))
            if known is None:
                known = rules[character, is_last] = self._rules_at(character, is_last)
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
    def _rules(self) -> dict[tuple[str, bool], list[RuleFuncBlockType]]:
        return {}

    def _rules_at(self, character: str, is_last: bool) -> list[RuleFuncBlockType]:
        """The rules of blocks that can begin with a character, on a line with another one below or without."""
        rules = (rule for rule in self.ruler.__rules__ if not (is_last and rule.name in _OF_TWO_LINES))
        return _beginning_with(character, rules)


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


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's rule, and a short way for one line."""
    below = start + 1
    if below < state.lineMax and not state.isEmpty(below):
        return paragraph(state, start, end, silent)
    state.line = below
    state.push("paragraph_open", "p", 1).map = [start, below]
    text = state.push("inline", "", 0)
    text.content = mdTrim(state.getLines(start, below, state.blkIndent, False))
    text.map, text.children = [start, below], []
    state.push("paragraph_close", "p", -1)
    return True


class _Lines(StateBlock):
    """markdown-it's state of a text, whose lines are measured at once."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> None:
        super().__init__("", md, env, tokens)
        self.src = src
        lines = src.split("\n")
        if not lines[-1].strip(" \t"):  # what stands behind the last line end is no line
            lines.pop()
        starts = [0, *accumulate([len(line) + 1 for line in lines])]
        # One more stands at the end, so that rules may look behind the last line.
        self.bMarks = [*starts[:-1], len(src)]
        self._starts = self.bMarks.copy()
        self.eMarks = [*[start - 1 for start in starts[1:]], len(src)]
        self.tShift = [*[len(line) - len(line.lstrip(" \t")) for line in lines], 0]
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


# --- texts ------------------------------------------------------------------------------------


class Text(StateInline):
    """markdown-it's state of the text of one block."""

    def pushPending(self) -> Token:
        """Put the characters that are nothing else behind the tokens, as one of text."""
        token = new_token("text", "", 0, self.pendingLevel, self.pending)
        self.tokens.append(token)
        self.pending = ""
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Put a new token behind the others."""
        if pending := self.pending:
            self.tokens.append(new_token("text", "", 0, self.pendingLevel, pending))
            self.pending = ""
        if nesting:
            return super().push(ttype, tag, nesting)
        token = new_token(ttype, tag, 0, self.level)
        self.pendingLevel = self.level
        self.tokens.append(token)
        self.tokens_meta.append(None)
        return token

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """May the run of markers at `start` open or close emphasis? CommonMark's answer."""
        src, stop = self.src, start
        while stop < self.posMax and src[stop] == src[start]:
            stop += 1
        space_before, sign_before = _side(src[start - 1] if start else " ")
        space_after, sign_after = _side(src[stop] if stop < self.posMax else " ")
        left = not (space_after or (sign_after and not (space_before or sign_before)))
        right = not (space_before or (sign_before and not (space_after or sign_after)))
        can_open = left and (canSplitWord or not right or sign_before)
        can_close = right and (canSplitWord or not left or sign_after)
        return Scanned(can_open, can_close, stop - start)


@lru_cache(maxsize=4096)
def _side(character: str) -> tuple[bool, bool]:
    """Is a character beside a marker white space, and is it punctuation?"""
    code = ord(character)
    return isWhiteSpace(code), isMdAsciiPunct(code) or isPunctChar(character)


class Texts(ParserInline):
    """markdown-it's parser of the text of one block."""

    state_class: type[Text] = Text

    def __init__(self) -> None:
        super().__init__()
        self.terminator_re = _STOPS
        self.ruler.at("backticks", _backticks)
        self.ruler.at("emphasis", _emphasis)
        self.ruler.at("link", _link)
        self.ruler2.at("strikethrough", _strikethrough)

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Put the tokens of a text into `tokens`."""
        if _WORDS_AND_CODE.fullmatch(src):
            for place, part in enumerate(_CODE.split(src)):
                if place % 2:
                    tokens.append(new_token("code_inline", "code", 0, 0))
                    _set_code(tokens[-1], part)
                elif part:
                    tokens.append(new_token("text", "", 0, 0, part))
            return tokens
        state = self.state_class(src, md, env, tokens)
        self.tokenize(state)
        if _PAIRED.search(src):
            for rule in self.ruler2.getRules(""):
                rule(state)
        return tokens

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

    def skipToken(self, state: StateInline) -> None:
        """Step over what begins at `state.pos`: markdown-it's own way, by `_rules`."""
        start = state.pos
        if start in state.cache:
            state.pos = state.cache[start]
            return
        ok = False
        if state.level >= state.md.options["maxNesting"]:
            state.pos = state.posMax
        elif found := self.terminator_re.search(state.src, start, state.posMax):
            state.pos = found.start()
            ok = state.pos > start
            for rule in () if ok else self._rules[state.src[start]]:
                state.level += 1
                ok = rule(state, True)
                state.level -= 1
                if ok:
                    break
        else:
            state.pos, ok = state.posMax, True
        if not ok:
            state.pos += 1
        state.cache[start] = state.pos

    @cached_property
    def _rules(self) -> dict[str, list[RuleFuncInlineType]]:
        """The rules that can begin with each character, when all are known."""
        rules = [rule for rule in self.ruler.__rules__ if rule.enabled]
        characters = {*"".join(TEXTS.values()), "]"}
        return {c: [rule.fn for rule in rules if c in TEXTS[rule.name]] for c in characters}


def _backticks(state: StateInline, silent: bool) -> bool:
    """markdown-it's rule, and a short way for a span of code between single ones."""
    found = _CODE.match(state.src, state.pos)
    if found is None or found.end() > state.posMax:
        return backtick(state, silent)
    if not silent:
        _set_code(state.push("code_inline", "code", 0), found[1])
    state.pos = found.end()
    return True


def _set_code(token: Token, code: str) -> None:
    """Let a token be `code`, as it stands between two backticks."""
    code = code.replace("\n", " ")
    if code[0] == code[-1] == " " and code.strip(" "):
        code = code[1:-1]
    token.markup, token.content = "`", code


def _link(state: StateInline, silent: bool) -> bool:
    """markdown-it's rule, and a short way for words with a plain address."""
    found = _LINK.match(state.src, state.pos)
    if found is None or found.end() > state.posMax:
        return link(state, silent)
    if not silent:
        state.push("link_open", "a", 1).attrs = {"href": found[2]}
        state.append_pending(found[1])
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """markdown-it's rule, and a short way for words in a pair of markers, with no other marker before it."""
    found = None if silent or state.delimiters else _EMPHASIS.match(state.src, state.pos)
    if found is None or found.end() > state.posMax:
        return emphasis.tokenize(state, silent)
    marker, words = found.groups()
    within = marker[0] == "*"  # words
    opens = state.scanDelims(found.start(), within).can_open
    if not opens or not state.scanDelims(found.end() - len(marker), within).can_close:
        return emphasis.tokenize(state, silent)
    tag = "em" if len(marker) == 1 else "strong"
    # markdown-it makes a token of each character; of two, the outer one becomes an empty text.
    outer = marker[1:]
    if outer:
        state.push("text", "", 0)
    opening = state.push(f"{tag}_open", tag, 0)
    opening.nesting, opening.markup = 1, marker
    state.append_pending(words)
    closing = state.push(f"{tag}_close", tag, 0)
    closing.nesting, closing.markup = -1, marker
    if outer:
        state.push("text", "", 0)
    state.pos = found.end()
    return True


def _strikethrough(state: StateInline) -> None:
    """markdown-it's rule, where there is anything for it."""
    if "~" in state.src:
        strikethrough.postProcess(state)


# --- HTML -------------------------------------------------------------------------------------


class Html(RendererHTML):
    """markdown-it's renderer, with a short way for what most of a page is made of."""

    def __init__(self, parser: object = None) -> None:
        super().__init__(parser)
        self.rules.pop("list_item_open", None)  # a tag like others, without the task lists of markdown-it

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
            elif kind == "code_inline" and not token.attrs:
                html.append(f"<code>{escape(token.content)}</code>")
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
    attributes = html_attributes(token.attrs) if token.attrs else ""
    if token.nesting == -1:
        return f"</{token.tag}{attributes}>\n" if token.block else f"</{token.tag}{attributes}>"
    tag = f"<{token.tag}{attributes}>"
    if not token.block:
        return tag
    if place and tokens[place - 1].hidden:
        tag = f"\n{tag}"
    if token.nesting == 1 and place + 1 < len(tokens):
        below = tokens[place + 1]
        if below.type == "inline" or below.hidden or (below.nesting == -1 and below.tag == token.tag):
            return tag
    return f"{tag}\n"
