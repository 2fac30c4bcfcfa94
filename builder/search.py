"""The index of the search: small files, of which a browser loads those that a query needs.

    search/index.json       the names of all others; it alone keeps its name, and is asked for each time
    search/terms/*.json     {term: list of pages}, split by the first letters of terms
    search/pages/*.json     address, title and text of sixteen pages
    search/texts/*.json     the text of one page by headings, for the sentence around a hit

Every other name is a digest of what is in the file, so that no cache ever mixes two states of the site. The
number of a page is its place: pages before posts, posts from the oldest on, so that a new post moves no other.
In a list each number is four times the place, plus the field that the term is in (0 text, 1 tags, 2 headings,
3 title); it stands as its difference to the one before it, in digits of base 46, the lowest first, of which all
but the last are signs of their own: 92 signs, those of ASCII that JSON writes as they are.

What the last build made is brought up to date by what has changed since; the files are the same as if all were
made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import sub
from pathlib import Path

from builder.bodies import BodyLost, content_of
from builder.frozen import frozen
from builder.model import Article, Config, Page
from builder.pages import SEARCH_INDEX
from builder.prepare import Prepared
from builder.site import Site
from builder.urls import href
from builder.whole import write_whole

PAGES_IN_A_FILE = 16
FIELDS = 4

_MOST_CHANGED = 0.25  # of all pages: where more have changed, all is made anew
_PAGES_FOR_A_PART = 4  # so many pages, one part of the terms more
_FEWEST_PARTS, _MOST_PARTS = 8, 256

Read = Callable[[str], str]  # the name of a body -> the body; raises BodyLost
Part = dict[str, str]  # term -> list of pages


@frozen
class State:
    """What the last build left: the terms of the page at each place, and the files with their parts."""

    terms: tuple[str, ...] = ()  # names of bodies
    parts: tuple[str, ...] = ()  # paths in the output folder

    @classmethod
    def read(cls, config: Config, program: str) -> State:
        """Return what is known of the last build, if `program` was the same; nothing where it is damaged."""
        try:
            stored = json.loads(_state_file(config).read_text(encoding="utf-8"))
            return cls(*map(tuple, stored["state"])) if stored["program"] == program else cls()
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def write(self, config: Config, program: str) -> None:
        """Keep it for the next build."""
        stored = {"program": program, "state": [self.terms, self.parts]}
        write_whole(_state_file(config), json.dumps(stored).encode())


@frozen
class Index:
    """The files of the search: those that stay as they are, those that are new, and new texts of pages."""

    kept: frozenset[str]
    pages: tuple[Page, ...]
    texts: Mapping[str, str]  # path -> the name of its content among the bodies
    state: State

    @classmethod
    def of(
        cls,
        site: Site,
        prepared: Iterable[Prepared],
        read: Read,
        state: State,
        present: Callable[[str], bool],
    ) -> Index:
        """Return the index of a site; the search of a site that has none holds nothing.

        `present` says whether a file of the output folder is as the last build left it. Raises BodyLost.
        """
        if not site.config.search:
            return cls(frozenset(), (), {}, State())
        found = sorted(_findable(site, prepared), key=lambda pair: _place(pair[0]))
        names = [(_digest(content_of(text)), text) for _, (text, _) in found]
        texts = {f"search/texts/{digest}.json": text for digest, text in names}
        rows = [
            [href(site.config, article.url), article.title, digest]
            for (article, _), (digest, _) in zip(found, names, strict=True)
        ]
        tables = [
            _file("pages", rows[at : at + PAGES_IN_A_FILE]) for at in range(0, len(rows), PAGES_IN_A_FILE)
        ]
        terms = tuple(terms for _, (_, terms) in found)
        parts = _updated(state, terms, read, present, site.config.output) or _made(terms, read)
        paths = tuple(part if isinstance(part, str) else part.path for part in parts)
        entry = {
            "pages": [Path(table.path).stem for table in tables],
            "terms": [Path(path).stem for path in paths],
        }
        kept = frozenset(filter(present, (*paths, *texts)))
        new = {part.path: part for part in parts if isinstance(part, Page) and part.path not in kept}
        return cls(
            kept,
            (Page(SEARCH_INDEX, _json(entry)), *tables, *new.values()),
            {path: name for path, name in texts.items() if path not in kept},
            State(terms, paths),
        )


def _findable(site: Site, prepared: Iterable[Prepared]) -> Iterator[tuple[Article, tuple[str, str]]]:
    for known in prepared:
        article = site.find(known.path)
        if article is not None and known.findable is not None:
            yield article, known.findable


def _place(article: Article) -> tuple[bool, object, str]:
    return not article.page, article.date, article.path


# --- the lists of pages ------------------------------------------------------------------------


def _made(terms: Sequence[str], read: Read) -> list[str | Page]:
    """All parts of the terms, of nothing but the terms of each page."""
    codes: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(terms):
        for field, line in enumerate(read(name).split("\n")):
            code = place * FIELDS + field
            for term in line.split():
                codes[term].append(code)
    parts: list[Part] = [{} for _ in range(_parts(len(terms)))]
    for term in sorted(codes):
        parts[part_of(term, len(parts))][term] = written(codes[term])
    return [_file("terms", part) for part in parts]


def _updated(
    state: State, terms: Sequence[str], read: Read, present: Callable[[str], bool], output: Path
) -> list[str | Page]:
    """The parts of the last build with what has changed since; nothing where they are of no use."""
    changed = [
        (place, *names)
        for place, names in enumerate(zip_longest(state.terms, terms, fillvalue=""))
        if content_of(names[0]) != content_of(names[1])
    ]
    if (
        len(state.parts) != _parts(len(terms))
        or len(changed) > _MOST_CHANGED * len(terms)
        or not all(map(present, state.parts))
    ):
        return []
    changes: dict[int, dict[str, dict[int, int | None]]] = defaultdict(lambda: defaultdict(dict))
    try:
        for place, old, new in changed:
            before, after = _fields(old, read), _fields(new, read)
            for term in before.keys() | after.keys():
                if before.get(term) != after.get(term):
                    changes[part_of(term, len(state.parts))][term][place] = after.get(term)
        return [
            _file("terms", _merged(json.loads((output / path).read_bytes()), changes[number]))
            if number in changes
            else path
            for number, path in enumerate(state.parts)
        ]
    except (BodyLost, OSError):
        return []


def _fields(name: str, read: Read) -> dict[str, int]:
    """Term -> field, of one page."""
    lines = read(name).split("\n") if name else []
    return {term: field for field, line in enumerate(lines) for term in line.split()}


def _merged(part: Part, changes: Mapping[str, Mapping[int, int | None]]) -> Part:
    """A part of the terms in which pages stand at other terms, or in other fields; None: no more."""
    for term, places in changes.items():
        known: dict[int, int | None] = {
            code // FIELDS: code % FIELDS for code in read_list(part.get(term, ""))
        }
        codes = [
            place * FIELDS + field
            for place, field in sorted({**known, **places}.items())
            if field is not None
        ]
        part[term] = written(codes)
    return {term: part[term] for term in sorted(part) if part[term]}


def written(codes: Sequence[int]) -> str:
    """A list of ascending numbers as it stands in a file."""
    return "".join(map(_DIGITS.__getitem__, (*codes[:1], *map(sub, codes[1:], codes))))


def read_list(text: str) -> Iterator[int]:
    """The numbers of a list."""
    code = 0
    factor = 1
    for sign in text:
        digit = _SIGNS.index(sign)
        code += factor * (digit % _BASE)
        if digit >= _BASE:
            factor *= _BASE
        else:
            factor = 1
            yield code


class _Digits(dict[int, str]):
    """Each number in digits, worked out once."""

    def __missing__(self, number: int) -> str:
        more, last = divmod(number, _BASE)
        self[number] = _SIGNS[_BASE + last] + self[more] if more else _SIGNS[last]
        return self[number]


_SIGNS = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"\\')
_BASE = len(_SIGNS) // 2
_DIGITS = _Digits()


def part_of(term: str, parts: int) -> int:
    """In which part a term is: that of its first letter, and of the second where it is not one of two."""
    first = term[0]
    is_pair = "가" <= first <= "힣" or "\u3040" <= first <= "\u30ff" or "\u3400" <= first <= "\u9fff"
    return (ord(first) * 31 + (0 if is_pair else ord(term[1:2] or "\0"))) % parts


def _parts(pages: int) -> int:
    """How many parts the terms of so many pages are split into: a power of two, which seldom changes."""
    wanted = 1 << (pages // _PAGES_FOR_A_PART).bit_length()
    return min(max(wanted, _FEWEST_PARTS), _MOST_PARTS)


# --- files -------------------------------------------------------------------------------------


def _file(folder: str, value: object) -> Page:
    content = _json(value)
    return Page(f"search/{folder}/{_digest(content.decode())}.json", content)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _state_file(config: Config) -> Path:
    return config.root / ".fencepost" / "search.json"
