"""A quick way through Pygments' own rules: the same tokens, several times sooner.

Pygments tries the rules of a state one after the other at every position, and most of them cannot match
there. What a match can begin with is known from its regular expression: with which characters, and often
with which words. So a `Table` cuts a text into pieces (words, blanks, signs) and keeps, for each state and
piece, what that is, where this is sure; else, for the piece and the one behind it, the rules that may match,
in their order. The loop is otherwise Pygments' own, with its actions and state changes. A set of beginnings may
be too large (that costs a try), never too small: whatever is not understood counts as "anything".
"""

from __future__ import annotations

import functools
import importlib
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple, TypeAlias

from pygments.lexer import Lexer, RegexLexer, bygroups
from pygments.token import Error, Whitespace, _TokenType

# A class of texts, as what each of them is shown as. Neighbours of one class are one text.
Shown: TypeAlias = Mapping[str, Any]
Classes: TypeAlias = Callable[[_TokenType], Shown]
# What a rule does: match, then give the match a class or cut it up, then change the state.
Match: TypeAlias = Callable[[str, int], re.Match[str] | None]
Cut: TypeAlias = Callable[[Any, re.Match[str]], Iterable[tuple[Shown, str]]]
Rule: TypeAlias = tuple[Match, Shown | None, Cut, Any]
Rules: TypeAlias = tuple[Rule, ...]
# What to do at a piece: its class where that is sure, else the rules to try, one of which matches.
Next: TypeAlias = tuple[Shown | None, Rules]

BEYOND = 128  # stands for every character that is not ASCII
EVERY = frozenset(range(BEYOND + 1))


class Run(NamedTuple):
    """Characters that rules often take as one text."""

    begins: str
    goes_on: frozenset[str]


_LETTERS: Final = string.ascii_letters + "_"
_WORD: Final = Run(_LETTERS, frozenset(_LETTERS + string.digits))
_BLANKS: Final = Run(" \t", frozenset(" \t"))
_RUNS: Final = (_WORD, _BLANKS)
_PLAIN: Final = "\t\n" + "".join(map(chr, range(32, 127)))  # what may stand behind a whole run
# A sign, a word, blanks; or what is not ASCII, and words and blanks before it. The end of a piece is a piece, too.
_PIECES: Final = re.compile(
    r"[\n!-/:-@[-^`{-~]|[A-Za-z0-9_]++(?![^\t\n -~])|[ \t]++(?![^\n!-~])"
    r"|[A-Za-z0-9_ \t]*+(?:[^\x00-\x7f]++|(?s:.))"
)
_HEAD: Final = re.compile(r"\A(?:[A-Za-z0-9_]+|.)", re.DOTALL)  # of what stands behind blanks
# What is held in memory in each state: pieces, and how long they are.
_MOST_PIECES, _SHORT = 4096, 40

_IN_WORDS: Final = frozenset(map(ord, _WORD.goes_on))
_BLANK: Final = frozenset(map(ord, _BLANKS.goes_on))
_SIGNS: Final = frozenset(map(ord, _PLAIN)) - _IN_WORDS - _BLANK
_MOST_WORDS: Final = 500
_AROUND: Final = -1  # stands for what is around a match
# Numbers, since flags of the enumeration are slow.
_IGNORECASE: Final = re.IGNORECASE.value
_ASCII: Final = re.ASCII.value

# The standard library's parser of regular expressions. It has no public name.
_sre: Any = importlib.import_module("re._parser")
_CLASSES = {
    "DIGIT": r"\d",
    "NOT_DIGIT": r"\D",
    "SPACE": r"\s",
    "NOT_SPACE": r"\S",
    "WORD": r"\w",
    "NOT_WORD": r"\W",
}
_CATEGORIES = {
    f"CATEGORY_{name}": frozenset(c for c in range(BEYOND) if re.match(escape, chr(c))) | {BEYOND}
    for name, escape in _CLASSES.items()
}


class TextLost(Exception):
    """A lexer has passed over text, or told of text that does not stand there."""


def has_stock_loop(lexer: Lexer) -> bool:
    """Is `lexer` a RegexLexer that runs the stock loop? Others move the position, or look at the tokens."""
    return (
        isinstance(lexer, RegexLexer)
        and type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed
    )


class Table:
    """The rules of one lexer by state and what comes next; rows fill as it comes.

    `classes` says which class texts of a type have.
    """

    def __init__(self, lexer: Lexer, classes: Classes) -> None:
        self._lexer = lexer
        # A lexer with a loop of its own cuts up the whole text.
        states: Any = getattr(lexer, "_tokens", None) if has_stock_loop(lexer) else _OWN_LOOP
        self._rows = {state: _Row(_rules(rules, classes)) for state, rules in states.items()}

    def shown(self, text: str) -> list[Any]:
        """What the texts of each class, one after the other, are shown as: together, all of `text`.

        This is Pygments' `RegexLexer.get_tokens_unprocessed` over the rows. Raises TextLost.
        """
        found: list[Any] = []
        rows, lexer = self._rows, self._lexer
        stack = ["root"]
        row = rows["root"]
        pieces = _PIECES.findall(text)
        count = len(pieces)
        pieces.append("")
        current: Any = None  # the class of the text that is under way
        run = ""  # that text
        number = pos = 0
        hit: Any
        while number < count:
            piece = pieces[number]
            number += 1
            kind = row[piece]
            if kind is None:
                kind, rules = row.before[piece, pieces[number]]
                if rules:
                    end = pos + len(piece)
                    for match, kind, cut, change in rules:  # noqa: B007
                        if (hit := match(text, pos)) is not None:
                            break
                    piece = hit[0]
                    stop = pos + len(piece)
                    while end < stop:
                        end += len(pieces[number])
                        number += 1
                    if end > stop:  # the match ends within a piece
                        number -= 1
                        pieces[number] = pieces[number][stop - end :]
                    if change is not None:
                        _change(stack, change)
                        row = rows[stack[-1]]
                    if kind is None:
                        for kind, value in cut(lexer, hit):
                            if not text.startswith(value, pos):
                                raise TextLost
                            if kind is current:
                                run += value
                            else:
                                if run:
                                    found.append(current[run])
                                current, run = kind, value
                            pos += len(value)
                        if pos != stop:
                            raise TextLost
                        continue
                    if not piece:
                        continue
            if kind is current:
                run += piece
            else:
                if run:
                    found.append(current[run])
                current, run = kind, piece
            pos += len(piece)
        if run:
            found.append(current[run])
        return found


# --- the rules of a state ---------------------------------------------------------------------

_OWN_LOOP: Final = {
    "root": [(re.compile(r"(?s:.+)").match, lambda lexer, hit: lexer.get_tokens_unprocessed(hit[0]), None)]
}
_TO_ROOT: Final = -1_000_000  # pops every state but the first
_BY_GROUPS: Final = bygroups().__code__  # type: ignore[no-untyped-call]


def _nothing(lexer: Lexer, hit: re.Match[str]) -> tuple[()]:
    return ()


def _rules(rules: Iterable[tuple[Match, Any, Any]], classes: Classes) -> Iterator[Rule]:
    """Pygments' rules of one state, and what it does where none of them matches."""
    for match, action, change in rules:
        if type(action) is _TokenType:
            yield match, classes(action), _nothing, change
        else:
            yield match, None, _cut(action, classes) if action else _nothing, change
    yield re.compile(r"\n").match, classes(Whitespace), _nothing, _TO_ROOT
    yield re.compile(r"[^\n]").match, classes(Error), _nothing, None


def _cut(action: Any, classes: Classes) -> Cut:
    """What cuts up a match for an action of Pygments'."""
    if getattr(action, "__code__", None) is _BY_GROUPS:
        kinds = action.__closure__[0].cell_contents
        if all(type(kind) is _TokenType for kind in kinds):
            groups = [classes(kind) for kind in kinds]
            return lambda lexer, hit: [pair for pair in zip(groups, hit.groups(), strict=False) if pair[1]]
    return lambda lexer, hit: [(classes(kind), value) for _, kind, value in action(lexer, hit)]


class _Begun(NamedTuple):
    """What is known by the first character of a piece."""

    rules: Rules
    one: Rule | None  # takes just the character, and that is sure
    run: Rule | None  # takes a whole run, except where something is seen that has rules
    seen: Mapping[str, Rules]


class _Row(dict[str, "Shown | None"]):
    """The class of a piece in one state, where it is sure whatever comes; worked out when first asked for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self._rules = tuple(rules)
        self._begun: dict[str, _Begun] = {}
        self.before = _Before(self)

    def __missing__(self, piece: str) -> Shown | None:
        begun = self.begun(piece[0])
        rule = begun.one if len(piece) == 1 else None
        if rule is None and _is_word(piece) and piece not in begun.seen:
            rule = begun.run
        kind = rule[1] if rule and rule[3] is None else None
        _hold(self, piece, piece, kind)
        return kind

    def begun(self, char: str) -> _Begun:
        """What is known of a piece by its first character."""
        if char not in self._begun:
            code = min(ord(char), BEYOND)
            rules = tuple(rule for rule in self._rules if code in _beginnings(rule[0]))
            self._begun[char] = _Begun(rules, _sure(char, rules), *_sure_run(char, rules))
        return self._begun[char]


class _Before(dict[tuple[str, str], Next]):
    """What to do in one state at a piece that is not sure, by the piece behind it."""

    def __init__(self, row: _Row) -> None:
        super().__init__()
        self._row = row

    def __missing__(self, pair: tuple[str, str]) -> Next:
        piece, behind = pair
        rules, _, run, seen = self._row.begun(piece[0])
        if run and _is_word(piece):
            known = _sure_or(seen.get(piece, ()), run)
        elif run and not piece.strip(" 	"):
            known = _sure_or(seen.get("".join(_HEAD.findall(behind)), ()), run)
        else:
            known = _by_two(rules, piece, behind)
        _hold(self, pair, piece + behind, known)
        return known


def _hold(known: dict[Any, Any], key: Any, text: str, value: Any) -> None:
    """Hold what is known of a short text in memory."""
    if len(text) <= _SHORT:
        if len(known) >= _MOST_PIECES:
            known.clear()
        known[key] = value


def _is_word(piece: str) -> bool:
    return piece.isascii() and piece.isidentifier()


def _sure_or(rules: Rules, run: Rule) -> Next:
    """What to do where `rules` may match, and `run` does if none of them does."""
    if rules or run[3] is not None:
        return None, (*rules, run)
    return run[1], ()


def _sure(char: str, rules: Rules) -> Rule | None:
    """The first of the rules that may match, if it takes just a character."""
    match, kind, _, _ = rules[0]
    return rules[0] if kind is not None and _takes_one(_parsed(match)[0]) and match(char, 0) else None


def _sure_run(char: str, rules: Rules) -> tuple[Rule | None, Mapping[str, Rules]]:
    """The rule that takes a run that begins with `char`, if those before have heads; and they by their heads."""
    run = next((run for run in _RUNS if char in run.begins), None)
    if run is None:
        return None, {}
    seen: dict[str, Rules] = {}
    for rule in rules:
        match, kind, _, _ = rule
        if kind is not None and _takes_all(match) == run.goes_on and match(char, 0):
            return rule, seen
        heads = _heads(match)
        if heads is None:
            break
        for head in heads:
            if run is not _WORD or head.startswith(char):
                seen[head] = (*seen.get(head, ()), rule)
    return None, {}


def _by_two(rules: Rules, piece: str, behind: str) -> Next:
    """What to do at a piece, without the rules that can match neither its first two characters nor just one."""
    two = (piece + behind)[:2]
    if len(two) < 2 or not all(char in _PLAIN for char in two):
        return None, rules
    left: list[Rule] = []
    for rule in rules:
        match, kind, _, change = rule
        seconds, few = _seconds(match, two[0])
        if ord(two[1]) in seconds or (few and _AROUND in seconds):
            left.append(rule)
        elif few and (hit := match(two, 0)) is not None:
            if not left and hit.end() == len(piece) and kind is not None and change is None:
                return kind, ()
            return None, (*left, rule)
    return None, tuple(left)


def _change(stack: list[str], change: Any) -> None:
    """Change the stack of states as a rule says; the last state is never popped."""
    if isinstance(change, int):
        del stack[max(1, len(stack) - abs(change)) :]
        return
    for state in change if isinstance(change, tuple) else (change,):
        if state == "#pop":
            del stack[max(1, len(stack) - 1) :]
        else:
            stack.append(stack[-1] if state == "#push" else state)


# --- what a match of a regular expression begins with -----------------------------------------

# Asked of the `match` of a rule, a method of its pattern: the pattern itself is slow to find in a cache.


@functools.cache
def _parsed(match: Any) -> tuple[tuple[Any, ...], int]:
    """The operations of a pattern, and its flags; no operations of a function that a lexer brings along."""
    pattern = getattr(match, "__self__", None)
    if not isinstance(pattern, re.Pattern):
        return (), 0
    return tuple(_sre.parse(pattern.pattern, pattern.flags)), pattern.flags


def _takes_one(items: Sequence[Any]) -> bool:
    """Do parsed `items` match one character, whatever stands around it?"""
    return len(items) == 1 and str(items[0][0]) in ("LITERAL", "NOT_LITERAL", "IN", "ANY")


@functools.cache
def _takes_all(match: Any) -> frozenset[str]:
    """The plain characters that a match takes, all that come, behind a first one; none if it does more."""
    *begin, (operation, argument) = _parsed(match)[0] or (("", ()),)
    if str(operation) != "MAX_REPEAT" or (begin and not _takes_one(begin)):
        return frozenset()
    least, most, items = argument
    if least > (not begin) or most is not _sre.MAXREPEAT or not _takes_one(items):
        return frozenset()
    whole = match.__self__.fullmatch
    first = next(filter(whole, _PLAIN), None)
    return frozenset(char for char in _PLAIN if first and whole(first + char))


@functools.cache
def _beginnings(match: Match) -> frozenset[int]:
    """The characters that a match can begin with; EVERY if it can be empty or nothing is known."""
    begins, empty = _sequence(*_parsed(match))
    return EVERY if empty else begins


def _sequence(items: Iterable[Any], flags: int) -> tuple[frozenset[int], bool]:
    """First characters of parsed `items`, and whether they can match without taking any."""
    begins: frozenset[int] = frozenset()
    for operation, argument in items:
        more, empty = _item(str(operation), argument, flags)
        begins |= more
        if not empty:
            return begins, False
    return begins, True


def _item(operation: str, argument: Any, flags: int) -> tuple[frozenset[int], bool]:
    """The same for one operation of the parser."""
    match operation:
        case "LITERAL" | "NOT_LITERAL" | "RANGE" | "CATEGORY":
            return _set([(operation, argument)], flags), False
        case "IN":
            return _set([(str(kind), value) for kind, value in argument], flags), False
        case "ANY":
            return (EVERY if flags & re.DOTALL else EVERY - {10}), False
        case "AT" | "ASSERT" | "ASSERT_NOT":  # takes nothing: what follows must match at the same place
            return frozenset(), True
        case "BRANCH":
            branches = [_sequence(branch, flags) for branch in argument[1]]
            return frozenset().union(*(begins for begins, _ in branches)), any(empty for _, empty in branches)
        case "SUBPATTERN":
            _, added, removed, items = argument
            return _sequence(items, (flags | added) & ~removed)
        case "ATOMIC_GROUP":
            return _sequence(argument, flags)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, _, items = argument
            begins, empty = _sequence(items, flags)
            return begins, empty or least == 0
        case _:
            return EVERY, True


def _set(members: list[tuple[str, Any]], flags: int) -> frozenset[int]:
    """The characters of one literal or bracket expression."""
    begins: set[int] = set()
    inverted = False
    for kind, value in members:
        if kind in ("LITERAL", "NOT_LITERAL"):
            inverted |= kind == "NOT_LITERAL"
            begins.add(min(value, BEYOND))
        elif kind == "RANGE":
            begins.update(range(min(value[0], BEYOND), min(value[1], BEYOND) + 1))
        elif kind == "NEGATE":
            inverted = True
        elif flags & _ASCII:  # where `\s` is another set
            return EVERY
        else:
            begins |= _CATEGORIES[str(value)]
    if flags & _IGNORECASE:  # `k` also matches the Kelvin sign, and the long s an `s`
        if inverted or BEYOND in begins:
            return EVERY
        begins = {ord(case) for c in begins for case in (chr(c).lower(), chr(c).upper())} | {BEYOND}
    if inverted:  # some characters beyond ASCII are always outside what was named
        return EVERY - (begins - {BEYOND})
    return frozenset(begins)


@functools.cache
def _seconds(match: Match, char: str) -> tuple[Set[int], bool]:
    """The second characters of matches that begin with `char`, and `_AROUND`; and may one take fewer?"""
    seconds: set[int] = set()
    try:
        taken = _go_on({0}, *_parsed(match), ord(char), seconds)
    except _Unknown:
        return EVERY, True
    return seconds, bool(taken)


def _go_on(taken: Set[int], items: Iterable[Any], flags: int, code: int, seconds: set[int]) -> Set[int]:
    """How many characters a match may have taken behind `items`, one at most, where it began with `code`."""
    for operation, argument in items:
        match str(operation):
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                codes, _ = _item(str(operation), argument, flags)
                if 1 in taken:
                    seconds |= codes
                taken = {1} if 0 in taken and code in codes else set()
            case "AT" | "ASSERT" | "ASSERT_NOT":
                seconds.add(_AROUND)
            case "BRANCH":
                branches = [_go_on(taken, branch, flags, code, seconds) for branch in argument[1]]
                taken = set().union(*branches)
            case "SUBPATTERN":
                _, added, removed, inner = argument
                taken = _go_on(taken, inner, (flags | added) & ~removed, code, seconds)
            case "ATOMIC_GROUP":
                taken = _go_on(taken, argument, flags, code, seconds)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                _, most, inner = argument
                once = _go_on(taken, inner, flags, code, seconds) if most else set()
                twice = _go_on(once, inner, flags, code, seconds) if most > 1 else set()
                taken = taken | once | twice
            case _:
                raise _Unknown
    return taken


class _Unknown(Exception):
    """Too little is known of a match, or there are too many words to name them."""


@functools.cache
def _heads(match: Match) -> Set[str] | None:
    """What a match can begin with behind blanks: words, and signs that are none; None: it is not known.

    The words are whole: where `in` is one, no match begins with the `in` of `int`.
    """
    heads: set[str] = set()
    try:
        words = _grow({""}, *_parsed(match), heads)
    except _Unknown:
        return None
    return None if words else heads


def _grow(words: set[str], items: Iterable[Any], flags: int, heads: set[str]) -> set[str]:
    """What the words that a match has begun with may be behind `items`; those that end go to `heads`.

    "" is none yet: there have been only blanks.
    """
    for operation, argument in items:
        match str(operation):
            case "LITERAL" if argument in _IN_WORDS and not flags & _IGNORECASE:
                words = {word + chr(argument) for word in words}
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                codes, _ = _item(str(operation), argument, flags)
                more, others = codes & _IN_WORDS, codes - _IN_WORDS
                if len(words) * len(more) > _MOST_WORDS:
                    raise _Unknown
                if others:
                    heads |= words - {""}
                if "" in words:
                    heads |= set(map(chr, others & _SIGNS))
                still_none = words & {""} if others & _BLANK else set()
                words = {word + chr(code) for word in words for code in more} | still_none
            case "AT":
                if str(argument) == "AT_BOUNDARY":
                    heads |= words - {""}
                    words = words & {""}
            case "ASSERT" | "ASSERT_NOT":
                pass
            case "BRANCH":
                words = set().union(*(_grow(words, branch, flags, heads) for branch in argument[1]))
            case "SUBPATTERN":
                _, added, removed, inner = argument
                words = _grow(words, inner, (flags | added) & ~removed, heads)
            case "ATOMIC_GROUP":
                words = _grow(words, argument, flags, heads)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                words = _grow_often(words, argument, flags, heads)
            case _:
                raise _Unknown
    return words


def _grow_often(words: set[str], argument: Any, flags: int, heads: set[str]) -> set[str]:
    """The same behind a repetition."""
    least, most, items = argument
    reached: set[str] = set()
    for count in range(most):
        if words <= reached:
            return reached
        if count > 4:
            raise _Unknown
        if count >= least:
            reached |= words
        words = _grow(words, items, flags, heads)
    return reached | words
