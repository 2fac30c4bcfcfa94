"""Tokens of markdown-it, made and written in a short way."""

from __future__ import annotations

from typing import Literal

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from builder.markdown.attributes import html_attributes
from builder.markdown.highlight import escape


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
                children = token.children or []
                if len(children) == 1 and children[0].type == "text":
                    html.append(escape(children[0].content))
                else:
                    html.append(self.renderInline(children, options, env))
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
