"""Which posts are nearest to a post, by the tags that they share and the words of their titles.

A term that few posts have says more than one that many have. Of the posts that share a term only those are
looked at that stand nearest in time, so that the price of one answer does not grow with the site.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache, cached_property
from itertools import chain, islice

from builder.model import Article

MOST = 3  # posts of one answer
_REACH = 8  # posts on either side that are looked at for one term
_TAG_WEIGHT = 2  # an author chooses tags with more thought than words
_LEAST = 500  # thousandths: below this, what two posts share is what all posts share

_FEW = 16  # terms that are looked for one by one

_LETTER = r"[^\W\d_가-힣]"
_WORD = rf"[가-힣]+|{_LETTER}{{3,}}"  # compiled when it is first needed


class Kinship:
    """Posts, which are named by their places in the site's order, and who of them has which term.

    The first few terms are looked for in all posts one by one, which is quicker than to look at all terms of all
    posts, as long as few are asked for: after an edit, those of a page or two.
    """

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = articles
        self._terms: list[Collection[str]] = []  # of each post, where all have been looked at
        self._places: dict[str, list[int]] = {}  # term -> who has it, in order
        self._weights: dict[str, int] = {}

    def nearest(self, place: int, without: Collection[str] = ()) -> tuple[Article, ...]:
        """Return up to three posts, the nearest first; of equally near ones, the newer. None of `without`."""
        scores: dict[int, int] = {}
        for term in self._terms[place] if self._terms else _terms(self._articles[place]):
            places = self._places.get(term) or self._having(term)
            weight = self._weights.get(term)
            if weight is None:
                weight = self._weights[term] = self._weight(term)
            if not weight:  # what all posts have says nothing of any
                continue
            at = bisect_left(places, place)
            for other in places[max(at - _REACH, 0) : at + _REACH + 1]:
                scores[other] = scores.get(other, 0) + weight
        scores.pop(place, None)
        count = len(self._articles)
        # The best first, then the newer; as plain numbers, which are sorted much faster than pairs.
        found = sorted([other - score * count for other, score in scores.items() if score >= _LEAST])
        near = (self._articles[code % count] for code in found)
        return tuple(islice((article for article in near if article.path not in without), MOST))

    def _having(self, term: str) -> list[int]:
        """Who has a term."""
        if term not in self._places:
            if len(self._places) < _FEW:
                self._places[term] = self._tagged(term) if term.startswith("#") else self._titled(term)
            else:
                self._look_at_all()
        return self._places[term]

    def _tagged(self, term: str) -> list[int]:
        spellings = self._spellings[term]
        return [
            place
            for place, article in enumerate(self._articles)
            if article.tags and not spellings.isdisjoint(article.tags)
        ]

    def _titled(self, term: str) -> list[int]:
        having = [place for place, title in enumerate(self._titles) if term in title]
        if _is_hangul(term):
            return having
        whole = re.compile(rf"(?<!{_LETTER}){term}(?!{_LETTER})").search
        return [place for place in having if whole(self._titles[place])]

    @cached_property
    def _spellings(self) -> dict[str, set[str]]:
        """Each tag as a term, and as authors write it."""
        found = defaultdict(set)
        for tag in {*chain.from_iterable([article.tags for article in self._articles])}:
            found[_tag(tag)].add(tag)
        return found

    @cached_property
    def _titles(self) -> list[str]:
        """The titles, in which words are looked for: all are folded at once, each on its line."""
        titles = [article.title for article in self._articles]
        text = "\n".join(titles)
        if text.count("\n") >= len(titles):
            text = "\n".join([" ".join(title.split("\n")) for title in titles])
        return _folded(text).split("\n")

    def _look_at_all(self) -> None:
        self._terms = [_terms(article) for article in self._articles]
        self._places = defaultdict(list)
        for place, terms in enumerate(self._terms):
            for term in terms:
                self._places[term].append(place)

    def _weight(self, term: str) -> int:
        """What a term says, in thousandths."""
        weight = round(1000 * math.log(len(self._articles) / len(self._places[term])))
        return weight * (_TAG_WEIGHT if term.startswith("#") else 1)


def _terms(article: Article) -> Collection[str]:
    """The terms of a post, each once."""
    return dict.fromkeys([*map(_tag, article.tags), *_words(article.title)])


@cache
def _tag(tag: str) -> str:
    return "#" + _folded(tag).strip()


@cache
def _words(title: str) -> tuple[str, ...]:
    """Words, and of Hangul its pairs of syllables: `자동미분을` and `자동미분의` share three of four."""
    words: list[str] = []
    for word in re.findall(_WORD, _folded(title)):
        words += [word[at : at + 2] for at in range(len(word) - 1)] if _is_hangul(word) else [word]
    return tuple(words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _is_hangul(word: str) -> bool:
    return "가" <= word[0] <= "힣"
