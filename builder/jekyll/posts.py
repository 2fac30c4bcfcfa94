"""The text of one post of Jekyll's -> its front matter, and its Markdown without Liquid."""

from __future__ import annotations

import dataclasses
import functools
import re
from zoneinfo import ZoneInfo

from builder.front_matter import parse_front_matter
from builder.jekyll import liquid
from builder.jekyll.rules import address, defaults_of, place_of, title_of
from builder.markdown import dialect
from builder.model import Config, FrontMatter, Problem
from builder.site import term_url
from builder.urls import date_of


def parse_jekyll(
    text: str, path: str, config: Config, zone: ZoneInfo
) -> tuple[FrontMatter, int, str, tuple[Problem, ...]]:
    """The front matter with its defaults, the line where the body begins, the file without Liquid ("" if
    it has none), and all problems, which are warnings."""
    assert config.jekyll is not None
    place = place_of(path, config.jekyll)
    front_matter, body_line, problems = parse_front_matter(text, path, zone, defaults_of(path, config.jekyll))
    front_matter = dataclasses.replace(
        front_matter,
        title=front_matter.title or title_of(path),
        categories=tuple(dict.fromkeys((*place.above, *front_matter.categories))),
        url_categories=(*place.above, *front_matter.url_categories),
        draft=front_matter.draft or place.kind == "draft",
    )
    if ("{{" not in text and "{%" not in text) or front_matter.extra.get("render_with_liquid") is False:
        return front_matter, body_line, "", problems
    head, body = _split(text, body_line)
    if place.kind == "page" and _is_list(body):
        extra = {"redirect_to": _list_url(body), **front_matter.extra}
        return dataclasses.replace(front_matter, extra=extra), body_line, head + "\n", problems
    scene = _scene(path, front_matter, config, zone)
    expanded, complaints = liquid.expand(body, scene, path, body_line)
    return front_matter, body_line, head + expanded, problems + complaints


_LOOP = re.compile(r"\{%-?\s*for\b")
_MARKS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)
_TERM = re.compile(r"""site\.(categories|tags)\.?(?:\[\s*["']([^"']+)["']\s*\]|\.([\w-]+))""")
_FEW = 30  # words


def _is_list(body: str) -> bool:
    """Is a page a list of posts, made by a loop, with hardly a word of its own?"""
    return _LOOP.search(body) is not None and len(_MARKS.sub(" ", body).split()) < _FEW


def _list_url(body: str) -> str:
    """Where our own list of the same posts is."""
    if match := _TERM.search(body):
        return term_url(f"/{match[1]}/", match[2] or match[3])
    return next((f"/{kind}/" for kind in ("categories", "tags") if f"site.{kind}" in body), "/")


_LINE = re.compile(r"\r\n?|\n")


def _split(text: str, body_line: int) -> tuple[str, str]:
    """`text` before and from line `body_line`, its lines ending in `\\n`."""
    lines = _LINE.split(text)
    head = "".join(f"{line}\n" for line in lines[: body_line - 1])
    return head, "\n".join(lines[body_line - 1 :])


def _scene(path: str, front_matter: FrontMatter, config: Config, zone: ZoneInfo) -> liquid.Scene:
    assert config.jekyll is not None
    date = date_of(front_matter, path, zone)
    page = {
        **front_matter.extra,
        "title": front_matter.title,
        "date": date.strftime("%Y-%m-%d %H:%M:%S %z"),
        "path": path,
        "url": address(path, front_matter, date, config.jekyll),
        "excerpt": front_matter.description,
        "description": front_matter.description,
        "permalink": front_matter.permalink,
        "categories": list(front_matter.categories),
        "tags": list(front_matter.tags),
    }
    site = {**config.jekyll.settings, "url": config.url, "baseurl": config.baseurl}
    markdown = functools.partial(dialect.inline_html, kramdown=True)
    return liquid.Scene(site, page, config.url, config.baseurl, markdown)
