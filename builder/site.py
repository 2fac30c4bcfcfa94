"""Articles -> Site: their order, their neighbours, their tags and categories, and who claims which address.

A `Site` is what templates read: frozen, its members are tuples, and every question is answered from an
index made once.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from html import escape
from itertools import chain
from operator import attrgetter

from builder.frozen import frozen
from builder.kinship import Kinship
from builder.model import Article, Config, Problem, Term
from builder.urls import output_path

# What stands in a body in place of its n-th link into the site, until all addresses of the site are known.
LINK = "\ue000{}\ue001"


@frozen
class Claim:
    """Somebody wants to be the file `output` of the output folder.

    `source` is the file where a person mends it, `name` says who it is in a message.
    """

    output: str
    source: str
    name: str


@frozen
class Site:
    """All that is published, in order.

    articles    the posts, newest first, posts of one moment by path
    pages       the articles outside lists and feeds, by title
    tags, categories, series    by name; a page (an article outside lists) is under none of them
    addresses   path of an article -> where its links into the site lead, in their order
    """

    config: Config
    articles: tuple[Article, ...]
    pages: tuple[Article, ...]
    tags: tuple[Term, ...]
    categories: tuple[Term, ...]
    series: tuple[Term, ...]
    addresses: Mapping[str, tuple[str, ...]]
    _read: Callable[[str], str] = field(repr=False, compare=False)  # the name of a body -> its HTML
    _paths: Mapping[str, Article] = field(repr=False, compare=False)
    _terms: Mapping[str, Term] = field(repr=False, compare=False)  # by URL
    _translations: Mapping[str, tuple[Article, ...]] = field(repr=False, compare=False)
    _place: Mapping[str, int] = field(repr=False, compare=False)  # path -> index in articles
    _tag: Mapping[str, Term] = field(repr=False, compare=False)  # term_key -> Term
    _category: Mapping[str, Term] = field(repr=False, compare=False)
    _series: Mapping[str, Term] = field(repr=False, compare=False)
    _kinship: Kinship = field(repr=False, compare=False)

    @classmethod
    def of(
        cls,
        config: Config,
        articles: Iterable[Article],
        read: Callable[[str], str],
        addresses: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Site:
        """The site of these articles, in whatever order they come. `read` gives the HTML of a body."""
        everything = sorted(articles, key=attrgetter("path"))
        posts = sorted(
            (article for article in everything if not article.page),
            key=attrgetter("date"),
            reverse=True,  # stable: equal dates stay in the order of their paths
        )
        pages = sorted((article for article in everything if article.page), key=lambda page: fold(page.title))
        tags = _terms("/tags/", posts, [article.tags for article in posts])
        categories = _terms("/categories/", posts, [article.categories for article in posts])
        series = _terms("/series/", posts, [_series_names(article) for article in posts])
        return cls(
            config=config,
            articles=tuple(posts),
            pages=tuple(pages),
            tags=tuple(tags.values()),
            categories=tuple(categories.values()),
            series=tuple(series.values()),
            addresses=addresses or {},
            _read=read,
            _paths={article.path: article for article in everything},
            _terms={term.url: term for term in (*tags.values(), *categories.values(), *series.values())},
            _translations=_translations(everything),
            _place={article.path: place for place, article in enumerate(posts)},
            _tag=tags,
            _category=categories,
            _series=series,
            _kinship=Kinship(posts),
        )

    def html(self, article: Article) -> str:
        """The body of an article, its links leading where they should."""
        text = self._read(article.body)
        for number, address in enumerate(self.addresses.get(article.path, ())):
            text = text.replace(LINK.format(number), escape(address))
        return text

    def copy(self, article: Article, kind: str) -> str:
        """The `markdown`, `notebook` or `script` of an article, with absolute links into the site; "" for none."""
        name = getattr(article, kind)
        text = self._read(name) if name else ""
        for number, address in enumerate(self.addresses.get(article.path, ())):
            leads = f"{self.config.url}{address}" if address.startswith("/") else address
            text = text.replace(LINK.format(number), json.dumps(leads)[1:-1] if kind == "notebook" else leads)
        return text

    def translations(self, article: Article) -> tuple[Article, ...]:
        """The articles that say the same in other languages, and this one: those of its `translation_key`."""
        return self._translations.get(translation_key(article), ())

    def find(self, path: str) -> Article | None:
        """The article made of the file `path`, if there is one."""
        return self._paths.get(path)

    def at(self, path: str) -> Article:
        """The article made of the file `path`. Raises KeyError if there is none."""
        return self._paths[path]

    def term(self, url: str) -> Term:
        """The tag or category at an address. Raises KeyError if there is none."""
        return self._terms[url]

    def term_members(self, url: str) -> tuple[Article, ...]:
        """The articles of the tag or category at an address; none if there is no such term."""
        term = self._terms.get(url)
        return term.articles if term else ()

    def neighbours(self, article: Article) -> tuple[Article | None, Article | None]:
        """The next older and the next newer post; for a page, nobody."""
        place = self._place.get(article.path)
        if place is None:
            return None, None
        older = self.articles[place + 1] if place + 1 < len(self.articles) else None
        newer = self.articles[place - 1] if place > 0 else None
        return older, newer

    def tags_of(self, article: Article) -> tuple[Term, ...]:
        """The tags of a post in its author's order, each once."""
        return _look_up(self._tag, article.tags)

    def categories_of(self, article: Article) -> tuple[Term, ...]:
        """The categories of a post in its author's order, each once."""
        return _look_up(self._category, article.categories)

    def series_of(self, article: Article) -> tuple[Term, ...]:
        """The series that a post is a part of; at most one."""
        return _look_up(self._series, _series_names(article))

    def related(self, article: Article) -> tuple[Article, ...]:
        """The posts that are nearest to a post by tags and words of the title; none of its own series."""
        place = self._place.get(article.path)
        if place is None:
            return ()
        series = self.series_of(article)
        return self._kinship.nearest(place, {other.path for term in series for other in term.articles})

    def claims(self) -> Iterator[Claim]:
        """The files that the articles and the terms want to be."""
        for article in (*self.articles, *self.pages):
            yield Claim(output_path(article.url), article.path, article.path)
        for word, terms in (("tag", self.tags), ("category", self.categories), ("series", self.series)):
            for term in terms:
                source = term.articles[-1].path
                yield Claim(output_path(term.url), source, f"the {word} `{term.name}`")


def collisions(claims: Iterable[Claim]) -> tuple[Problem, ...]:
    """One Problem for each claim on a file that is another's already, or that is another's folder.

    Paths that differ only in case or in Unicode form are one: many file systems keep only one of them.
    """
    claims = list(claims)
    paths = [fold(claim.output) for claim in claims]
    return () if _are_apart(paths) else _collisions(claims, paths)


def _are_apart(paths: Sequence[str]) -> bool:
    """Is none of these paths there twice, and none a folder of another?"""
    folders: set[str] = set()
    for path in paths:
        folder = path[: path.rfind("/") + 1]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder[: folder.rfind("/", 0, -1) + 1]
    files = {*paths}
    return len(files) == len(paths) and not any(folder[:-1] in files for folder in folders)


def _collisions(claims: Iterable[Claim], paths: Iterable[str]) -> tuple[Problem, ...]:
    owners: dict[str, Claim] = {}
    folders: dict[str, Claim] = {}
    problems = []
    for claim, path in zip(claims, paths, strict=True):
        parents, slash = [], path.find("/")
        while slash >= 0:
            parents.append(path[:slash])
            slash = path.find("/", slash + 1)
        rival = owners.get(path) or folders.get(path) or next(filter(None, map(owners.get, parents)), None)
        if rival is None:
            owners[path] = claim
            for parent in parents:
                folders.setdefault(parent, claim)
            continue
        address = f"/{claim.output}".removesuffix("index.html")
        problems.append(
            Problem(
                "error",
                claim.source,
                0,
                "url",
                f"{claim.name} and {rival.name} would both be at {address}",
                hint="give one of them another name or permalink",
            )
        )
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.message)))


@cache
def fold(text: str) -> str:
    """One form for all spellings of a text that differ in case, Unicode form or outer space only."""
    if text.isascii():
        return text.lower().strip()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def _terms(folder: str, posts: Sequence[Article], uses: Sequence[Sequence[str]]) -> dict[str, Term]:
    """The terms that posts, newest first, use: folded name -> Term, in the order of names."""
    written: dict[str, list[int]] = {}  # a name as authors write it -> the posts, oldest first
    for place in range(len(posts) - 1, -1, -1):
        for name in uses[place]:
            written.setdefault(name, []).append(place)
    spellings: dict[str, dict[str, list[int]]] = {}
    for name, places in written.items():
        if key := fold(name):
            spelling = unicodedata.normalize("NFC", name).strip()
            spellings.setdefault(key, {}).setdefault(spelling, []).extend(places)
    terms = {}
    for key, found in sorted(spellings.items()):
        name = max(found, key=lambda spelling: len(found[spelling]))  # of equally frequent ones, the oldest
        articles = [posts[place] for place in sorted({*chain(*found.values())})]
        terms[key] = Term(name, f"{folder}{_segment(key)}/", tuple(articles))
    return terms


def _series_names(article: Article) -> tuple[str, ...]:
    """What `series:` in the front matter of a post says: one name, also where it is a list."""
    value = article.extra.get("series") if article.extra else None
    first = value[0] if isinstance(value, list) and value else value
    return (first,) if isinstance(first, str) else ()


def translation_key(article: Article) -> str:
    """What an article and its translations have in common, as its front matter says; "" for nothing."""
    key = article.extra.get("translation_key") if article.extra else None
    return str(key) if isinstance(key, str | int) and not isinstance(key, bool) else ""


def _translations(articles: Iterable[Article]) -> dict[str, tuple[Article, ...]]:
    found: dict[str, list[Article]] = {}
    for article in articles:
        if key := translation_key(article):
            found.setdefault(key, []).append(article)
    return {key: tuple(members) for key, members in found.items() if len(members) > 1}


def _look_up(terms: Mapping[str, Term], names: tuple[str, ...]) -> tuple[Term, ...]:
    keys = dict.fromkeys(map(fold, names))
    return tuple([terms[key] for key in keys if key in terms])


def term_url(folder: str, name: str) -> str:
    """The address of the tag or category `name` below `folder` (`/tags/`), whether it is there or not."""
    return f"{folder}{_segment(fold(name))}/"


def _segment(key: str) -> str:
    """A folded name as one part of an address: never empty, a dot, a path, or too long for a file system."""
    safe = re.sub(r'[\s/\\<>:"|?*\x00-\x1f\x7f\ud800-\udfff]+', "-", key).strip("-.")
    if not safe:
        return "-".join(f"{ord(character):x}" for character in key[:8])
    if len(raw := safe.encode()) > 200:
        return f"{raw[:160].decode(errors='ignore')}-{hashlib.sha256(raw).hexdigest()[:16]}"
    return safe
