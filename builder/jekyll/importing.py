"""`fencepost import jekyll PATH --to DIR`: a blog of Jekyll's as a site of ours, for those who want to move.

Every post comes over as it is written, but for its Liquid, which becomes Markdown once, and for what has to be
said now: an address that our rules would not give it, a draft that is one by its folder. All that is changed
is listed.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder import urls
from builder.config import read_config
from builder.frozen import frozen
from builder.jekyll.precedence import beside
from builder.jekyll.rules import HTML, place_of
from builder.model import Config, Link, Post, Problem, SiteError
from builder.pages import theme_claims
from builder.posts import find_sources, parse_post, post_date, post_url, read_post
from builder.site import fold

_OPTIONS: Final = ("title", "description", "author", "language", "url", "baseurl", "timezone", "future")
_FOLDERS: Final = {"_posts": "posts", "_drafts": "drafts"}
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_SOURCE = re.compile(r"/_posts/([^\s)\"'#?]+)\.md")


@frozen
class Change:
    """What became of one file: where it is now ("": nowhere), and what was changed in it."""

    path: str
    to: str
    what: str


def import_jekyll(source: Path, target: Path) -> tuple[list[Change], tuple[Problem, ...]]:
    """Write the site of the folder `source` anew into the empty or new folder `target`.

    Return every change, and every problem of reading. Raises SiteError if `source` is no blog of Jekyll's or
    `target` holds anything.
    """
    config = read_config(source)
    if config.jekyll is None:
        message = "no blog of Jekyll's: no _config.yml and _posts"
        raise SiteError(Problem("error", str(source), 0, "config", message))
    if target.exists() and any(target.iterdir()):
        raise SiteError(Problem("error", str(target), 0, "output", "the folder is not empty"))
    target.mkdir(parents=True, exist_ok=True)
    (target / "fencepost.toml").write_text(_settings(config), encoding="utf-8")
    (target / "content").mkdir()
    new = read_config(target)
    sources, files, found = find_sources(config)
    problems = list(found)
    posts = []
    for one in sources:
        post, complaints = read_post(one, config)
        problems += complaints
        if post is not None:
            posts.append(post)
    places = {post.path: _place(post, config) for post in posts}
    named = {path.rpartition("/")[2].rpartition(".")[0]: place for path, place in places.items()}
    addresses = _addresses(posts, config)
    changes: list[Change] = []
    theme = {claim.output: claim.name for claim in theme_claims(new)}
    for post in posts:
        output = urls.output_path(addresses.get(post.path, "/"))
        if post.page and output in theme:
            changes.append(Change(post.path, "", f"left out: {theme[output]} takes its place"))
            continue
        text, said = _text(post, new, places[post.path], named, addresses.get(post.path, ""))
        _write(target / places[post.path], text.encode())
        changes.append(Change(post.path, places[post.path], said))
    for file in files:
        if file.path in theme:
            changes.append(Change(file.path, "", f"left out: {theme[file.path]} takes its place"))
            continue
        to = f"content/{file.path.lstrip('_')}"
        (target / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.file, target / to)
        changes.append(Change(file.path, to, ""))
    return changes, tuple(problems)


def _settings(config: Config) -> str:
    """The configuration of the new site."""
    lines = [
        f"{name} = {json.dumps(getattr(config, name), ensure_ascii=False)}"
        for name in _OPTIONS
        if getattr(config, name) not in ("", False)
    ]
    assert config.jekyll is not None
    try:
        urls.check_pattern(config.jekyll.permalink)
        lines.append(f"permalink = {json.dumps(config.jekyll.permalink)}")
    except ValueError:
        pass  # each post gets its own
    lines += _people(config)
    return "\n".join([*lines, 'dialect = "kramdown"', "", "[execute]", 'outputs = "authored"', ""])


def _people(config: Config) -> Iterator[str]:
    """The menu, and what is said of the author, as lines of TOML."""
    if config.navigation:
        yield f"navigation = {_links(config.navigation)}"
    for name in ("bio", "avatar", "location"):
        if value := getattr(config.profile, name):
            yield f"profile.{name} = {json.dumps(value, ensure_ascii=False)}"
    if config.profile.links:
        yield f"profile.links = {_links(config.profile.links)}"


def _links(links: Iterable[Link]) -> str:
    pairs = ((json.dumps(text, ensure_ascii=False) for text in (link.title, link.url)) for link in links)
    return f"[{', '.join(f'{{title = {title}, url = {url}}}' for title, url in pairs)}]"


def _place(post: Post, config: Config) -> str:
    """Where a post or page goes, from the new site's root."""
    assert config.jekyll is not None
    folders = [_FOLDERS.get(folder, folder.lstrip("_")) for folder in post.path.split("/")[:-1]]
    name = re.sub(r"\.[^.]+\Z", ".md", post.path.rpartition("/")[2])
    first = [] if place_of(post.path, config.jekyll).kind in ("post", "draft") else ["pages"]
    return "/".join(["content", *first, *folders, name])


def _addresses(posts: Iterable[Post], config: Config) -> dict[str, str]:
    """Return {path: URL}. Of two posts at one address the newer one has it, as in Jekyll; case does not count."""
    addresses: dict[str, str] = {}
    taken: set[str] = set()
    for post in sorted(posts, key=lambda one: (post_date(one, config), one.path), reverse=True):
        with contextlib.suppress(ValueError):
            url = post_url(post, config)
            if fold(urls.output_path(url)) in taken:
                url = beside(
                    url, post_date(post, config), lambda other: fold(urls.output_path(other)) in taken
                )
            taken.add(fold(urls.output_path(url)))
            addresses[post.path] = url
    return addresses


def _text(post: Post, new: Config, place: str, named: dict[str, str], wanted: str) -> tuple[str, str]:
    """The text of a post in the new site, where its address is `wanted`, and what is changed in it."""
    said = []
    text = post.markdown
    if post.liquid:
        text = _SOURCE.sub(lambda found: f"/{named.get(_name(found[1]), found[0].lstrip('/'))}", text)
        said.append("Liquid replaced")
    if post.path.endswith(HTML):
        said.append("HTML in a Markdown file")
    if post.front_matter.draft and not re.search(r"^draft:", post.text, re.MULTILINE):
        text, said = _with_line(text, "draft: true"), [*said, "`draft: true`"]
    for name, value in _said_by_defaults(post).items():
        text, said = _with_line(text, f"{name}: {value}"), [*said, f"`{name}: {value}` from the defaults"]
    plain = replace(new, jekyll=None)
    if parse_post(text, place, plain, False)[0].front_matter.categories != post.front_matter.categories:
        line = f"categories: {json.dumps(post.front_matter.categories, ensure_ascii=False)}"
        text, said = _with_line(_without_key(text, "category"), line), [*said, f"`{line}`"]
    moved, _ = parse_post(text, place, plain, place.startswith("content/pages/"))
    if wanted and _url(moved, new) != wanted:
        text = _with_line(text, f"permalink: {json.dumps(wanted.replace('%', '%25'), ensure_ascii=False)}")
        said.append(f"`permalink: {wanted}`")
    return text, ", ".join(said)


def _name(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path).rpartition("/")[2]


def _said_by_defaults(post: Post) -> dict[str, str]:
    """What a post has by `defaults` only, and we show."""
    return {"toc": "false"} if post.front_matter.toc is False and "toc" not in post.front_matter.lines else {}


def _url(post: Post, config: Config) -> str:
    date = post_date(post, config)
    try:
        return urls.permalink(config.permalink, post.front_matter, post.path, page=post.page, date=date)
    except ValueError:
        return ""


def _with_line(text: str, line: str) -> str:
    """`text` with one more line in its front matter; a second one of a key takes the first one's place."""
    end = "\r\n" if "\r\n" in text[:200] else "\n"
    opening = re.match(r"\ufeff?---[ \t]*\r?\n", text)
    if not opening:
        return f"---{end}{line}{end}---{end}{text.removeprefix(chr(0xFEFF))}"
    text = _without_key(text, line.partition(":")[0])
    closing = _CLOSING.search(text, opening.end())
    at = closing.start() if closing else len(text)
    return f"{text[:at]}{line}{end}{text[at:]}"


def _without_key(text: str, key: str) -> str:
    """`text` without a key of its front matter, and the lines that belong to it."""
    opening = re.match(r"\ufeff?---[ \t]*\r?\n", text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if not closing:
        return text
    entry = re.compile(rf"^{key}[ \t]*:.*\r?\n(?:(?:[ \t]+\S.*|[ \t]*-[ \t].*)\r?\n)*", re.MULTILINE)
    return entry.sub("", text[: closing.start()]) + text[closing.start() :]


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def differences(site: Path, old: Path, jobs: int) -> Iterator[str]:
    """Build the site in the folder `site`, and yield what is otherwise than in the folder `old`."""
    from builder.build import build
    from builder.jekyll.old_site import compare_sites

    config = read_config(site)
    build(config, jobs)
    for found in compare_sites(config.output, old):
        yield f"{found.address}: {found.kind}: {found.what}"
