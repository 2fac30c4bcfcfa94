"""What the last build knew: the files that it prepared, and what each page read of the site.

    posts    each source file, as it was then, and what was prepared of it
    pages    each page, and what it read (see views.py)

All of it is thrown away when the program or the configuration changes, and the pages when a template does.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from builder.assets import theme_folder
from builder.bodies import content_of
from builder.execute.keys import Values
from builder.kept import packed, read_kept, unpacked, write_kept
from builder.model import Article, Config, Heading, Problem
from builder.posts import Source
from builder.prepare import Prepared
from builder.site import Site
from builder.views import ABOUT, Key, Reads, value_of

Addresses = Mapping[str, tuple[str, ...]]
_ATTRIBUTES = tuple(f.name for f in fields(Article))
_FIELDS = tuple(f.name for f in fields(Prepared))
# Where, among the values of an article, stands what is no plain value.
_TOC, _DATE, _MODIFIED = map(_ATTRIBUTES.index, ("toc", "date", "last_modified"))
_EXTRA, _FACTS = map(_ATTRIBUTES.index, ("extra", "facts"))
# So many names are looked for in what all pages read; for more, it is quicker to take all of that apart.
MOST_NAMES = 16
# Attributes of an article that have no part in where it stands in any list. What is not named here has one.
_INNER = frozenset(
    {"body", "toc", "summary", "last_modified", "show_toc", "minutes", "description", "facts", "loads"}
    | {"markdown", "notebook", "script"}
)


@dataclass
class Memo:
    """What is known from the last build; empty where nothing can be used of it.

    What is kept of each post and of each page is packed for itself: what still holds is kept again as it is.
    """

    path: Path
    program: str  # a digest of all that preparing depends on besides the source files
    theme: str  # of all that pages depend on besides the site
    posts: dict[str, Prepared] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)  # path of a page -> what it read, packed
    common: Common = field(default_factory=lambda: Common())
    addresses: Addresses = field(default_factory=dict)
    _packed: dict[int, bytes] = field(default_factory=dict)  # id of a Prepared -> the same, packed

    @classmethod
    def read(cls, config: Config, *, frozen: bool) -> Memo:
        """Return what the last build of this configuration kept."""
        path = config.root / ".fencepost" / "memo"
        here = Path(__file__).resolve().parent
        program = _digest([repr(config), frozen, _stats(here, ".py"), _packages()])
        memo = cls(path, program, _digest([program, _stats(theme_folder()), _stats(config.templates)]))
        kept = read_kept(path)
        if kept is not None and kept["program"] == program:
            memo._take(kept)
        return memo

    def _take(self, kept: Mapping[str, Any]) -> None:
        self.addresses = kept["addresses"]
        for content in kept["posts"]:
            known = _prepared(unpacked(content))
            self.posts[known.path] = known
            self._packed[id(known)] = content
        if kept["theme"] == self.theme:
            self.pages = kept["pages"]
            self.common = Common(kept["common"])

    def unchanged(self, sources: Iterable[Source], values: Values, now: float) -> dict[str, Prepared]:
        """Return what is known of those sources that are as they were, with all that they depend on."""
        found = {}
        for source in sources:
            known = self.posts.get(source.path)
            if (
                known is not None
                and known.identity == source.identity
                and known.inputs is not None
                and not 0 < known.until <= now
                and all(values.of(kind, name) == value for kind, name, value in known.inputs)
            ):
                found[source.path] = known
        return found

    def stale_pages(self, paths: Iterable[str], site: Site) -> set[str]:
        """Return those of the pages `paths` that would read something else now than when they were made."""
        if not self.pages:
            return set(paths)
        articles = {path: known.article for path, known in self.posts.items() if known.article is not None}
        comparison = _Comparison(articles, self.addresses, site)
        return {path for path in paths if path not in self.pages} | comparison.others(self.pages, self.common)

    def write(
        self, posts: Mapping[str, Prepared], pages: Mapping[str, Reads | bytes], addresses: Addresses
    ) -> None:
        """Keep what a build knows now; what a page read that was not made again is packed already."""
        kept = {
            "program": self.program,
            "theme": self.theme,
            "addresses": {path: found for path, found in addresses.items() if found},
            "posts": [self._packed.get(id(known)) or packed(_plain(known)) for known in posts.values()],
            "pages": {
                path: reads if isinstance(reads, bytes) else packed(self.common.plain(reads))
                for path, reads in pages.items()
            },
            "common": self.common.values,
        }
        write_kept(self.path, kept)

    def erase(self) -> None:
        """Let the next build use nothing of the last one."""
        self.path.unlink(missing_ok=True)


class Common:
    """What many pages read alike, by its number: names of attributes, keys of the site, kinds of other keys."""

    def __init__(self, values: Iterable[tuple[Any, ...]] = ()) -> None:
        self.values = list(values)
        self._numbers = {value: number for number, value in enumerate(self.values)}

    def plain(self, reads: Reads) -> tuple[Any, ...]:
        """What a page read: of the site, of terms, and of each article its path and two numbers."""
        site, further, kinds = [], [], dict[str, list[str]]()
        for key in sorted(reads.others):
            if key[0] == "site":
                site.append(key)
            elif key[0] in ABOUT and key[1] in reads.articles:
                kinds.setdefault(key[1], []).append(key[0])
            else:
                further.append(key)
        plain: list[Any] = [self._number(site), further]
        for path, names in reads.articles.items():
            plain += (path, self._number(sorted(names)), self._number(kinds.get(path, ())))
        return tuple(plain)

    def reads(self, plain: Sequence[Any]) -> Reads:
        """The opposite of `plain`."""
        site, further, *articles = plain
        paths, names, kinds = articles[::3], articles[1::3], articles[2::3]
        about = (
            (kind, path) for path, number in zip(paths, kinds, strict=True) for kind in self.values[number]
        )
        return Reads(
            {path: set(self.values[number]) for path, number in zip(paths, names, strict=True)},
            {*self.values[site], *further, *about},
        )

    def _number(self, value: Iterable[Any]) -> int:
        value = tuple(value)
        if value not in self._numbers:
            self._numbers[value] = len(self.values)
            self.values.append(value)
        return self._numbers[value]


class _Comparison:
    """Which pages have read what is another in the new site than in the old one?"""

    def __init__(self, old: Mapping[str, Article], addresses: Addresses, new: Site) -> None:
        self._new = new
        self._changed = _changed_articles(old, addresses, new)
        self._same: dict[Key, bool] = {}
        # In most builds no post has come, gone or moved, and no tag: then all lists are as they were, only a page
        # that names an article that has changed can have read anything new, and no other need be looked at.
        self._same_lists = all(names <= {*_INNER, "html"} for names in self._changed.values())
        self._names = [path.encode("utf-8", "surrogatepass") for path in self._changed]
        if not self._same_lists:
            self._old = Site.of(new.config, old.values(), _no_body, addresses)

    def others(self, pages: Mapping[str, bytes], common: Common) -> set[str]:
        """Which of these pages, each with what it read, would read something else now?"""
        suspects: Iterable[str] = pages
        if self._same_lists and len(self._names) < MOST_NAMES:
            suspects = {path for name in self._names for path, reads in pages.items() if name in reads}
        return {path for path in suspects if not self._is_same(common.reads(unpacked(pages[path])))}

    def _is_same(self, reads: Reads) -> bool:
        """Would a page that read this read the same now?"""
        changed = self._changed
        if changed and any(name in changed and changed[name] & read for name, read in reads.articles.items()):
            return False
        return self._same_lists or all(map(self._has_same_value, reads.others))

    def _has_same_value(self, key: Key) -> bool:
        if key not in self._same:
            self._same[key] = value_of(self._old, key) == value_of(self._new, key)
        return self._same[key]


def _no_body(name: str) -> str:
    raise AssertionError(f"the body {name} of an old article is not read")


def _changed_articles(old: Mapping[str, Article], addresses: Addresses, new: Site) -> dict[str, set[str]]:
    """Return {path: names of the attributes that have another value, or none any more}."""
    changed = {}
    present = {article.path: article for article in (*new.articles, *new.pages)}
    for path in old.keys() | present.keys():
        before, after = old.get(path), present.get(path)
        names = {"html"} if addresses.get(path, ()) != new.addresses.get(path, ()) else set()
        if before is None or after is None:
            names |= {*_ATTRIBUTES, "html"}
        elif before is not after:
            names |= {name for name in _ATTRIBUTES if getattr(before, name) != getattr(after, name)}
            if content_of(before.body) != content_of(after.body):
                names.add("html")
        if names:
            changed[path] = names
    return changed


# --- to and from plain values ------------------------------------------------------------------


def _plain(known: Prepared) -> tuple[Any, ...]:
    """The values of what is known, in the order of its fields; so are those of its article and its problems."""
    plain = {name: getattr(known, name) for name in _FIELDS}
    plain["problems"] = tuple(tuple(getattr(p, f.name) for f in fields(Problem)) for p in known.problems)
    if known.article is not None:
        article: list[Any] = [getattr(known.article, name) for name in _ATTRIBUTES]
        toc = known.article.toc
        article[_TOC] = toc.packed if isinstance(toc, _Toc) else packed(tuple(map(_plain_heading, toc)))
        article[_DATE], article[_MODIFIED] = map(
            _plain_date, (known.article.date, known.article.last_modified)
        )
        article[_EXTRA] = _json(dict(known.article.extra)) if known.article.extra else ""
        article[_FACTS] = dict(known.article.facts)
        plain["article"] = article
    return tuple(plain.values())


def _prepared(plain: Sequence[Any]) -> Prepared:
    path, identity, article, left_out, until, problems, *further = plain
    return Prepared(
        path,
        identity,
        None if article is None else _article(article),
        left_out,
        until,
        tuple([Problem(*values) for values in problems]) if problems else (),
        *further,
    )


def _article(plain: list[Any]) -> Article:
    plain[_TOC] = _Toc(plain[_TOC])
    plain[_DATE], plain[_MODIFIED] = _date(plain[_DATE]), _date(plain[_MODIFIED])
    plain[_EXTRA] = _untagged(json.loads(plain[_EXTRA])) if plain[_EXTRA] else {}
    return Article(*plain)


class _Toc(Sequence[Heading]):
    """A table of contents that is unpacked where it is looked at: in most builds, nearly none is."""

    __slots__ = ("packed",)

    def __init__(self, content: bytes) -> None:
        self.packed = content

    def __len__(self) -> int:
        return len(unpacked(self.packed))

    def __getitem__(self, index: Any) -> Any:
        return tuple([_heading(*heading) for heading in unpacked(self.packed)])[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self[:] == tuple(other)

    def __hash__(self) -> int:
        return hash(self[:])


def _plain_heading(heading: Heading) -> tuple[Any, ...]:
    return heading.level, heading.id, heading.html, tuple(map(_plain_heading, heading.children))


def _heading(level: int, name: str, html: str, children: tuple[Any, ...]) -> Heading:
    return Heading(level, name, html, tuple([_heading(*child) for child in children]))


def _plain_date(moment: datetime | None) -> tuple[str, str] | None:
    """When, and the name of its zone, if that has one."""
    return None if moment is None else (moment.isoformat(), str(getattr(moment.tzinfo, "key", "")))


def _date(plain: tuple[str, str] | None) -> datetime | None:
    if plain is None:
        return None
    moment = datetime.fromisoformat(plain[0])
    return moment.replace(tzinfo=ZoneInfo(plain[1])) if plain[1] else moment


# What authors write besides is whatever YAML gives.


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_tagged)


def _tagged(value: object) -> Any:
    """A value of YAML that JSON does not have."""
    if isinstance(value, datetime):
        return {"!": "datetime", "of": _plain_date(value)}
    if isinstance(value, date):
        return {"!": "date", "iso": value.isoformat()}
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(member) for member in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("!")
    if kind == "date":
        return date.fromisoformat(value["iso"])
    if kind == "datetime":
        return _date(value["of"])
    return {name: _untagged(member) for name, member in value.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("utf-8", "surrogatepass")).hexdigest()


def _packages() -> list[list[object]]:
    """Where libraries are installed, and when something was last installed there."""
    places = [path for path in sys.path if path.endswith("-packages") and os.path.isdir(path)]
    return [[sys.version], *([path, os.stat(path).st_mtime_ns] for path in places)]


def _stats(folder: Path, suffix: str = "") -> list[list[object]]:
    """Name, size and time of every file below a folder."""
    found: list[list[object]] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            if name.endswith(suffix):
                stat = os.stat(os.path.join(place, name))
                found.append([os.path.join(place, name), stat.st_size, stat.st_mtime_ns])
    return found
