"""The HTML of an article -> its text by headings, and the terms under which a search finds it.

A term is two letters of Hangul (or Han, or kana) that stand side by side, or the last one of a word; a word of
any other script, and each of its parts (`requires_grad`, `grad`; `DataLoader`, `loader`); or the initial
consonants of a word of Hangul (`ㅈㄷㅁㅂ`), from each of its letters on. assets/search-index.js makes the same of
what a reader types.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from html import unescape
from itertools import chain
from operator import add

from builder.frozen import frozen

LONGEST = 20  # letters of a term: what is longer is found by its beginning
LONGEST_NUMBER = 3
LONGEST_INITIALS = 6

_HANGUL, _HAN = "가-힣", "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(f"[{_HANGUL}]+|[{_HAN}]+|[^\\W{_HANGUL}{_HAN}]+")
_HANGUL_WORD = re.compile(f"[{_HANGUL}]+")
_PART = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What no reader sees as text: it ends where a browser ends it, or with the page.
_UNSEEN = re.compile(
    r"<(script|style|template|noscript|button|svg|iframe)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_UNSEEN_BEGINNINGS = ("<script", "<style", "<template", "<noscript", "<button", "<svg", "<iframe", "<!--")
_ANCHOR = re.compile(r'<a class="anchor".*?(?:</a>|\Z)', re.DOTALL)
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_TEX = re.compile(r'\salttext="([^"]*)"')
_PRE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
_LINES_FOLDED = re.compile(r'<span class="count">[^<]*</span></summary>')  # what unfolds code
_SPAN = re.compile(r"<span[^>]*>")
_HEADING = re.compile(r'<h[1-6]\b[^>]*?\sid="([^"]*)"[^>]*>(.*?)</h[1-6]>', re.DOTALL)
_SIDE_BY_SIDE = re.compile(r"</?t[dh]\b[^>]*>")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|cite|code|del|dfn|em|i|img|ins|kbd|label|mark|q|s|samp|small|strong|sub|sup|u|var|wbr)\b[^>]*>"
)
_TAG = re.compile(r"<[/!a-zA-Z][^>]*>")


@frozen
class Section:
    """What stands under one heading ("": above the first): a line for each paragraph, and for each of code."""

    id: str
    heading: str
    text: str


@frozen
class Findable:
    """What of an article can be found. `text` is what the browser loads to show a hit, in JSON."""

    text: str
    terms: str  # a line for each field: text, tags, headings, title; in each its terms, with spaces between


def findable(title: str, tags: Iterable[str], html: str) -> Findable:
    """Return what can be found of an article."""
    tags = tuple(map(_normal, tags))
    found = sections(html)
    headings = [section.heading for section in found]
    text = "\n".join([section.text for section in found])
    fields = [
        dict.fromkeys(chain.from_iterable(map(_terms, dict.fromkeys(text.split())))),
        *(_field_terms(texts) for texts in (tags, headings, (_normal(title),))),
    ]
    for field in (0, 1, 2):  # a term stands in the best field that it is in
        for term in chain(*fields[field + 1 :]):
            fields[field].pop(term, None)
    plain = [list(tags), *([section.id, section.heading, section.text] for section in found)]
    return Findable(
        json.dumps(plain, ensure_ascii=False, separators=(",", ":")),
        "\n".join(map(" ".join, fields)),
    )


def _field_terms(texts: Iterable[str]) -> dict[str, None]:
    terms: dict[str, None] = {}
    for text in texts:
        terms |= dict.fromkeys(chain.from_iterable(map(_terms, text.split())))
        terms |= dict.fromkeys(_initials(text))
    return terms


def sections(html: str) -> list[Section]:
    """Return the text of an article, part by part; code and outputs in lines, mathematics as TeX."""
    html = html.replace("\x1e", "").replace("\x1f", "")
    if '<details class="fold">' in html:
        html = _LINES_FOLDED.sub("</summary>", html)
    html = html.replace("</span>", "")
    html = _SPAN.sub("", _ANCHOR.sub("", html))
    lowered = html.lower()
    if any(beginning in lowered for beginning in _UNSEEN_BEGINNINGS):
        html = _UNSEEN.sub("", html)
    if "<math" in html:
        html = _MATH.sub(_tex, html)
    pieces = _PRE.split(html)  # outside of <pre>, the end of a line is a space
    pieces[::2] = [piece.replace("\n", " ") for piece in pieces[::2]]
    marked = _HEADING.sub("\x1e\\1\x1f\\2\x1f", "".join(pieces))
    text = _normal(unescape(_TAG.sub("\n", _INLINE.sub("", _SIDE_BY_SIDE.sub(" ", marked)))))
    first, *others = text.split("\x1e")
    parts = [("", "", first), *(other.split("\x1f", 2) for other in others)]
    return [Section(name, " ".join(heading.split()), _without_gaps(text)) for name, heading, text in parts]


def _tex(math: re.Match[str]) -> str:
    """The TeX that a formula was written in."""
    found = _TEX.search(math[0])
    return found[1] if found else " "


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _without_gaps(text: str) -> str:
    """Text with few empty lines and indentations: what shows it takes out the rest."""
    return (
        text.replace("    ", " ").replace(" \n", "\n").replace("\n\n\n", "\n").replace("\n\n", "\n").strip()
    )


@lru_cache(maxsize=1 << 16)
def _terms(letters: str) -> tuple[str, ...]:
    """The terms of the words in what stands between two spaces."""
    terms: list[str] = []
    for word in _WORD.findall(letters):
        first = word[0]
        if "가" <= first <= "힣":
            terms += (*map(add, word, word[1:]), word[-1])
            initials = word.translate(_CONSONANT)
            terms += [initials[at : at + LONGEST_INITIALS] for at in range(len(word) - 1)]
        elif "\u3040" <= first <= "\u30ff" or "\u3400" <= first <= "\u9fff":
            terms += (*map(add, word, word[1:]), word[-1])
        elif word.isdecimal():
            terms.append(word[:LONGEST_NUMBER])
        else:
            terms += [part.lower()[:LONGEST] for part in _parts(word)]
    return tuple(terms)


def _parts(word: str) -> Iterable[str]:
    """A word from its beginning on, and from each later part of it on."""
    starts = {0, *(part.end() for part in _PART.finditer(word))}
    return (word[start:] for start in sorted(starts) if start < len(word))


def _initials(text: str) -> Iterable[str]:
    """The initial consonants of all that stands in a title, from each letter on."""
    consonants = "".join(_HANGUL_WORD.findall(text)).translate(_CONSONANT)
    return (consonants[at : at + LONGEST_INITIALS] for at in range(len(consonants) - 1))


class _Consonants(dict[int, str]):
    """The initial consonant of each syllable."""

    def __missing__(self, code: int) -> str:
        self[code] = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"[(code - ord("가")) // 588]
        return self[code]


_CONSONANT = _Consonants()
