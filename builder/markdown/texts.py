"""A quicker way through markdown-it's own rules of the text of one block: the same tokens, sooner.

markdown-it asks every rule at every character that might begin something. Which characters a rule can begin with
is known, so only those are asked that may say yes, in their order. What most texts are made of (words, spans of
code, emphasis, plain addresses) has a short way here; all else goes markdown-it's own.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline, RuleFuncInlineType
from markdown_it.rules_inline import StateInline, backtick, link, strikethrough
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from builder.markdown.tokens import new_token

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
# An address that is written as it is: of a place on this site, or of a host in ASCII.
_ADDRESS: Final = r"(?a:(?:https?://[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}(?=[/?#)]|\Z)|(?!//))[\w/.~?#=&+,-]*)"
_PLAIN_ADDRESS: Final = re.compile(_ADDRESS)
_LINK: Final = rf"\[([^{_CHARACTERS}]+)\]\((?!\))({_ADDRESS})\)"
# What most texts consist of, by the number of the last group.
_PARTS: Final = re.compile(
    rf"((?:[^{_CHARACTERS}]++|!(?!\[)|[{{^](?![:\[])|&(?![#A-Za-z]))++)|{_CODE.pattern}"
    rf"|(?P<marker>\*\*?(?!\*)|__?(?!_))([^{_CHARACTERS}]+)(?P=marker)(?![*_])"
    rf"|{_LINK}|((?<! )\n(?![ \t]))"
)
_IS_WORDS, _IS_CODE, _IS_EMPHASIS, _IS_LINK = 1, 2, 4, 6


class Markdown(MarkdownIt):
    """markdown-it, with a short way for plain addresses."""

    def normalizeLink(self, url: str) -> str:
        """An address as it is written in HTML."""
        return url if _PLAIN_ADDRESS.fullmatch(url) else super().normalizeLink(url)


@lru_cache(maxsize=4096)
def flanks(within: bool, before: str, after: str) -> tuple[bool, bool]:
    """May markers between two characters open emphasis, and may they close it? CommonMark's answer.

    `within`: also in the middle of a word.
    """
    space_before, sign_before = _side(before)
    space_after, sign_after = _side(after)
    left = not (space_after or (sign_after and not (space_before or sign_before)))
    right = not (space_before or (sign_before and not (space_after or sign_after)))
    return left and (within or not right or sign_before), right and (within or not left or sign_after)


def _side(character: str) -> tuple[bool, bool]:
    """Is a character beside a marker white space, and is it punctuation?"""
    code = ord(character)
    return isWhiteSpace(code), isMdAsciiPunct(code) or isPunctChar(character)


class Text(StateInline):
    """markdown-it's state of the text of one block."""

    flanks = staticmethod(flanks)

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
        """May the run of markers at `start` open or close emphasis?"""
        src, stop = self.src, start
        while stop < self.posMax and src[stop] == src[start]:
            stop += 1
        before = src[start - 1] if start else " "
        after = src[stop] if stop < self.posMax else " "
        return Scanned(*self.flanks(canSplitWord, before, after), stop - start)


class Texts(ParserInline):
    """markdown-it's parser of the text of one block."""

    state_class: type[Text] = Text

    def __init__(self) -> None:
        super().__init__()
        self.terminator_re = _STOPS
        self.ruler.at("backticks", _backticks)
        self.ruler.at("link", _link)
        self.ruler2.at("strikethrough", _strikethrough)

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Put the tokens of a text into `tokens`."""
        parts = self._parts(src)
        if parts is not None:
            tokens += parts
            return tokens
        state = self.state_class(src, md, env, tokens)
        self.tokenize(state)
        if _PAIRED.search(src):
            for rule in self.ruler2.getRules(""):
                rule(state)
        return tokens

    def _parts(self, src: str) -> list[Token] | None:
        """The tokens of a text of words, code, emphasis, plain links and line ends; None if it has more."""
        tokens: list[Token] = []
        done = 0
        for part in _PARTS.finditer(src):
            if part.start() != done:
                return None
            done = part.end()
            kind = part.lastindex
            if kind == _IS_WORDS:
                if tokens and tokens[-1].type == "text":
                    tokens[-1].content = part[1]
                else:
                    tokens.append(new_token("text", "", 0, 0, part[1]))
            elif kind == _IS_CODE:
                tokens.append(new_token("code_inline", "code", 0, 0))
                _set_code(tokens[-1], part[2])
            elif kind == _IS_EMPHASIS:
                if not self._is_emphasis(src, part):
                    return None
                _push_emphasis(tokens, part[3], part[4])
            elif kind == _IS_LINK:
                opening = new_token("link_open", "a", 1, 0)
                opening.attrs["href"] = part[6]
                tokens += opening, new_token("text", "", 0, 1, part[5]), new_token("link_close", "a", -1, 0)
            else:
                tokens.append(new_token("softbreak", "br", 0, 0))
        return tokens if done == len(src) else None

    def _is_emphasis(self, src: str, part: re.Match[str]) -> bool:
        """Is there emphasis by what stands on both sides of its markers?"""
        start, stop = part.span()
        marker, words = part[3], part[4]
        within, flanks = marker[0] == "*", self.state_class.flanks
        return (
            flanks(within, src[start - 1] if start else " ", words[0])[0]
            and flanks(within, words[-1], src[stop] if stop < len(src) else " ")[1]
        )

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
    found = re.compile(_LINK).match(state.src, state.pos)
    if found is None or found.end() > state.posMax:
        return link(state, silent)
    if not silent:
        state.push("link_open", "a", 1).attrs = {"href": found[2]}
        state.append_pending(found[1])
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def _push_emphasis(tokens: list[Token], marker: str, words: str) -> None:
    """Words in a pair of markers. markdown-it makes a token of each character; of two, the outer one becomes
    an empty text, if there is no other beside it."""
    tag = "em" if len(marker) == 1 else "strong"
    if tag == "strong" and not (tokens and tokens[-1].type == "text"):
        tokens.append(new_token("text", "", 0, 0))
    opening, closing = new_token(f"{tag}_open", tag, 1, 0), new_token(f"{tag}_close", tag, -1, 0)
    opening.markup = closing.markup = marker
    tokens += opening, new_token("text", "", 0, 1, words), closing
    if tag == "strong":
        tokens.append(new_token("text", "", 0, 0))


def _strikethrough(state: StateInline) -> None:
    """markdown-it's rule, where there is anything for it."""
    if "~" in state.src:
        strikethrough.postProcess(state)
