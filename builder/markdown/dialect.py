"""The one Markdown dialect: CommonMark with tables and strikethrough, and what authors need besides.

* Mathematics (see math.py), attribute lists (attributes.py), footnotes, definition lists, task lists.
* Callouts (callouts.py), abbreviations (abbreviations.py), divisions and tabs (divisions.py), emoji (emoji.py).
* Emphasis closes beside Hangul and other CJK letters (`**분할(divide)**은`), which CommonMark forbids.
* A fence directly below a line of HTML (`<br>`, `<center>`) is a fence, not part of the HTML.
* What is nested deeper than `DEEPEST` levels is shown as plain text and noted; no word is ever lost.

The posts of a Jekyll folder were written for kramdown: they are read with its rules where these differ
(kramdown.py).

Everything that asks what a post's Markdown means asks here, so that the cells that run, the page, and the
check all see the same fences. Lines are those of markdown-it: `\\r\\n`, `\\n` and `\\r` end one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import MutableMapping, Sequence
from typing import Any, TypeAlias, cast

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, blockquote, fence, html_block
from markdown_it.rules_block.html_block import HTML_SEQUENCES
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_tail

from builder.markdown import divisions
from builder.markdown import kramdown as kramdown_rules
from builder.markdown.abbreviations import KNOWN, abbreviation, mark_abbreviations
from builder.markdown.attributes import add_attributes, heading_id, settle_blocks, settle_inline
from builder.markdown.blocks import Blocks, list_block
from builder.markdown.callouts import settle_callouts
from builder.markdown.emoji import set_emoji
from builder.markdown.highlight import escape
from builder.markdown.math import BLOCK, INLINE, add_math, math_html
from builder.markdown.texts import Markdown, Text, Texts, flanks
from builder.markdown.tokens import Html, new_token

Env: TypeAlias = MutableMapping[str, Any]

# A list takes two levels (the list and its item), a quote one. Python allows 1,000 nested calls and the
# parser makes three for each level: 200 leaves room for whoever calls us.
DEEPEST = 200
# Pictures in the text of pictures: only words for the blind are left of the inner ones.
_DEEPEST_PICTURE = 10

_NEWLINE = re.compile(r"\r\n?")
_CJK = (  # dear to compile, and few posts need it: `re` does that, once, when it is used
    "[\u1100-\u11ff\u3000-\u30ff\u3130-\u318f\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_TASK = re.compile(r"\[([ xX])\]\s+")
_VERBATIM = re.compile(r"<!--|-->|<(/?)(pre|script|style|textarea)\b", re.IGNORECASE)


# --- what others call -------------------------------------------------------------------------


def parse(body: str, env: Env | None = None, *, kramdown: bool = False) -> list[Token]:
    """All tokens of `body`, inline ones too. `env` receives the references and what was `too_deep`.

    It may say `emoji` (are their names to be set as characters?) and `callouts` ({kind: title}).
    """
    env = {} if env is None else env
    md = _parser(kramdown)
    tokens = _last.taken(body, env, kramdown) or block_tokens(body, env, kramdown=kramdown)
    _last.forget()  # whoever parses may change the tokens
    if "{:" in body:
        tokens = settle_blocks(tokens)
    if "[!" in body:
        settle_callouts(tokens, env.get("callouts", {}))
    if divisions.TABS in body:
        divisions.settle_tabs(tokens)
    emoji = env.get("emoji", False)
    parse_text = md.inline.parse
    for place, token in enumerate(tokens):
        if token.type == "inline":
            content = token.content
            if content.endswith("}") and tokens[place - 1].type == "heading_open":
                heading_id(tokens[place - 1], token)
                content = token.content
            token.children = parse_text(content, md, env, [])
            if content[:1] == "[" and tokens[place - 2].type == "list_item_open":
                _task(token.children)
            if emoji and ":" in content:
                set_emoji(token.children)
    if "footnotes" in env:
        state = StateCore("", md, env, tokens)
        footnote_tail(state)
        tokens = state.tokens
    return tokens


def block_tokens(body: str, env: Env | None = None, *, kramdown: bool = False) -> list[Token]:
    """The block structure of `body` alone: the same fences as `parse` finds, at a third of its price."""
    tokens: list[Token] = []
    env = {} if env is None else env
    source = _with_newlines(body).replace("\0", "\ufffd")
    md = _parser(kramdown, rare=":::" in source or "*[" in source)
    md.block.parse(source, md, env, tokens)
    _last.keep(body, env, tokens, kramdown)
    return tokens


def inline_html(text: str, *, kramdown: bool = False) -> str:
    """The HTML of one line of Markdown, without a paragraph around it."""
    children: list[Token] = []
    md = _parser(kramdown)
    md.inline.parse(text, md, {}, children)
    return inline_to_html(children)


class _Last:
    """The block structure that was found last, for the full parse of the same text: a post is rendered
    right after its cells were read."""

    def __init__(self) -> None:
        self._body: tuple[str, bool] | None = None
        self._env: Env = {}
        self._tokens: list[Token] = []

    def keep(self, body: str, env: Env, tokens: list[Token], kramdown: bool) -> None:
        self._body, self._env, self._tokens = (body, kramdown), env, tokens

    def forget(self) -> None:
        self._body = None

    def taken(self, body: str, env: Env, kramdown: bool) -> list[Token]:
        """The tokens of `body`, once, and into `env` what was found with them; none if it was not the last."""
        if (body, kramdown) != self._body:
            return []
        env.update(self._env)
        return self._tokens


_last = _Last()


def to_html(tokens: Sequence[Token]) -> str:
    """The HTML of block tokens, as CommonMark writes it."""
    md = _parser(False)
    return str(md.renderer.render(tokens, md.options, {}))


def inline_to_html(tokens: Sequence[Token]) -> str:
    """The HTML of the children of an `inline` token."""
    md = _parser(False)
    return cast(Html, md.renderer).renderInline(list(tokens), md.options, {})


def too_deep(env: Env) -> tuple[int, ...]:
    """The lines (from 0) where lists or quotes of the parse that filled `env` were nested too deep."""
    return tuple(sorted(env.get("too_deep", ())))


def unclosed(env: Env) -> tuple[int, ...]:
    """The lines (from 0) of fences that are never closed, and are text for kramdown."""
    return tuple(sorted(env.get("unclosed", ())))


def body_of(text: str, line: int) -> str:
    """The Markdown of a file from `line` (from 1) on, with `\\n` line ends and without a BOM."""
    rest = _with_newlines(text.removeprefix("\ufeff")).split("\n", line - 1)
    return rest[line - 1] if line <= len(rest) else ""


def _with_newlines(text: str) -> str:
    return _NEWLINE.sub("\n", text) if "\r" in text else text


# --- the parser -------------------------------------------------------------------------------


@functools.cache
def _parser(kramdown: bool, *, rare: bool = False) -> MarkdownIt:
    """Built once: it costs as much as a page. All render the same.

    `rare` ones know divisions and abbreviations besides: each rule costs time at each line of each post.
    """
    # One list or quote at the deepest allowed level still opens, hence `+ 2`: markdown-it's own limit,
    # which drops text without a word, is never reached.
    options = {
        "maxNesting": DEEPEST + 2,
        "html": True,
        "linkify": False,
        "typographer": False,
        "xhtmlOut": False,
    }
    md = Markdown("commonmark", options, renderer_cls=Html)
    md.block = Blocks()
    md.inline = _KramdownInline() if kramdown else _Inline()
    md.configure("commonmark", options)  # again, for the rules of the new parsers
    md.enable(["table", "strikethrough"])
    rules = md.block.ruler
    ends = ["paragraph", "reference", "blockquote"]  # as markdown-it registers them
    rules.at("html_block", _html_block, {"alt": ends})
    rules.at("blockquote", _limited(blockquote), {"alt": [*ends, "list"]})
    rules.at("list", _limited(list_block), {"alt": ends})
    if kramdown:
        rules.at("html_block", kramdown_rules.html_block(_html_block), {"alt": ends})
        rules.at("list", _limited(kramdown_rules.list_block(list_block)), {"alt": ends})
        rules.at("fence", kramdown_rules.closed_fence, {"alt": [*ends, "list"]})
        rules.at("table", kramdown_rules.table(rules.__rules__[0].fn), {"alt": ["paragraph", "reference"]})
        rules.at("heading", kramdown_rules.atx_heading, {"alt": ends})
        rules.at("lheading", kramdown_rules.setext_heading)
        kramdown_rules.let_links_hold_spaces(md)
        md.inline.ruler.before("autolink", "double_angle", kramdown_rules.double_angle)
    if rare:
        rules.before("reference", "abbreviation", abbreviation, {"alt": ["paragraph"]})
    if rare and not kramdown:
        rules.before("fence", "division", _limited(divisions.division), {"alt": [*ends, "list"]})
    rules.at("table", _table(rules.__rules__[0].fn), {"alt": ["paragraph", "reference"]})
    add_math(md)
    add_attributes(md)
    footnote_plugin(md, inline=not kramdown, move_to_end=False)
    deflist_plugin(md)
    for rule in list(rules.__rules__):
        if rule.name == "deflist":
            rules.at("deflist", _definition(rule.fn), {"alt": list(rule.alt)})
    for name, render in _RENDER.items():
        md.add_render_rule(name, render)
    return md


def _definition(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """`rule` for lists of definitions, asked only where a line with `:` is below, a blank one perhaps between."""

    def asked(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        below = start + 1
        if below < end and state.isEmpty(below):
            below += 1
        if below >= end:
            return False
        at = state.bMarks[below] + state.tShift[below]
        return (silent or state.src[at : at + 1] in (":", "~")) and rule(state, start, end, silent)

    return asked


# --- how it is written ------------------------------------------------------------------------


def _math(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    token = tokens[index]
    html = token.meta.get("html") or math_html(token.content, display=token.type == BLOCK)
    return f"{html}\n" if token.type == BLOCK else html


def _footnote_name(meta: MutableMapping[str, Any]) -> str:
    return escape(str(meta.get("label") or meta["id"] + 1))


def _footnote_ref(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    meta = tokens[index].meta
    name, again = _footnote_name(meta), f":{meta['subId']}" if meta.get("subId") else ""
    link = f'<a href="#fn:{name}" class="footnote" role="doc-noteref">{meta["id"] + 1}</a>'
    return f'<sup id="fnref:{name}{again}">{link}</sup>'


def _footnote_open(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return f'<li id="fn:{_footnote_name(tokens[index].meta)}">\n'


def _footnote_anchor(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    meta = tokens[index].meta
    name, sub = _footnote_name(meta), meta.get("subId", 0)
    again, number = (f":{sub}", f"<sup>{sub + 1}</sup>") if sub else ("", "")
    return f' <a href="#fnref:{name}{again}" class="reversefootnote" role="doc-backlink">&#8617;{number}</a>'


_RENDER: dict[str, Any] = {
    **divisions.RENDER,
    INLINE: _math,
    BLOCK: _math,
    "footnote_ref": _footnote_ref,
    "footnote_open": _footnote_open,
    "footnote_anchor": _footnote_anchor,
    "footnote_block_open": lambda *_: '<div class="footnotes" role="doc-endnotes">\n<ol>\n',
    "footnote_block_close": lambda *_: "</ol>\n</div>\n",
}


def _task(children: list[Token]) -> None:
    """`[ ] text` at the beginning of a list item."""
    first = children[0] if children else None
    if first is None or first.type != "text" or not (match := _TASK.match(first.content)):
        return
    first.content = first.content[match.end() :]
    checked = " checked" if match[1] in "xX" else ""
    box = f'<label><input type="checkbox" class="task-list-item-checkbox" disabled{checked}>'
    children.insert(0, Token("html_inline", "", 0, content=box, meta={"ours": True}))
    children.append(Token("html_inline", "", 0, content="</label>", meta={"ours": True}))


def _table(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """The rule of tables, asked only above a line that can be a table's second."""

    def asked(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if start + 2 > end:
            return False
        at = state.bMarks[start + 1] + state.tShift[start + 1]
        return state.src[at : at + 1] in "|-:" and rule(state, start, end, silent)

    return asked


@functools.lru_cache(maxsize=4096)
def _flanks(within: bool, before: str, after: str) -> tuple[bool, bool]:
    """May markers between two characters open or close? CommonMark's answer, and more beside CJK letters.

    CommonMark asks for a space or punctuation after `)**`; Korean puts the particle there. A right
    that CommonMark gives is never taken away, and `_` is left alone (`__init__`은).
    """
    opens, closes = flanks(within, before, after)
    if not within or (opens and closes) or before.isspace() or after.isspace():
        return opens, closes
    return opens or re.match(_CJK, before) is not None, closes or re.match(_CJK, after) is not None


@functools.lru_cache(maxsize=4096)
def _kramdown_flanks(within: bool, before: str, after: str) -> tuple[bool, bool]:
    """The same for kramdown: what stands beside a marker matters only if it is a space."""
    opens, closes = flanks(within, before, after)
    return opens or (within and not after.isspace()), closes or (within and not before.isspace())


class _State(Text):
    """markdown-it's state of one paragraph, with emphasis that knows Hangul."""

    flanks = staticmethod(_flanks)


class _KramdownState(Text):
    """The same with kramdown's emphasis."""

    flanks = staticmethod(_kramdown_flanks)


class _Inline(Texts):
    """markdown-it's inline parser over our state; only our parser has it, nothing is patched."""

    state_class: type[Text] = _State

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Fill `tokens`. Called again by the parser for the text of each picture, so depth is bounded."""
        depth = env.get("picture_depth", 0)
        if depth > _DEEPEST_PICTURE or not self.terminator_re.search(src):  # nothing but words
            if src:
                tokens.append(new_token("text", "", 0, 0, src))
            self.finish(tokens, env)
            return tokens
        env["picture_depth"] = depth + 1
        super().parse(src, md, env, tokens)
        env["picture_depth"] = depth
        if "{:" in src:
            settle_inline(tokens)
        self.finish(tokens, env)
        if "\\" in src or "&" in src:
            for token in tokens:
                if token.type == "text_special":  # an escaped character or an entity
                    token.type = "text"
        return tokens

    def finish(self, tokens: list[Token], env: EnvType) -> None:
        """What is to be done to the tokens of one text before its escaped characters are like any other."""
        if known := env.get(KNOWN):
            mark_abbreviations(tokens, known)


class _KramdownInline(_Inline):
    """The same for kramdown."""

    state_class = _KramdownState

    def finish(self, tokens: list[Token], env: EnvType) -> None:
        """Set the typography first."""
        kramdown_rules.set_typography(tokens)
        super().finish(tokens, env)


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
