"""`fencepost import jekyll PATH --to DIR`: a blog of Jekyll's as a site of ours, for those who want to move.

Every post comes over as it is written, but for its Liquid, which becomes Markdown once, and for what has to be
said now: an address that our rules would not give it, a draft that is one by its folder. All that is changed
is listed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from builder import urls
from builder.config import read_config
from builder.jekyll import HTML, place_of
from builder.model import Config, Post, Problem, SiteError
from builder.posts import find_sources, parse_post, post_date, post_url, read_post

_OPTIONS: Final = ("title", "description", "author", "language", "url", "baseurl", "timezone", "future")
_FOLDERS: Final = {"_posts": "posts", "_drafts": "drafts"}
_SOURCE = re.compile(r"/_posts/([^\s)\"'#?]+)\.md")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one file: where it is now, and what was changed in it."""

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
    changes: list[Change] = []
    for post in posts:
        text, said = _text(post, config, new, places[post.path], named)
        _write(target / places[post.path], text.encode())
        changes.append(Change(post.path, places[post.path], said))
    for file in files:
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
    return "\n".join([*lines, 'dialect = "kramdown"', "", "[execute]", 'outputs = "authored"', ""])


def _place(post: Post, config: Config) -> str:
    """Where a post or page goes, from the new site's root."""
    assert config.jekyll is not None
    folders = [_FOLDERS.get(folder, folder.lstrip("_")) for folder in post.path.split("/")[:-1]]
    name = re.sub(r"\.[^.]+\Z", ".md", post.path.rpartition("/")[2])
    first = [] if place_of(post.path, config.jekyll).kind in ("post", "draft") else ["pages"]
    return "/".join(["content", *first, *folders, name])


def _text(post: Post, config: Config, new: Config, place: str, named: dict[str, str]) -> tuple[str, str]:
    """The text of a post in the new site, and what is changed in it."""
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
    try:
        wanted = post_url(post, config)
    except ValueError:
        return text, ", ".join(said)
    moved, _ = parse_post(text, place, replace(new, jekyll=None), place.startswith("content/pages/"))
    if _url(moved, new) != wanted:
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
    key = line.partition(":")[0]
    closing = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE).search(text, opening.end())
    head, rest = (text[: closing.start()], text[closing.start() :]) if closing else (text, "")
    head = re.sub(rf"^{key}:.*\r?\n", "", head, flags=re.MULTILINE)
    return f"{head}{line}{end}{rest}"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def differences(site: Path, old: Path, jobs: int) -> Iterator[str]:
    """Build the site in the folder `site`, and yield what is otherwise than in the folder `old`."""
    from builder.build import build
    from builder.old_site import compare_sites

    config = read_config(site)
    build(config, jobs)
    for found in compare_sites(config.output, old):
        yield f"{found.address}: {found.kind}: {found.what}"
