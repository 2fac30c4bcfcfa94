"""A post without the theme: as Markdown that holds what its cells really showed, for programs that read.

    /x/y/            the page
    /x/y/index.md    its Markdown

and, for the notebook and the script (notebooks.py), its prose and its cells in their order. Links into the site
stand as marks in all of them (see `site.LINK`), since no address is known yet when they are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias
from urllib.parse import quote, unquote

from builder.frozen import frozen
from builder.model import Cell, CellOptions, Fence, Figure, Markup, Part, Post, Text
from builder.site import LINK
from builder.urls import beside
from builder.views import ArticleView, SiteView

Shown: TypeAlias = Mapping[int, tuple[Part, ...] | None]  # as markdown.render has it
FigureUrl: TypeAlias = Callable[[str], str]


# What stands around an address in Markdown and in HTML.
_BEFORE = re.compile(
    r"""(?:\]\(\s*<?|^\s*\[[^\]]+\]:\s*<?|<|(?:href|src|poster)\s*=\s*["']?)\Z""", re.IGNORECASE
)
_BEHIND = ("", " ", "\t", ")", ">", '"', "'")


@frozen
class Prose:
    """The Markdown between two cells."""

    text: str


@frozen
class Step:
    """A cell and what the page shows under it."""

    cell: Cell
    parts: tuple[Part, ...]


@frozen
class Downloads:
    """Where the copies of an article are: addresses without the `baseurl`, "" for what there is not."""

    markdown: str
    notebook: str
    script: str
    colab: str  # a whole address


def downloads(site: SiteView, article: ArticleView) -> Downloads:
    """The copies of an article, for templates."""
    config = site.config
    markdown, notebook, script = (
        beside(article.url, ending) if getattr(article, kind) else ""
        for kind, ending in (("markdown", "md"), ("notebook", "ipynb"), ("script", "py"))
    )
    place = f"https://colab.research.google.com/github/{config.repository}/blob/{config.branch}"
    colab = place + quote(notebook) if notebook and config.repository else ""
    return Downloads(markdown, notebook, script, colab)


def linked_lines(post: Post, links: Sequence[tuple[str, int]]) -> list[str]:
    """The lines of a post's body, with a mark in place of each link into the site that is found at its line."""
    from builder.markdown.dialect import (
        body_of,  # not at the top: pages import this, and most builds parse nothing
    )

    lines = body_of(post.markdown, post.body_line).split("\n")
    for number, (address, line) in enumerate(links):
        first = max(line - post.body_line, 0)
        for index in range(first, min(first + 3, len(lines))):  # a paragraph may begin some lines above
            marked = _marked(lines[index], address, LINK.format(number))
            if marked != lines[index]:
                lines[index] = marked
                break
    return lines


def _marked(line: str, address: str, mark: str) -> str:
    """A line with `mark` in place of the address of its first link to `address`, percent-encoded or not."""
    for form in filter(None, (address, unquote(address))):
        at = line.find(form)
        while at >= 0:
            stop = at + len(form)
            if line[stop : stop + 1] in _BEHIND and _BEFORE.search(line[:at]):
                return line[:at] + mark + line[stop:]
            at = line.find(form, at + 1)
    return line


def pieces(post: Post, shown: Shown, lines: Sequence[str]) -> Iterator[Prose | Step]:
    """The prose and the cells of a post in their order; `lines` are those of its body."""
    at = 0
    taken = _authored_lines(post)
    for cell in sorted(post.cells, key=lambda cell: cell.code.start):
        start, stop = cell.code.start - post.body_line, cell.code.stop - post.body_line
        yield from _prose(lines, at, start, taken)
        yield Step(cell, parts_of(cell, shown))
        at = stop
    yield from _prose(lines, at, len(lines), taken)


def parts_of(cell: Cell, shown: Shown) -> tuple[Part, ...]:
    """What the page shows under a cell: what it really showed, or what its author wrote."""
    parts = shown.get(cell.number)
    if parts is None:
        return (Text(cell.authored.body),) if cell.authored else ()
    return parts


def _authored_lines(post: Post) -> set[int]:
    """The lines of authored outputs, from 0 at the beginning of the body."""
    return {
        line - post.body_line
        for cell in post.cells
        if cell.authored
        for line in range(cell.authored.start, cell.authored.stop)
    }


def _prose(lines: Sequence[str], start: int, stop: int, taken: set[int]) -> Iterator[Prose]:
    text = "\n".join(lines[index] for index in range(start, stop) if index not in taken).strip("\n")
    if text.strip():
        yield Prose(text)


def markdown_copy(title: str, post: Post, shown: Shown, lines: Sequence[str], figure_url: FigureUrl) -> str:
    """The Markdown of a post, its title above it and its real outputs in it."""
    edits: list[tuple[int, int, list[str]]] = []
    for cell in post.cells:
        parts = shown.get(cell.number)
        if parts is None:
            continue
        where = cell.authored or cell.code
        start = (cell.authored.start if cell.authored else cell.code.stop) - post.body_line
        stop = where.stop - post.body_line
        edits.append((start, stop, _output(parts, cell.options, where, figure_url)))
    result = list(lines)
    for start, stop, written in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        result[start:stop] = written
    return f"# {' '.join(title.split())}\n\n" + "\n".join(result).strip("\n") + "\n"


def _output(parts: Sequence[Part], options: CellOptions, where: Fence, figure_url: FigureUrl) -> list[str]:
    """The lines of an output, in the container (a list, a quote) that its cell is in."""
    blocks: list[list[str]] = []
    texts: list[str] = []
    for part, following in pairwise((*parts, None)):
        if isinstance(part, Figure):
            said = options.fig_alt or part.alt or options.fig_cap
            alt = re.sub(r"([\[\]\\])", r"\\\1", " ".join(said.split()))
            blocks.append([f"![{alt}]({figure_url(part.blob)})"])
        elif isinstance(part, Markup) and part.kind == "markdown":
            blocks.append(part.html.strip("\n").split("\n"))
        else:
            assert part is not None
            texts.append(part.text if part.text.endswith("\n") else f"{part.text}\n")
            if not isinstance(following, Text):
                blocks.append(fenced("".join(texts)))
                texts = []
    lines = [line for block in blocks for line in ("", *block)]
    return [f"{where.prefix}{line}" if line else where.prefix.rstrip() for line in lines]


def fenced(text: str, info: str = "") -> list[str]:
    """A text as the lines of a fenced block."""
    runs = re.findall(r"^\s*(`{3,})", text, re.MULTILINE) if "```" in text else ()
    longest = max(map(len, runs), default=2)
    marker = "`" * (longest + 1)
    return [f"{marker}{info}", *text.removesuffix("\n").split("\n"), marker]
