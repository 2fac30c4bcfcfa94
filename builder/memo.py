"""What the last build knew: the files that it prepared, and what each page read of the site.

    posts    each source file, as it was then, and what was prepared of it
    pages    each page, and what it read (see views.py)

All of it is thrown away when the program or the configuration changes, and the pages when a template does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from builder.bodies import content_of
from builder.execute.keys import Values
from builder.model import Article, Config, Heading, Problem
from builder.pages import theme_folder
from builder.posts import Source
from builder.prepare import Prepared
from builder.site import Site
from builder.views import Key, Reads, value_of

Addresses = Mapping[str, tuple[str, ...]]
_ATTRIBUTES = tuple(f.name for f in fields(Article))


@dataclass
class Memo:
    """What is known from the last build; empty where nothing can be used of it.

    The file has a line of JSON for each entry, behind a first one for `program`, `theme` and addresses: a
    line that still holds is written again as it was read.
    """

    path: Path
    program: str  # a digest of all that preparing depends on besides the source files
    theme: str  # of all that pages depend on besides the site
    posts: dict[str, Prepared] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)  # path of a page -> its line, not read yet
    addresses: Addresses = field(default_factory=dict)
    _lines: dict[int, str] = field(default_factory=dict)  # id of a Prepared -> its line

    @classmethod
    def read(cls, config: Config, *, frozen: bool) -> Memo:
        """Return what the last build of this configuration kept."""
        path = config.root / ".fencepost" / "memo.jsonl"
        here = Path(__file__).resolve().parent
        program = _digest([repr(config), frozen, _stats(here, ".py")])
        memo = cls(path, program, _digest([program, _stats(theme_folder()), _stats(config.templates)]))
        try:
            memo._load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            memo.posts, memo.pages, memo.addresses = {}, {}, {}
        return memo

    def _load(self, text: str) -> None:
        first, *lines = text.removesuffix("\n").split("\n")
        head = json.loads(first)
        if head["program"] != self.program:
            return
        self.addresses = {name: tuple(found) for name, found in head["addresses"].items()}
        posts = [line for line in lines if line.startswith("{")]
        for line, plain in zip(posts, json.loads(f"[{','.join(posts)}]"), strict=True):
            known = _prepared(plain)
            self.posts[known.path] = known
            self._lines[id(known)] = line
        if head["theme"] == self.theme:
            path_of = json.JSONDecoder().raw_decode
            self.pages = {path_of(line, 1)[0]: line for line in lines[len(posts) :]}

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
        articles = [known.article for known in self.posts.values() if known.article is not None]
        comparison = _Comparison(Site.of(site.config, articles, _no_body, self.addresses), site)
        return {path for path in paths if path not in self.pages or not comparison.is_same(self.pages[path])}

    def write(
        self, posts: Mapping[str, Prepared], pages: Mapping[str, Reads | str], addresses: Addresses
    ) -> None:
        """Keep what a build knows now; a page that was not made again has its line."""
        head = {"program": self.program, "theme": self.theme, "addresses": addresses}
        lines = [_json(head)]
        lines += [self._lines.get(id(known)) or _json(_plain(known)) for known in posts.values()]
        lines += [
            reads if isinstance(reads, str) else _json(_plain_reads(path, reads))
            for path, reads in pages.items()
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        temporary.replace(self.path)

    def erase(self) -> None:
        """Let the next build use nothing of the last one."""
        self.path.unlink(missing_ok=True)


class _Comparison:
    """Which pages have read what is another in the new site than in the old one?"""

    def __init__(self, old: Site, new: Site) -> None:
        self._old = old
        self._new = new
        self._changed = _changed_articles(old, new)
        self._same: dict[Key, bool] = {}
        # In most builds no post has come, gone or moved, and no tag: then only a page in whose line an article
        # stands that has changed can have read anything new, and no other line need be taken apart.
        self._same_lists = _lists(old) == _lists(new)
        self._names = [_json(path) for path in self._changed]

    def is_same(self, line: str) -> bool:
        """Would the page of this line read the same now?"""
        if self._same_lists and not any(name in line for name in self._names):
            return True
        _, reads = _reads(json.loads(line))
        changed = self._changed
        if changed and any(name in changed and changed[name] & read for name, read in reads.articles.items()):
            return False
        return all(map(self._has_same_value, reads.others))

    def _has_same_value(self, key: Key) -> bool:
        if key not in self._same:
            self._same[key] = value_of(self._old, key) == value_of(self._new, key)
        return self._same[key]


def _lists(site: Site) -> list[list[str]]:
    """All that pages can read of a site but the attributes of articles."""
    terms = (*site.tags, *site.categories)
    lists = [[article.path for article in articles] for articles in (site.articles, site.pages)]
    return [*lists, *([term.url, term.name, *(a.path for a in term.articles)] for term in terms)]


def _no_body(name: str) -> str:
    raise AssertionError(f"the body {name} of an old article is not read")


def _changed_articles(old: Site, new: Site) -> dict[str, set[str]]:
    """Return {path: names of the attributes that have another value, or none any more}."""
    changed = {}
    for path in {article.path for site in (old, new) for article in (*site.articles, *site.pages)}:
        before, after = old.find(path), new.find(path)
        names = {"html"} if old.addresses.get(path) != new.addresses.get(path) else set()
        if before is not after:
            names |= {n for n in _ATTRIBUTES if getattr(before, n, None) != getattr(after, n, None)}
            if content_of(getattr(before, "body", "")) != content_of(getattr(after, "body", "")):
                names.add("html")
        if before is None or after is None:
            names |= {*_ATTRIBUTES, "html"}
        if names:
            changed[path] = names
    return changed


# --- to and from JSON --------------------------------------------------------------------------


def _plain(known: Prepared) -> dict[str, Any]:
    plain = {f.name: getattr(known, f.name) for f in fields(Prepared)}
    plain["problems"] = [[getattr(p, f.name) for f in fields(Problem)] for p in known.problems]
    article = known.article
    if article is not None:
        plain["article"] = {name: getattr(article, name) for name in _ATTRIBUTES}
        plain["article"]["toc"] = [_plain_heading(heading) for heading in article.toc]
        plain["article"]["facts"] = dict(article.facts)
        plain["article"]["extra"] = dict(article.extra)
    return plain


def _prepared(plain: dict[str, Any]) -> Prepared:
    article = plain["article"]
    if article is not None:
        article["toc"] = tuple(_heading(heading) for heading in article["toc"])
        for name in ("tags", "categories"):
            article[name] = tuple(article[name])
        for name in ("date", "last_modified"):
            article[name] = _untagged(article[name])
        article["extra"] = _untagged(article["extra"])
        plain["article"] = Article(**article)
    plain["identity"] = tuple(plain["identity"]) if plain["identity"] else None
    plain["problems"] = tuple(Problem(*values) for values in plain["problems"])
    plain["links"] = tuple((address, line) for address, line in plain["links"])
    plain["figures"] = tuple(plain["figures"])
    if plain["inputs"] is not None:
        plain["inputs"] = tuple((kind, name, value) for kind, name, value in plain["inputs"])
    return Prepared(**plain)


def _plain_heading(heading: Heading) -> list[Any]:
    return [heading.level, heading.id, heading.html, [_plain_heading(child) for child in heading.children]]


def _heading(plain: Sequence[Any]) -> Heading:
    level, name, html, children = plain
    return Heading(level, name, html, tuple(_heading(child) for child in children))


def _plain_reads(path: str, reads: Reads) -> list[Any]:
    articles = [[name, *sorted(read)] for name, read in reads.articles.items()]
    return [path, articles, sorted(reads.others)]


def _reads(plain: Sequence[Any]) -> tuple[str, Reads]:
    path, articles, others = plain
    return path, Reads({name: set(read) for name, *read in articles}, {tuple(key) for key in others})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_tagged)


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
    if value.get("!") == "date":
        return date.fromisoformat(value["iso"])
    if value.get("!") == "datetime":
        from zoneinfo import ZoneInfo

        moment = datetime.fromisoformat(value["iso"])
        return moment.replace(tzinfo=ZoneInfo(value["zone"])) if value["zone"] else moment
    return {name: _untagged(member) for name, member in value.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("utf-8", "surrogatepass")).hexdigest()


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
