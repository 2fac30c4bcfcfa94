"""Marks: the lines with which authors decorate an output, and which the code never prints.

A *mark* is a rule (`-----`) or a heading (`## x, x.grad`). The printed lines are always shown as they
were printed; the marks of the authored text are put back between them. Build, check and accept all
use `merge`, and nothing else knows where a mark belongs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

RULE = re.compile(r"\s*([-=*_~#+─━═])\1{2,}\s*")
HEADING = re.compile(r"\s{0,3}#{1,6}\s+\S.*")
DIGITS = re.compile(r"\d+")

# Aligning costs (authored lines) x (printed lines); beyond this, lines are paired by position alone.
MOST_PAIRS = 400_000

Placed: TypeAlias = tuple[str, int]
"""A line of the merged text, and the index of the printed line that it is, or stands beside."""


def is_rule(line: str) -> bool:
    """Is this line drawn from one repeated character?"""
    return RULE.fullmatch(line) is not None


def is_heading(line: str) -> bool:
    """Is this line a heading, or a comment on its own (`## x`)?"""
    return HEADING.fullmatch(line) is not None


def is_mark_shaped(line: str) -> bool:
    """Could this line be a mark? (It is one only if the code does not print it.)"""
    return is_rule(line) or is_heading(line)


def merge(authored: Sequence[str], printed: Sequence[str]) -> list[Placed]:
    """Return the printed lines, in order and unchanged, with the marks of `authored` between them.

    A rule goes directly behind its predecessor's partner, a heading directly before its successor's;
    what stood first stays first, what stood last stays last. A white-space line beside a mark moves with
    it, every other one is dropped. Merging a result again gives the same result.
    """
    if not any(map(is_mark_shaped, authored)):
        return [(line, index) for index, line in enumerate(printed)]
    partners = _already_merged(authored, printed)
    if partners is not None:
        return _place(authored, printed, partners)
    placed = _place(authored, printed, _align(authored, printed))
    if _already_merged([line for line, _ in placed], printed) is None:
        # A printed white-space line came between a mark and its own: only then does that one go.
        tight = [line for line in authored if line.strip()]
        placed = _place(tight, printed, _align(tight, printed))
    return placed


def marks_of(authored: Sequence[str], printed: Sequence[str]) -> list[str]:
    """Return the mark lines of `authored`, in order, without the white-space lines beside them."""
    partners = _already_merged(authored, printed)
    if partners is None:
        partners = _align(authored, printed)
    return [line for index, line in enumerate(authored) if index not in partners and is_mark_shaped(line)]


def _already_merged(authored: Sequence[str], printed: Sequence[str]) -> dict[int, int] | None:
    """Pair the lines of a text that is `printed` plus marks; None if it is not.

    Greedy is right here: no later line could take the place of the first equal one, since all that lies
    between them would have to be skipped, and only marks may be.
    """
    partners: dict[int, int] = {}
    for index, line in enumerate(authored):
        if len(partners) < len(printed) and line == printed[len(partners)]:
            partners[index] = len(partners)
        elif line.strip() and not is_mark_shaped(line):
            return None
    if len(partners) < len(printed):
        return None
    dropped = [i for i, line in enumerate(authored) if i not in partners and not line.strip()]
    if any(not _beside_mark(authored, partners, index) for index in dropped):
        return None
    return partners


def _beside_mark(authored: Sequence[str], partners: dict[int, int], index: int) -> bool:
    """Does the white-space line at `index` touch a mark, if only through other such lines?"""
    for step in (-1, 1):
        near = index + step
        while 0 <= near < len(authored) and near not in partners and not authored[near].strip():
            near += step
        if 0 <= near < len(authored) and near not in partners and is_mark_shaped(authored[near]):
            return True
    return False


def _align(authored: Sequence[str], printed: Sequence[str]) -> dict[int, int]:
    """Pair authored lines with printed ones, in order: {authored index: printed index}."""
    text = [i for i, line in enumerate(authored) if line.strip() and not is_mark_shaped(line)]
    other = [i for i, line in enumerate(authored) if not line.strip() or is_mark_shaped(line)]
    partners: dict[int, int] = {}
    if len(authored) * len(printed) <= MOST_PAIRS:
        for key in (str.rstrip, _masked):
            _pair(text, authored, printed, partners, _by_key(key))
        for key in (str.rstrip, _masked):
            _pair(other, authored, printed, partners, _by_key(key))
    _pair(text, authored, printed, partners, _by_position)
    return partners


_Pairing: TypeAlias = Callable[[list[str], list[str]], list[tuple[int, int]]]


def _pair(
    candidates: list[int],
    authored: Sequence[str],
    printed: Sequence[str],
    partners: dict[int, int],
    pairing: _Pairing,
) -> None:
    """Pair the `candidates` that have no partner yet, gap by gap between the pairs already made."""
    taken = set(partners.values())
    edges = [(-1, -1), *sorted(partners.items()), (len(authored), len(printed))]
    free = [i for i in candidates if i not in partners]
    at = 0
    for (_, low), (right, high) in pairwise(edges):
        mine = []
        while at < len(free) and free[at] < right:
            mine.append(free[at])
            at += 1
        theirs = [j for j in range(low + 1, high) if j not in taken]
        if mine and theirs:
            for i, j in pairing([authored[i] for i in mine], [printed[j] for j in theirs]):
                partners[mine[i]] = theirs[j]


def _by_key(key: Callable[[str], str]) -> _Pairing:
    def pairing(left: list[str], right: list[str]) -> list[tuple[int, int]]:
        from difflib import SequenceMatcher  # not at the top: most outputs have no marks

        matcher = SequenceMatcher(None, [key(line) for line in left], [key(line) for line in right], False)
        return [(a + k, b + k) for a, b, size in matcher.get_matching_blocks() for k in range(size)]

    return pairing


def _by_position(left: list[str], right: list[str]) -> list[tuple[int, int]]:
    return [(k, k) for k in range(min(len(left), len(right)))]


def _masked(line: str) -> str:
    return DIGITS.sub("0", line.rstrip())


def _place(authored: Sequence[str], printed: Sequence[str], partners: dict[int, int]) -> list[Placed]:
    """Put the marks between the printed lines."""
    behind: dict[int, list[str]] = {}  # printed index -> lines directly behind it; -1: at the top
    before: dict[int, list[str]] = {}  # printed index -> lines directly before it; len: at the end
    texts = [i for i, line in enumerate(authored) if i in partners or _is_text(line)]
    first, last = (texts[0], texts[-1]) if texts else (len(authored), len(authored))

    def settle(run: list[int], previous: int, following: int) -> None:
        lines = [i for i in run if is_mark_shaped(authored[i]) or _beside_mark(authored, partners, i)]
        behind.setdefault(-1, []).extend(authored[i] for i in lines if i < first)
        middle = [i for i in lines if first < i < last]
        cut = _first_heading(authored, middle)
        behind.setdefault(previous, []).extend(authored[i] for i in middle[:cut])
        before.setdefault(following, []).extend(authored[i] for i in middle[cut:])
        before.setdefault(len(printed), []).extend(authored[i] for i in lines if first <= last < i)

    run: list[int] = []
    previous = -1
    for index, line in enumerate(authored):
        if index in partners:
            settle(run, previous, partners[index])
            run, previous = [], partners[index]
        elif not _is_text(line):
            run.append(index)
    settle(run, previous, len(printed))

    placed: list[Placed] = [(line, 0) for line in behind.get(-1, ())]
    for index, line in enumerate(printed):
        placed += [(mark, index) for mark in before.get(index, ())]
        placed.append((line, index))
        placed += [(mark, index) for mark in behind.get(index, ())]
    placed += [(mark, max(len(printed) - 1, 0)) for mark in before.get(len(printed), ())]
    return placed


def _is_text(line: str) -> bool:
    return bool(line.strip()) and not is_mark_shaped(line)


def _first_heading(authored: Sequence[str], lines: list[int]) -> int:
    """Where in a run of marks does that part begin which goes with the next printed line?"""
    for at, index in enumerate(lines):
        if is_heading(authored[index]) and not is_rule(authored[index]):
            while at > 0 and not authored[lines[at - 1]].strip():
                at -= 1
            return at
    return len(lines)
