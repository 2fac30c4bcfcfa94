"""A quick way through Pygments' own rules: the same tokens, several times sooner.

Pygments tries the rules of a state one after the other at every position, and most of them cannot match
there. What a match can begin with is known from its regular expression: with which characters, and often
with which words. So a `Table` keeps, for each state and next character or word, only the rules that may
match, in their order, and none to try where it is sure which one matches. The loop is otherwise Pygments'
own, with its actions and state changes. A set of beginnings may be too large (that costs a try), never too
small: whatever is not understood counts as "anything".
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
# What to try at a character. Without rules, its class and the change of state are sure. If a run of
# characters is found there, they are sure for all of it, except where something is seen that has rules.
Next: TypeAlias = tuple[Rules, Shown | None, Any, Match | None, Mapping[str, Rules]]

BEYOND = 128  # stands for every character that is not ASCII
EVERY = frozenset(range(BEYOND + 1))


class Run(NamedTuple):
    """Characters that rules often take as one text."""

    begins: str
    goes_on: frozenset[str]
    find: Match  # all of it; group 1 is what is seen there: the word itself, or what stands behind blanks


_LETTERS: Final = string.ascii_letters + "_"
_WORD: Final = Run(
    _LETTERS,
    frozenset(_LETTERS + string.digits),
    re.compile(r"([A-Za-z_][A-Za-z0-9_]*+)(?=[\t\n -~])").match,
)
_BLANKS: Final = Run(" \t", frozenset(" \t"), re.compile(r"[ \t]++(?=([A-Za-z0-9_]++|[\n!-~]))").match)
_RUNS: Final = (_WORD, _BLANKS)
_PLAIN: Final = "\t\n" + "".join(map(chr, range(32, 127)))  # what may stand behind a run that is found

_IN_WORDS: Final = frozenset(map(ord, _WORD.goes_on))
_BLANK: Final = frozenset(map(ord, _BLANKS.goes_on))
_SIGNS: Final = frozenset(map(ord, _PLAIN)) - _IN_WORDS - _BLANK
_MOST_WORDS: Final = 500
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
        rows, lexer, end = self._rows, self._lexer, len(text)
        stack = ["root"]
        row = rows["root"]
        current: Any = None  # the class of the text since `begin`
        begin = pos = 0
        hit: Any
        while pos < end:
            rules, kind, change, find, seen = row[text[pos]]
            stop = pos + 1
            if find is not None and (hit := find(text, pos)) is not None:
                rules, stop = seen.get(hit[1], ()), hit.end()
            if rules:
                for match, kind, cut, change in rules:  # noqa: B007
                    if (hit := match(text, pos)) is not None:
                        stop = hit.end()
                        break
            if kind is None:
                for kind, value in cut(lexer, hit):
                    if not text.startswith(value, pos):
                        raise TextLost
                    if kind is not current:
                        if begin < pos:
                            found.append(current[text[begin:pos]])
                        current, begin = kind, pos
                    pos += len(value)
                if pos != stop:
                    raise TextLost
            elif kind is not current and pos < stop:
                if begin < pos:
                    found.append(current[text[begin:pos]])
                current, begin = kind, pos
            pos = stop
            if change is not None:
                _change(stack, change)
                row = rows[stack[-1]]
        if begin < pos:
            found.append(current[text[begin:pos]])
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


class _Row(dict[str, Next]):
    """What to try in one state by the next character, worked out when first asked for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self._rules = tuple(rules)

    def __missing__(self, char: str) -> Next:
        code = min(ord(char), BEYOND)
        rules = tuple(rule for rule in self._rules if code in _beginnings(rule[0]))
        self[char] = _sure(char, rules) or _sure_run(char, rules) or (rules, None, None, None, {})
        return self[char]


def _sure(char: str, rules: Rules) -> Next | None:
    """What comes of `char`, if the first of the rules that may match takes just that."""
    match, kind, _, change = rules[0]
    if kind is None or not _takes_one(_parsed(match)[0]) or not match(char, 0):
        return None
    return (), kind, change, None, {}


def _sure_run(char: str, rules: Rules) -> Next | None:
    """What comes of a run that begins with `char`, if a rule takes it and those before have heads."""
    run = next((run for run in _RUNS if char in run.begins), None)
    if run is None:
        return None
    seen: dict[str, Rules] = {}
    for rule in rules:
        match, kind, _, change = rule
        if kind is not None and _takes_all(match) == run.goes_on and match(char, 0):
            return rules, kind, change, run.find, {head: (*some, rule) for head, some in seen.items()}
        heads = _heads(match)
        if heads is None:
            return None
        for head in heads:
            if run is not _WORD or head.startswith(char):
                seen[head] = (*seen.get(head, ()), rule)
    return None


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


class _TooMany(Exception):
    """There are too many words to name them."""


@functools.cache
def _heads(match: Match) -> Set[str] | None:
    """What a match can begin with behind blanks: words, and signs that are none; None: it is not known.

    The words are whole: where `in` is one, no match begins with the `in` of `int`.
    """
    heads: set[str] = set()
    try:
        words = _grow({""}, *_parsed(match), heads)
    except _TooMany:
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
                    raise _TooMany
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
                raise _TooMany
    return words


def _grow_often(words: set[str], argument: Any, flags: int, heads: set[str]) -> set[str]:
    """The same behind a repetition."""
    least, most, items = argument
    reached: set[str] = set()
    for count in range(most):
        if words <= reached:
            return reached
        if count > 4:
            raise _TooMany
        if count >= least:
            reached |= words
        words = _grow(words, items, flags, heads)
    return reached | words
