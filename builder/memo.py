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
from builder.model import Article, Config, Heading, Problem
from builder.posts import Source
from builder.prepare import Prepared
from builder.site import Site
from builder.views import Key, Reads, value_of
from builder.whole import write_whole

Addresses = Mapping[str, tuple[str, ...]]
_ATTRIBUTES = tuple(f.name for f in fields(Article))
_FIELDS = tuple(f.name for f in fields(Prepared))
# Where, in the line of an article, stands what JSON does not keep as it was.
_TOC = _ATTRIBUTES.index("toc")
_TUPLES = tuple(map(_ATTRIBUTES.index, ("categories", "tags", "loads")))
_TAGGED = tuple(map(_ATTRIBUTES.index, ("date", "last_modified", "extra")))
# So many names are looked for in the lines of all pages; for more, it is quicker to take the lines apart.
MOST_NAMES = 16
# Attributes of an article that have no part in where it stands in any list. What is not named here has one.
_INNER = frozenset(
    {"body", "toc", "summary", "last_modified", "show_toc", "minutes", "description", "facts", "loads"}
    | {"markdown", "notebook", "script"}
)


@dataclass
class Memo:
    """What is known from the last build; empty where nothing can be used of it.

    The file has a line of JSON for each post and each page, behind a first one for all else: a line that
    still holds is written again as it was read.
    """

    path: Path
    program: str  # a digest of all that preparing depends on besides the source files
    theme: str  # of all that pages depend on besides the site
    posts: dict[str, Prepared] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)  # path of a page -> its line, not read yet
    addresses: Addresses = field(default_factory=dict)
    _lines: dict[int, bytes] = field(default_factory=dict)  # id of a Prepared -> its line

    @classmethod
    def read(cls, config: Config, *, frozen: bool) -> Memo:
        """Return what the last build of this configuration kept."""
        path = config.root / ".fencepost" / "memo.jsonl"
        here = Path(__file__).resolve().parent
        program = _digest([repr(config), frozen, _stats(here, ".py"), _packages()])
        memo = cls(path, program, _digest([program, _stats(theme_folder()), _stats(config.templates)]))
        try:
            memo._load(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            memo.posts, memo.pages, memo.addresses = {}, {}, {}
        return memo

    def _load(self, text: bytes) -> None:
        head = json.loads(text[: text.index(b"\n")])
        if head["program"] != self.program:
            return
        lines = text.split(b"\n")[1:-1]
        self.addresses = {name: tuple(found) for name, found in head["addresses"].items()}
        posts = lines[: head["posts"]]
        for line, plain in zip(posts, json.loads(b"[%s]" % b",".join(posts)), strict=True):
            known = _prepared(plain)
            self.posts[known.path] = known
            self._lines[id(known)] = line
        if head["theme"] == self.theme:
            self.pages = dict(zip(head["pages"], lines[len(posts) :], strict=True))

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
        return {path for path in paths if path not in self.pages} | comparison.others(self.pages)

    def write(
        self, posts: Mapping[str, Prepared], pages: Mapping[str, Reads | bytes], addresses: Addresses
    ) -> None:
        """Keep what a build knows now; a page that was not made again has its line."""
        head = {
            "program": self.program,
            "theme": self.theme,
            "addresses": {path: found for path, found in addresses.items() if found},
            "posts": len(posts),
            "pages": list(pages),
        }
        lines = [_json(head)]
        lines += [self._lines.get(id(known)) or _json(_plain(known)) for known in posts.values()]
        lines += [
            reads if isinstance(reads, bytes) else _json(_plain_reads(reads)) for reads in pages.values()
        ]
        write_whole(self.path, b"\n".join(lines) + b"\n")

    def erase(self) -> None:
        """Let the next build use nothing of the last one."""
        self.path.unlink(missing_ok=True)


class _Comparison:
    """Which pages have read what is another in the new site than in the old one?"""

    def __init__(self, old: Mapping[str, Article], addresses: Addresses, new: Site) -> None:
        self._new = new
        self._changed = _changed_articles(old, addresses, new)
        self._same: dict[Key, bool] = {}
        # In most builds no post has come, gone or moved, and no tag: then all lists are as they were, only a page
        # in whose line an article stands that has changed can have read anything new, and no other line need
        # be taken apart.
        self._same_lists = all(names <= {*_INNER, "html"} for names in self._changed.values())
        self._names = [_json(path) for path in self._changed]
        if not self._same_lists:
            self._old = Site.of(new.config, old.values(), _no_body, addresses)

    def others(self, pages: Mapping[str, bytes]) -> set[str]:
        """Which of these pages, each with its line, would read something else now?"""
        suspects: Iterable[str] = pages
        if self._same_lists and len(self._names) < MOST_NAMES:
            suspects = {path for name in self._names for path, line in pages.items() if name in line}
        return {path for path in suspects if not self._is_same(pages[path])}

    def _is_same(self, line: bytes) -> bool:
        """Would the page of this line read the same now?"""
        reads = _reads(json.loads(line))
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


# --- to and from JSON --------------------------------------------------------------------------


def _plain(known: Prepared) -> list[Any]:
    """The values of what is known, in the order of its fields; so are those of its article and its problems."""
    plain = {name: getattr(known, name) for name in _FIELDS}
    plain["problems"] = [[getattr(p, f.name) for f in fields(Problem)] for p in known.problems]
    if known.article is not None:
        article = {name: getattr(known.article, name) for name in _ATTRIBUTES}
        article["toc"] = [_plain_heading(heading) for heading in known.article.toc]
        article["facts"] = dict(known.article.facts)
        article["extra"] = dict(known.article.extra)
        plain["article"] = list(article.values())
    return list(plain.values())


def _prepared(plain: list[Any]) -> Prepared:
    path, identity, article, left_out, until, problems, links, figures, cells, cached, inputs, findable = (
        plain
    )
    return Prepared(
        path,
        tuple(identity) if identity else None,
        _article(article) if article is not None else None,
        left_out,
        until,
        tuple([Problem(*values) for values in problems]) if problems else (),
        tuple([(address, line) for address, line in links]) if links else (),
        tuple(figures),
        cells,
        cached,
        tuple([(kind, name, value) for kind, name, value in inputs]) if inputs is not None else None,
        tuple(findable) if findable else None,
    )


def _article(plain: list[Any]) -> Article:
    plain[_TOC] = tuple([_heading(heading) for heading in plain[_TOC]])
    for at in _TUPLES:
        plain[at] = tuple(plain[at])
    for at in _TAGGED:
        if plain[at]:
            plain[at] = _untagged(plain[at])
    return Article(*plain)


def _plain_heading(heading: Heading) -> list[Any]:
    return [heading.level, heading.id, heading.html, [_plain_heading(child) for child in heading.children]]


def _heading(plain: Sequence[Any]) -> Heading:
    level, name, html, children = plain
    return Heading(level, name, html, tuple([_heading(child) for child in children]) if children else ())


def _plain_reads(reads: Reads) -> list[Any]:
    articles = [[name, *sorted(read)] for name, read in reads.articles.items()]
    return [articles, sorted(reads.others)]


def _reads(plain: Sequence[Any]) -> Reads:
    articles, others = plain
    return Reads({name: set(read) for name, *read in articles}, {tuple(key) for key in others})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_tagged).encode("utf-8", "surrogatepass")


def _tagged(value: object) -> Any:
    """A value of YAML that JSON does not have."""
    if isinstance(value, datetime):
        return {"!": "datetime", "iso": value.isoformat(), "zone": str(getattr(value.tzinfo, "key", ""))}
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
        moment = datetime.fromisoformat(value["iso"])
        return moment.replace(tzinfo=ZoneInfo(value["zone"])) if value["zone"] else moment
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
