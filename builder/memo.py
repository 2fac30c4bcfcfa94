"""What the last build knew: the files that it prepared, and what each page read of the site.

    posts    each source file, as it was then, and what was prepared of it
    pages    each page, and what it read (see views.py)

All of it is thrown away when the program or the configuration changes; the pages also when a template does, and
where the output folder is not as it was then: a build may have been killed before it kept what it knew.

    memo          all of it, the base
    memo.since    what has changed since that was written: after an edit, that is all that has to be written
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache, cached_property
from itertools import count, repeat
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from builder.assets import theme_folder
from builder.bodies import content_of
from builder.execute.keys import Values
from builder.kept import packed, read_kept, read_parts, unpacked, write_kept, write_parts
from builder.manifest import manifest_path
from builder.model import Article, Config, Heading, Problem
from builder.posts import Source
from builder.prepare import Prepared
from builder.site import Site
from builder.views import ABOUT, EVERY, Key, Reads, value_of

T = TypeVar("T")
Addresses = Mapping[str, tuple[str, ...]]
_ATTRIBUTES = tuple(f.name for f in fields(Article))
_FIELDS = tuple(f.name for f in fields(Prepared))
_of_problem = attrgetter(*(f.name for f in fields(Problem)))
_PARTS = ("posts", "pages", "addresses", "common")
# The base is written anew when this part of it has changed.
MOST_CHANGED = 1 / 16
# So many names are looked for in what all pages read; for more, it is quicker to take all of that apart.
MOST_NAMES = 16
# Attributes of an article that have no part in where it stands in any list. What is not named here has one.
_INNER = frozenset(
    {"body", "toc", "summary", "last_modified", "show_toc", "minutes", "description", "facts", "loads"}
    | {"markdown", "notebook", "script", "entry"}
)


@dataclass
class Memo:
    """What is known from the last build; empty where nothing can be used of it."""

    path: Path
    manifest: Path
    program: str  # a digest of all that preparing depends on besides the source files
    theme: str  # of all that pages depend on besides the site
    posts: dict[str, Prepared] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)  # path of a page -> what it read, packed
    common: Common = field(default_factory=lambda: Common())
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _base: str = ""  # the name of the base, which no other has; "": there is none
    _size: int = 0  # of the base, in posts and pages
    _since: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)  # what has changed since, by part

    @classmethod
    def read(cls, config: Config, *, frozen: bool) -> Memo:
        """Return what the last build of this configuration kept."""
        path = config.root / ".fencepost" / "memo"
        here = Path(__file__).resolve().parent
        program = _digest([repr(config), frozen, _stats(here, ".py"), _packages()])
        theme = _digest([program, _stats(theme_folder()), _stats(config.templates)])
        memo = cls(path, manifest_path(config), program, theme)
        base, parts = read_parts(path) or ({"program": ""}, [])
        if base["program"] == program:
            since = read_kept(memo._since_path)
            memo._take(base, parts, since if since and since["base"] == base["base"] else None)
        return memo

    @property
    def _since_path(self) -> Path:
        return self.path.with_name("memo.since")

    def _take(
        self, base: Mapping[str, Any], parts: Sequence[memoryview], since: Mapping[str, Any] | None
    ) -> None:
        since = since or {part: {} for part in _PARTS}
        last = {**base, **since}
        pages, *posts = parts
        self.posts = {known.path: known for known in _prepared(posts)}
        changed = [plain for plain in since["posts"].values() if plain]
        _update(self.posts, dict.fromkeys(since["posts"]))
        self.posts.update((known.path, known) for plain in changed for known in _prepared(plain))
        self.addresses = base["addresses"]
        _update(self.addresses, since["addresses"])
        if last["theme"] == self.theme and last["site"] == self._site():
            self.pages = unpacked(pages)
            _update(self.pages, since["pages"])
            self.common = Common({**base["common"], **since["common"]})
            self._since = {part: since[part] for part in _PARTS}
            self._base, self._size = base["base"], len(self.posts) + len(self.pages)

    def _site(self) -> list[int] | None:
        """By what the output folder of the last build is known: each that changes it writes a new manifest."""
        try:
            stat = self.manifest.stat()
        except OSError:
            return None
        return [stat.st_size, stat.st_mtime_ns]

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
                and (
                    not known.inputs
                    or all(values.of(kind, name) == value for kind, name, value in known.inputs)
                )
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

    def write(self, posts: Mapping[str, Prepared], pages: Mapping[str, bytes], addresses: Addresses) -> None:
        """Keep what a build knows now."""
        addresses = {path: found for path, found in addresses.items() if found}
        about = {"program": self.program, "theme": self.theme, "site": self._site()}
        if self._base:
            known = _changes(self.posts, posts)
            changes: Mapping[str, Mapping[Any, Any]] = {
                "posts": {path: now and _plain([now]) for path, now in known.items()},
                "pages": _changes(self.pages, pages),
                "addresses": _changes(self.addresses, addresses),
                "common": self.common.added,
            }
            since = {part: {**self._since[part], **changes[part]} for part in _PARTS}
            if len(since["posts"]) + len(since["pages"]) <= MOST_CHANGED * self._size:
                write_kept(self._since_path, {**about, "base": self._base, **since})
                self._tidy()
                return
        name = f"{time.time_ns():x}-{os.getpid()}"
        kept = {**about, "base": name, "addresses": addresses, "common": self.common.values}
        write_parts(self.path, kept, [packed(dict(pages)), *_plain(posts.values())])
        self._since_path.unlink(missing_ok=True)
        self._tidy()

    def erase(self) -> None:
        """Let the next build use nothing of the last one."""
        self.path.unlink(missing_ok=True)
        self._tidy()

    def _tidy(self) -> None:
        """Remove what a killed build has left."""
        for path in (self.path, self._since_path):
            path.with_name(f"{path.name}.new").unlink(missing_ok=True)


def _changes(old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, T | None]:
    """What is to be put into the old values to have the new ones; None: to be taken out."""
    changed = {path: now for path, now in new.items() if (was := old.get(path)) is not now and was != now}
    return {**changed, **dict.fromkeys(old.keys() - new.keys())}


def _update(values: dict[str, T], changes: Mapping[str, T | None]) -> None:
    """Bring values up to date by `_changes`."""
    for path, value in changes.items():
        if value is None:
            values.pop(path, None)
        else:
            values[path] = value


class Common:
    """What many pages read alike, by a digest: names of attributes, keys of the site, kinds of other keys.

    A process that makes pages gives back what is new in it.
    """

    def __init__(self, values: Mapping[bytes, tuple[Any, ...]] | None = None) -> None:
        self.values = dict(values or {})
        self.added: dict[bytes, tuple[Any, ...]] = {}
        self._digests: dict[object, bytes] = {}

    def packed(self, reads: Reads) -> bytes:
        """What a page read: of the site, of terms, and of each article its path and two digests."""
        site, further, kinds = [], [], dict[str, list[str]]()
        for key in sorted(reads.others):
            if key[0] == "site":
                site.append(key)
            elif key[0] in ABOUT and key[1] in reads.articles:
                kinds.setdefault(key[1], []).append(key[0])
            else:
                further.append(key)
        plain: list[Any] = [self._digest(tuple(site)), further]
        for path, names in reads.articles.items():
            plain += (path, self._digest(frozenset(names)), self._digest(tuple(kinds.get(path, ()))))
        return packed(tuple(plain))

    def articles(self, plain: Sequence[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The articles that a page read, by their paths, and the names of what it read of each."""
        return zip(plain[2::3], map(self.values.__getitem__, plain[3::3]), strict=True)

    def others(self, plain: Sequence[Any]) -> Iterator[Key]:
        """The keys of what else a page read."""
        yield from self.values[plain[0]]
        yield from plain[1]
        for path, kinds in zip(plain[2::3], plain[4::3], strict=True):
            for kind in self.values[kinds]:
                yield kind, path

    def add(self, values: Mapping[bytes, tuple[Any, ...]]) -> None:
        """Take what is new in another process."""
        self.added.update(values)
        self.values.update(values)

    def _digest(self, value: tuple[Any, ...] | frozenset[str]) -> bytes:
        if value not in self._digests:
            plain = value if isinstance(value, tuple) else tuple(sorted(value))
            digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
            if digest not in self.values:
                self.add({digest: plain})
            self._digests[value] = digest
        return self._digests[value]


class _Comparison:
    """Which pages have read what is another in the new site than in the old one?"""

    def __init__(self, old: Mapping[str, Article], addresses: Addresses, new: Site) -> None:
        self._new = new
        self._changed = _changed_articles(old, addresses, new)
        self._same: dict[Key, bool] = {}
        # In most builds no post has come, gone or moved, and no tag: then all lists are as they were, only a page
        # that names an article that has changed can have read anything new, and no other need be looked at.
        self._same_lists = all(names <= {*_INNER, "html"} for names in self._changed.values())
        if self._changed:
            self._changed[EVERY] = set().union(*self._changed.values())
        self._names = [path.encode("utf-8", "surrogatepass") for path in self._changed]
        if not self._same_lists:
            self._old = Site.of(new.config, old.values(), _no_body, addresses)

    def others(self, pages: Mapping[str, bytes], common: Common) -> set[str]:
        """Which of these pages, each with what it read, would read something else now?"""
        suspects: Iterable[str] = pages
        if self._same_lists and len(self._names) < MOST_NAMES:
            suspects = {path for name in self._names for path, reads in pages.items() if name in reads}
        return {path for path in suspects if not self._is_same(unpacked(pages[path]), common)}

    def _is_same(self, plain: Sequence[Any], common: Common) -> bool:
        """Would a page that read this read the same now?"""
        changed = self._changed
        if any(
            path in changed and not changed[path].isdisjoint(names) for path, names in common.articles(plain)
        ):
            return False
        return self._same_lists or all(map(self._has_same_value, common.others(plain)))

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
    paths = {path for path, article in present.items() if old.get(path) is not article}
    for path in paths | (old.keys() - present.keys()) | _changes(addresses, new.addresses).keys():
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


def _plain(known: Collection[Prepared]) -> tuple[bytes, ...]:
    """What is known of some files, in columns, one of each field: they are read in half the time of rows.

    In the place of the articles stand their columns, and which of the files have one.
    """
    columns = _columns(_FIELDS, known)
    articles = [article for article in columns["article"] if article is not None]
    inner = _columns(_ATTRIBUTES, articles)
    inner["toc"] = [_plain_toc(toc) for toc in inner["toc"]]
    for name in ("date", "last_modified"):
        inner[name] = list(map(_plain_date, inner[name]))
    inner["extra"] = [_json(dict(extra)) if extra else "" for extra in inner["extra"]]
    inner["facts"] = list(map(dict, inner["facts"]))
    columns["article"] = [article is not None for article in columns["article"]]
    columns["problems"] = [tuple(map(_of_problem, problems)) for problems in columns["problems"]]
    return tuple(map(packed, (*columns.values(), *inner.values())))


def _columns(names: Iterable[str], things: Collection[object]) -> dict[str, list[Any]]:
    return {name: list(map(attrgetter(name), things)) for name in names}


def _prepared(plain: Sequence[bytes | memoryview]) -> Iterator[Prepared]:
    """The opposite of `_plain`."""
    tables = _Column(plain[len(_FIELDS) + _ATTRIBUTES.index("toc")])
    values = [unpacked(column) if column is not tables.packed else () for column in plain]
    columns = dict(zip(_FIELDS, values, strict=False))
    inner = dict(zip(_ATTRIBUTES, values[len(_FIELDS) :], strict=True))
    inner["toc"] = map(_Toc, repeat(tables), count())
    for name in ("date", "last_modified"):
        inner[name] = map(_date, inner[name])
    inner["extra"] = [_untagged(json.loads(extra)) if extra else {} for extra in inner["extra"]]
    articles = map(Article, *inner.values())
    columns["article"] = [next(articles) if there else None for there in columns["article"]]
    columns["problems"] = [
        tuple([Problem(*values) for values in problems]) if problems else ()
        for problems in columns["problems"]
    ]
    return map(Prepared, *columns.values())


def _plain_toc(toc: Sequence[Heading]) -> bytes:
    return toc.packed if isinstance(toc, _Toc) else packed(tuple(map(_plain_heading, toc)))


class _Column:
    """A column that is unpacked when one of its values is asked for."""

    def __init__(self, packed: bytes | memoryview) -> None:
        self.packed = packed

    @cached_property
    def values(self) -> Sequence[Any]:
        found: Sequence[Any] = unpacked(self.packed)
        return found


class _Toc(Sequence[Heading]):
    """A table of contents that is unpacked where it is looked at: in most builds, nearly none is."""

    __slots__ = ("_column", "_place")

    def __init__(self, column: _Column, place: int) -> None:
        self._column = column
        self._place = place

    @property
    def packed(self) -> bytes:
        found: bytes = self._column.values[self._place]
        return found

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


def _plain_date(moment: datetime | None) -> tuple[Any, ...] | None:
    """When, and the name of its zone, or the offset from UTC of one that has none."""
    if moment is None:
        return None
    zone = getattr(moment.tzinfo, "key", None)
    if zone is None:
        return (moment.isoformat(),)
    day, time = (moment.year, moment.month, moment.day), (moment.hour, moment.minute, moment.second)
    return (*day, *time, moment.microsecond, zone)


def _date(plain: Sequence[Any] | None) -> datetime | None:
    if plain is None:
        return None
    if len(plain) == 1:
        return datetime.fromisoformat(plain[0])
    year, month, day, hour, minute, second, microsecond, zone = plain
    return datetime(year, month, day, hour, minute, second, microsecond, _zone(zone))


_zone = cache(ZoneInfo)


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
