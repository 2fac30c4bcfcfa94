"""What differs between a site of ours and the one that Jekyll built of the same posts.

Pages are paired by their addresses; of each pair the headings, the fragments that links of the old site need,
and the visible words are compared. Of an old page only the part is read that holds the article: a theme's own
words are nobody's loss.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from builder.frozen import frozen

# Where themes put the body of an article, the surest sign first.
_BODIES: Final = (
    *("class:page__content", "class:post-content", "class:post__content", "class:e-content", "class:prose"),
    *("itemprop:text", "itemprop:articleBody", "tag:article", "tag:main", "tag:body"),
)
_SILENT: Final = frozenset({"script", "style", "head", "template", "noscript", "math"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID: Final = _words("area base br col embed hr img input link meta source track wbr")
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS: Final = _words(
    "address article aside blockquote br dd details div dl dt figcaption figure footer h1 h2 h3 "
    "h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_FEED_LINK = re.compile(r"""<link\b[^>]*\bhref=["']([^"']+)""")
_WORD = re.compile(r"\w+")


@frozen
class Difference:
    """One thing that is otherwise: the address of the page, what kind of thing, and what about it."""

    address: str
    kind: str  # "address", "title", "date", "tag", "heading", "fragment", "link", "words", "feed"
    what: str


@dataclass
class OldPage:
    """What a page says: title, day and tags, the ids of its headings, all its ids, its links, its words."""

    title: str = ""
    date: str = ""  # 2023-03-06
    tags: set[str] = field(default_factory=set)
    headings: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def compare_sites(ours: Path, old: Path) -> Iterator[Difference]:
    """Yield what a reader of the site in the folder `old` would miss or find changed in `ours`.

    Lists of posts (home, archives, pages of a pagination) are other pages here and are not compared, and
    neither are files that are no pages.
    """
    for path in sorted(old.rglob("*.html")):
        name = path.relative_to(old).as_posix()
        address = "/" + name.removesuffix("index.html")
        page = read_page(path.read_text(encoding="utf-8", errors="replace"))
        if not page.words or re.search(r"(?:^|/)page/?\d+/", name) or name in ("index.html", "404.html"):
            continue
        if not (ours / name).is_file():
            yield Difference(address, "address", "there is no such page now")
            continue
        yield from compare_pages(address, page, read_page((ours / name).read_text(encoding="utf-8")))
        for link in dict.fromkeys(page.links):
            target = _file(link, address)
            if target and _is_there(old, target) and not _is_there(ours, target):
                yield Difference(address, "link", f"{link} leads nowhere now")

    yield from _feed(ours, old)


def _feed(ours: Path, old: Path) -> Iterator[Difference]:
    """The entries of the old feed that lead to pages which are not there now."""
    for name in ("feed.xml", "atom.xml"):
        if (old / name).is_file():
            text = (old / name).read_text(encoding="utf-8", errors="replace")
            for link in dict.fromkeys(_FEED_LINK.findall(text)):
                path = unquote(urlsplit(unescape(link)).path).strip("/")
                if path and _is_there(old, path) and not _is_there(ours, path):
                    yield Difference(f"/{name}", "feed", f"{link} leads nowhere now")


def _file(link: str, address: str) -> str:
    """The path in the output folder that a link leads to from a page; "" if it leads out of the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return ""
    return posixpath.normpath(posixpath.join(address.rpartition("/")[0] or "/", unquote(parts.path))).lstrip(
        "/"
    )


def _is_there(site: Path, path: str) -> bool:
    """Does a server show anything at this path?"""
    target = site / path
    try:
        return target.is_file() or (target / "index.html").is_file() or (site / f"{path}.html").is_file()
    except (OSError, ValueError):
        return False


def compare_pages(address: str, old: OldPage, new: OldPage) -> Iterator[Difference]:
    """Yield what differs between two pages at one address."""
    title = new.title.rpartition(" · ")[0] or new.title
    if old.title and title not in old.title:
        yield Difference(address, "title", f"{old.title!r} -> {title!r}")
    if old.date and new.date and old.date != new.date:
        yield Difference(address, "date", f"{old.date} -> {new.date}")
    for tag in sorted({tag for tag in old.tags if tag.casefold() not in set(map(str.casefold, new.tags))}):
        yield Difference(address, "tag", f"{tag!r} is no more")
    if old.headings != new.headings:
        for line in _changes(old.headings, new.headings):
            yield Difference(address, "heading", line)
    for link in old.links:
        fragment = link.partition("#")[2]
        if link.startswith("#") and fragment in old.ids and fragment not in new.ids:
            yield Difference(address, "fragment", f"#{fragment} leads nowhere now")
    for line in _changes(old.words, new.words):
        yield Difference(address, "words", line)


def _changes(old: list[str], new: list[str]) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if old == new:
        return
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield f"{' '.join(old[a:b][:12])!r} -> {' '.join(new[c:d][:12])!r}"


def read_page(html: str) -> OldPage:
    """Read the article of a page, wherever its theme has put it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page()


class _Reader(HTMLParser):
    """Collects, for each place where the article may be, what stands in it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []  # open elements, and the sign of a body that each is, or ""
        self.found: dict[str, OldPage] = {}
        self.text: dict[str, list[str]] = {}
        self.silent = 0
        self.title: list[str] = []
        self.date = ""
        self.tags: list[str] = []
        self.in_tag = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        sign = self._sign(tag, given)
        if tag == "time" and not self.date:
            self.date = given.get("datetime", "")[:10]
        if tag == "a":
            self.in_tag = given.get("rel") == "tag"
            self.tags += [""] if self.in_tag else []
        if tag == "math" and not self.silent:
            for name in self._places():
                self.text[name].append(f" {given.get('alttext', '')} ")
        if tag not in _VOID:
            self.open.append((tag, sign))
            self.silent += tag in _SILENT
        if sign and sign not in self.found:
            self.found[sign], self.text[sign] = OldPage(), []
        for name in self._places():
            page = self.found[name]
            if tag in _HEADINGS and "id" in given:
                page.headings.append(given["id"])
            if "id" in given:
                page.ids.add(given["id"])
            if tag == "a" and given.get("href"):
                page.links.append(given["href"])
            if tag in _BLOCKS:
                self.text[name].append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.in_tag = self.in_tag and tag != "a"
        if not any(name == tag for name, _ in self.open):
            return
        while self.open:
            name, sign = self.open.pop()
            self.silent -= name in _SILENT
            if name in _BLOCKS:
                for place in (*self._places(), *([sign] if sign else [])):
                    self.text[place].append(" ")
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        elements = [name for name, _ in self.open]
        if elements[-1:] == ["title"]:
            self.title.append(data)
        if self.in_tag:
            self.tags[-1] += data
        if not self.silent:
            for name in self._places():
                self.text[name].append(data)

    def page(self) -> OldPage:
        """What was found in the surest place."""
        sign = next((sign for sign in _BODIES if sign in self.found), "")
        page = self.found[sign] if sign else OldPage()
        page.title = " ".join("".join(self.title).split())
        page.date = self.date
        page.tags = {" ".join(tag.split()).lstrip("#") for tag in self.tags if tag.strip()}
        if not sign:
            return page
        page.words = _WORD.findall(unicodedata.normalize("NFC", "".join(self.text[sign])))
        return page

    def _places(self) -> Iterator[str]:
        return iter(dict.fromkeys(sign for _, sign in self.open if sign))

    @staticmethod
    def _sign(tag: str, given: Mapping[str, str]) -> str:
        names = given.get("class", "").split()
        for sign in _BODIES:
            kind, _, wanted = sign.partition(":")
            if (
                (kind == "class" and wanted in names)
                or (kind == "itemprop" and given.get("itemprop") == wanted)
                or (kind == "tag" and tag == wanted)
            ):
                return sign
        return ""
