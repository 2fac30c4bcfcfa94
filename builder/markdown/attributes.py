"""Attribute lists in braces, as kramdown has them: `{: .notice}`, `{: width="500"}`, `{:toc}`, `{#id}`.

One on a line of its own belongs to the block above it, or to the one below if a blank line or nothing is above;
one behind a link, picture, code or emphasis belongs to that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from builder.markdown.highlight import escape

TOC = "toc"  # type of the token where the table of contents is to stand

_LIST = re.compile(r"\{:(?![:/])((?:\\\}|[^}\n]){1,400})\}")
_EXTENSION = re.compile(r"\{::(comment|nomarkdown|options)\b[^}\n]*?(/)?\}")
_ITEM = re.compile(
    r"""(?:^|\s)(?:([\w][\w:-]*)=(?:"([^"]*)"|'([^']*)')|((?:[.#][^\s.#}]+)+)|([\w][\w-]*))(?=\s|$)"""
)
_NAME = re.compile(r"([.#])([^\s.#}]+)")
_HEADING_ID = re.compile(r"[ \t]+\{#([A-Za-z][\w:-]*)\}[ \t]*$")
_HIDDEN = "attributes"


def add_attributes(md: MarkdownIt) -> None:
    """Let `md` know attribute lists."""
    ends = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.before("fence", "attributes", _block, {"alt": ends})
    md.inline.ruler.before("escape", "attributes", _inline)


def parse_attributes(text: str) -> dict[str, str]:
    """`.a .b #c width="5" toc` -> {"class": "a b", "id": "c", "width": "5", "toc": ""}."""
    found: dict[str, str] = {}
    for key, double, single, names, word in _ITEM.findall(text):
        for sign, name in _NAME.findall(names):
            key_, value = (
                ("class", f"{found.get('class', '')} {name}".lstrip()) if sign == "." else ("id", name)
            )
            found[key_] = value
        if key == "class":
            found["class"] = f"{found.get('class', '')} {double or single}".lstrip()
        elif key:
            found[key] = double or single
        elif word:
            found[word] = ""
    return found


def html_attributes(attributes: Mapping[str, str | int | float]) -> str:
    """The same as in a tag of HTML, with a space before each."""
    return "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items())


def settle_blocks(tokens: list[Token]) -> list[Token]:
    """`tokens` of blocks with the attribute lists among them given to the blocks that they belong to."""
    if not any(token.type == _HIDDEN for token in tokens):
        return tokens
    for index, token in enumerate(tokens):
        if token.type == _HIDDEN and token.content:
            owner = _owner_above(tokens, index) if token.meta["glued"] else _owner_below(tokens, index)
            if owner is not None:
                _give(owner, parse_attributes(token.content))
    return _without_contents([token for token in tokens if token.type != _HIDDEN])


def settle_inline(children: list[Token]) -> None:
    """The same within the text of one block."""
    kept: list[Token] = []
    for token in children:
        if token.type != _HIDDEN:
            kept.append(token)
            continue
        owner = next((other for other in reversed(kept) if other.type != "text" or other.content), None)
        if owner is not None and owner.nesting == -1:
            owner = next(
                other for other in reversed(kept) if other.nesting == 1 and other.level == owner.level
            )
        if owner is None or owner.type in ("text", "softbreak", "hardbreak"):
            kept.append(Token("text", "", 0, content=token.meta["written"]))
        elif owner.type != "html_inline":
            _give(owner, parse_attributes(token.content))
    children[:] = kept


def heading_id(token: Token, inline: Token) -> None:
    """Take `{#id}` from the end of a heading."""
    if match := _HEADING_ID.search(inline.content):
        inline.content = inline.content[: match.start()]
        token.attrs["id"] = match[1]


def _give(owner: Token, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if not value and name != "toc":
            continue  # a reference to a list that is defined elsewhere
        if name == "class" and owner.attrs.get("class"):
            value = f"{owner.attrs['class']} {value}"
        owner.attrs[name] = value


def _owner_above(tokens: list[Token], index: int) -> Token | None:
    level = tokens[index].level
    for other in reversed(tokens[:index]):
        if other.level < level:
            break
        if other.level == level and other.type != _HIDDEN and other.nesting != -1:
            return other
    return _owner_below(tokens, index)


def _owner_below(tokens: list[Token], index: int) -> Token | None:
    level = tokens[index].level
    for other in tokens[index + 1 :]:
        if other.level < level:
            return None
        if other.level == level and other.type != _HIDDEN:
            return other if other.nesting != -1 else None
    return None


def _without_contents(tokens: list[Token]) -> list[Token]:
    """`tokens` with each list that is marked `{:toc}` as one token."""
    kept: list[Token] = []
    hidden: Token | None = None
    for token in tokens:
        if (
            hidden is None
            and "toc" in token.attrs
            and token.type in ("bullet_list_open", "ordered_list_open")
        ):
            del token.attrs["toc"]
            hidden = token
            kept.append(Token(TOC, token.tag, 0, attrs=token.attrs, map=token.map, block=True))
        elif hidden is None:
            token.attrs.pop("toc", None)
            kept.append(token)
        elif token.nesting == -1 and token.level == hidden.level:
            hidden = None
    return kept


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    at = state.bMarks[start] + state.tShift[start]
    if state.src[at : at + 2] != "{:" or state.is_code_block(start):
        return False
    text = state.src[at : state.eMarks[start]].strip()
    stop = start + 1
    if not _LIST.fullmatch(text):
        match = _EXTENSION.match(text)
        if not match:
            return False
        if not match[2]:
            closing = re.compile(rf"\{{:/(?:{match[1]})?\}}")
            while stop <= end and not closing.search(state.getLines(stop - 1, stop, 0, False)):
                stop += 1
            if stop > end:
                return False
        if silent:
            return True
        if match[1] == "nomarkdown":
            _raw(state, start, stop)
            return True
        text = ""
    if silent:
        return True
    state.line = stop
    token = state.push(_HIDDEN, "", 0)
    token.content, token.map, token.hidden = text[2:-1], [start, stop], True
    token.meta = {"glued": start > 0 and not state.isEmpty(start - 1)}
    return True


def _raw(state: StateBlock, start: int, stop: int) -> None:
    state.line = stop
    token = state.push("html_block", "", 0)
    lines = state.getLines(start, stop, state.blkIndent, True)
    token.content, token.map = re.sub(r"\{:[:/][^}]*\}", "", lines), [start, stop]


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "{":
        return False
    match = _LIST.match(state.src, state.pos, state.posMax)
    if not match or not parse_attributes(match[1]):
        return False
    if not silent:
        token = state.push(_HIDDEN, "", 0)
        token.content, token.hidden = match[1], True
        token.meta = {"written": match[0]}
    state.pos = match.end()
    return True
