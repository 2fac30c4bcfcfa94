"""What templates see of the site, read-only, and a note of all that a page has read of it.

A page is made again only when something that it read has another value. What was read is kept by name:

    reads.articles   {path: names of attributes}, among them `html`
    reads.others     ("site", "tags"), ("term", url), ("neighbours", path), …: see `value_of`

What is read of a whole list at once is noted as read of every article of the site, under the path EVERY.

so that any template, also a site's own, is always right and never slow for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar, overload

from builder.model import Article, Config, Term
from builder.site import Site

T = TypeVar("T")
Key: TypeAlias = tuple[str, ...]
# The first words of keys that ask something about one article, whose path is the second.
ABOUT = frozenset({"neighbours", "tags_of", "categories_of", "series_of", "related", "translations"})
EVERY = "//every"  # no path of an article


@dataclass
class Reads:
    """What one page has read."""

    articles: dict[str, set[str]] = field(default_factory=dict)
    others: set[Key] = field(default_factory=set)


class Pieces(Generic[T]):
    """What is the same on all pages that show it, and is made once: it sees nothing of the page.

    `make` is given the site, and by what names the piece is asked for.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make
        self._made: dict[tuple[str, ...], tuple[T, Reads]] = {}

    def of(self, site: SiteView, *names: str) -> T:
        """The piece of these names, for a page that sees `site`: it reads all that was read for the piece."""
        if names not in self._made:
            reads = Reads()
            self._made[names] = self._make(site.noting(reads), *names), reads
        piece, reads = self._made[names]
        site.note(reads)
        return piece


class ArticleView:
    """An article whose attributes, once read, are noted, and known from then on."""

    def __init__(self, article: Article, site: Site, reads: Reads) -> None:
        self._article = article
        self._site = site
        self._names = reads.articles.setdefault(article.path, set())

    def __getattr__(self, name: str) -> Any:
        return _Read(name).__get__(self, ArticleView)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArticleView) and other._article is self._article

    def __hash__(self) -> int:
        return hash(self._article.path)


class _Read:
    """An attribute of the articles that are seen: it is noted, and no more asked for here once the view has it.

    Python finds it in a third of the time that it takes to find nothing and to call `__getattr__`.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, seen: ArticleView, kind: type[ArticleView]) -> Any:
        name, article = self._name, seen._article
        value = seen._site.html(article) if name == "html" else getattr(article, name)
        seen._names.add(name)
        seen.__dict__[name] = value
        return value


for _name in ("html", *(each.name for each in fields(Article))):
    setattr(ArticleView, _name, _Read(_name))


class TermView:
    """A tag or category: its name and address, which never change for one address, and its articles."""

    __slots__ = ("_reads", "_site", "_term", "name", "url")

    def __init__(self, term: Term, site: Site, reads: Reads) -> None:
        self.name = term.name
        self.url = term.url
        self._term = term
        self._site = site
        self._reads = reads

    @property
    def articles(self) -> ViewOf:
        return ViewOf(("term", self._term.url), self._term.articles, self._site, self._reads)


class ViewOf(Sequence[Any]):
    """A tuple of articles or terms: whether it is empty, how long it is, and what is in it are noted apart."""

    __slots__ = ("_key", "_members", "_reads", "_site")

    def __init__(self, key: Key, members: tuple[Any, ...], site: Site, reads: Reads) -> None:
        self._key = key
        self._members = members
        self._site = site
        self._reads = reads

    def __bool__(self) -> bool:
        self._reads.others.add((*self._key, "any"))
        return bool(self._members)

    def __len__(self) -> int:
        self._reads.others.add((*self._key, "length"))
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        self._reads.others.add((*self._key, "all"))
        return (self._viewed(member) for member in self._members)

    def rows(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """These attributes of each article: what a file about all of them reads."""
        self._reads.others.add((*self._key, "all"))
        self._reads.articles.setdefault(EVERY, set()).update(names)
        return map(attrgetter(*names), self._members)

    def __contains__(self, other: object) -> bool:
        return any(member == other for member in self)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            self._reads.others.add((*self._key, str(index.start), str(index.stop), str(index.step)))
            return [self._viewed(member) for member in self._members[index]]
        self._reads.others.add((*self._key, "all"))
        return self._viewed(self._members[index])

    def _viewed(self, member: Article | Term) -> Any:
        return view(member, self._site, self._reads)


class SiteView:
    """The site as one page sees it."""

    def __init__(self, site: Site, reads: Reads, url: str = "") -> None:
        self._site = site
        self._reads = reads
        self.config: Config = site.config
        self.url = url  # of the page itself; "": of none that can be linked to

    @property
    def articles(self) -> ViewOf:
        return self._view("articles")

    @property
    def pages(self) -> ViewOf:
        return self._view("pages")

    @property
    def tags(self) -> ViewOf:
        return self._view("tags")

    @property
    def categories(self) -> ViewOf:
        return self._view("categories")

    @property
    def series(self) -> ViewOf:
        return self._view("series")

    def article(self, path: str) -> ArticleView:
        """The article made of the file `path`."""
        return ArticleView(self._site.at(path), self._site, self._reads)

    def name_of(self, article: ArticleView) -> str:
        """The path of an article, which is no news of it."""
        return article._article.path

    def noting(self, reads: Reads) -> SiteView:
        """The same site, for what is read apart, and is no part of this page alone."""
        return SiteView(self._site, reads)

    def note(self, reads: Reads) -> None:
        """Take what was read apart for read here, too."""
        for path, names in reads.articles.items():
            self._reads.articles.setdefault(path, set()).update(names)
        self._reads.others |= reads.others

    def term(self, url: str) -> TermView:
        """The tag or category at an address."""
        return TermView(self._site.term(url), self._site, self._reads)

    def neighbours(self, article: ArticleView) -> tuple[ArticleView | None, ArticleView | None]:
        """The next older and the next newer post; for a page, nobody."""
        older, newer = self._noted("neighbours", article, self._site.neighbours)
        return (
            None if older is None else ArticleView(older, self._site, self._reads),
            None if newer is None else ArticleView(newer, self._site, self._reads),
        )

    def tags_of(self, article: ArticleView) -> list[TermView]:
        """The tags of a post in its author's order, each once."""
        terms = self._noted("tags_of", article, self._site.tags_of)
        return [TermView(term, self._site, self._reads) for term in terms]

    def categories_of(self, article: ArticleView) -> list[TermView]:
        """The categories of a post in its author's order, each once."""
        terms = self._noted("categories_of", article, self._site.categories_of)
        return [TermView(term, self._site, self._reads) for term in terms]

    def series_of(self, article: ArticleView) -> list[TermView]:
        """The series that a post is a part of; at most one."""
        terms = self._noted("series_of", article, self._site.series_of)
        return [TermView(term, self._site, self._reads) for term in terms]

    def related(self, article: ArticleView) -> list[ArticleView]:
        """The posts that are nearest to a post."""
        found = self._noted("related", article, self._site.related)
        return [ArticleView(other, self._site, self._reads) for other in found]

    def copy(self, article: ArticleView, kind: str) -> str:
        """The `markdown`, `notebook` or `script` of an article; "" for none."""
        article._names.update((kind, "html"))  # whose links lead where those of the copy lead
        return self._site.copy(article._article, kind)

    def translations(self, article: ArticleView) -> list[ArticleView]:
        """The articles that say the same in other languages, and this one; none where it has no translation."""
        found = self._noted("translations", article, self._site.translations)
        return [ArticleView(other, self._site, self._reads) for other in found]

    def shown(self) -> list[ArticleView]:
        """The articles whose HTML this page has read so far."""
        paths = [path for path, names in self._reads.articles.items() if "html" in names]
        return [self.article(path) for path in paths]

    def _view(self, name: str) -> ViewOf:
        return ViewOf(("site", name), getattr(self._site, name), self._site, self._reads)

    def _noted(self, name: str, article: ArticleView, ask: Callable[[Article], Any]) -> Any:
        self._reads.others.add((name, article._article.path))
        return ask(article._article)


def view(member: Article | Term, site: Site, reads: Reads) -> ArticleView | TermView:
    """Return what a template sees of an article or a term."""
    if isinstance(member, Article):
        return ArticleView(member, site, reads)
    return TermView(member, site, reads)


def value_of(site: Site, key: Key) -> Any:
    """Return what a page reads under a key that is no attribute of an article; None if there is none."""
    kind, name, *rest = key
    if kind in ABOUT:
        article = site.find(name)
        if article is None:
            return None
        found = getattr(site, kind)(article)
        return tuple(None if member is None else _identity(member) for member in found)
    members = getattr(site, name) if kind == "site" else site.term_members(name)
    match rest:
        case ["any"]:
            return bool(members)
        case ["length"]:
            return len(members)
        case [_, _, _]:
            members = members[slice(*(None if text == "None" else int(text) for text in rest))]
    return tuple(map(_identity, members))


def _identity(member: Article | Term) -> tuple[str, ...]:
    return (member.path,) if isinstance(member, Article) else (member.url, member.name)
