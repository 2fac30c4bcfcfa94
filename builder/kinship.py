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
from functools import cache
from itertools import islice

from builder.model import Article

MOST = 3  # posts of one answer
_REACH = 8  # posts on either side that are looked at for one term
_TAG_WEIGHT = 2  # an author chooses tags with more thought than words
_LEAST = 500  # thousandths: below this, what two posts share is what all posts share

_WORD = re.compile(r"[가-힣]+|[^\W\d_가-힣]{3,}")


class Kinship:
    """An index of posts, which are named by their places in the site's order. It is made when first asked."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = articles
        self._terms: list[Collection[str]] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)  # term -> who has it, in order
        self._weights: dict[str, int] = {}

    def nearest(self, place: int, without: Collection[str] = ()) -> tuple[Article, ...]:
        """Return up to three posts, the nearest first; of equally near ones, the newer. None of `without`."""
        if not self._terms:
            self._make()
        scores: dict[int, int] = {}
        for term in self._terms[place]:
            weight = self._weight(term)
            if not weight:  # what all posts have says nothing of any
                continue
            places = self._places[term]
            at = bisect_left(places, place)
            for other in places[max(at - _REACH, 0) : at + _REACH + 1]:
                scores[other] = scores.get(other, 0) + weight
        scores.pop(place, None)
        count = len(self._articles)
        # The best first, then the newer; as plain numbers, which are sorted much faster than pairs.
        found = sorted([other - score * count for other, score in scores.items() if score >= _LEAST])
        near = (self._articles[code % count] for code in found)
        return tuple(islice((article for article in near if article.path not in without), MOST))

    def _make(self) -> None:
        for place, article in enumerate(self._articles):
            terms = dict.fromkeys([*map(_tag, article.tags), *_words(article.title)])
            self._terms.append(terms)
            for term in terms:
                self._places[term].append(place)

    def _weight(self, term: str) -> int:
        """What a term says, in thousandths."""
        if term not in self._weights:
            weight = round(1000 * math.log(len(self._articles) / len(self._places[term])))
            self._weights[term] = weight * (_TAG_WEIGHT if term.startswith("#") else 1)
        return self._weights[term]


@cache
def _tag(tag: str) -> str:
    return "#" + unicodedata.normalize("NFC", tag).casefold().strip()


@cache
def _words(title: str) -> tuple[str, ...]:
    """Words, and of Hangul its pairs of syllables: `자동미분을` and `자동미분의` share three of four."""
    words: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", title).casefold()):
        words += [word[at : at + 2] for at in range(len(word) - 1)] if "가" <= word[0] <= "힣" else [word]
    return tuple(words)
