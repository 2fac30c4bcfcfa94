"""A quick way through Pygments' own rules: the same tokens, several times sooner.

Pygments tries the rules of a state one after the other at every position, and most of them cannot match
there. Which characters a rule can begin with is known from its regular expression. So a `Table` keeps, for
each state and next character, only the rules that may match, in their order; the loop is otherwise
Pygments' own, with its actions and state changes. A set of first characters may be too large (that costs a
try), never too small: whatever is not understood counts as "any character".
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from pygments.lexer import Lexer, RegexLexer
from pygments.token import Error, Whitespace, _TokenType

Tokens: TypeAlias = list[tuple[Any, str]]  # what a text is (a type of Pygments' or its name), and the text
# What a rule does: match, then name what is matched or call what yields tokens, then change the state.
Match: TypeAlias = Callable[[str, int], re.Match[str] | None]
Rule: TypeAlias = tuple[Match, Any, Callable[..., Iterable[tuple[int, _TokenType, str]]] | None, Any]
Named: TypeAlias = Callable[[_TokenType], Any]

BEYOND = 128  # stands for every character that is not ASCII
EVERY = frozenset(range(BEYOND + 1))

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


def tokens(lexer: Lexer, text: str) -> Tokens:
    """The (type, text) pairs of `text`, as `lexer.get_tokens_unprocessed` gives them."""
    return [(kind, value) for _, kind, value in lexer.get_tokens_unprocessed(text)]


def quick(lexer: Lexer, named: Named = lambda kind: kind) -> Callable[[str], Tokens]:
    """A function that does for `lexer` what `tokens` does, by a `Table` where the lexer allows it.

    `named` says what types are to be called. Neighbours of one name may be one. The lexer must be a RegexLexer
    that runs the stock loop: others move the position, or look at the tokens.
    """
    if (
        isinstance(lexer, RegexLexer)
        and type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed
    ):
        return Table(lexer, named).tokens
    return lambda text: [(named(kind), value) for kind, value in tokens(lexer, text)]


class Table:
    """The rules of one lexer by state and next character; rows fill as characters are met."""

    def __init__(self, lexer: RegexLexer, named: Named) -> None:
        self._lexer = lexer
        self._named = named
        states: dict[str, list[tuple[Match, Any, Any]]] = lexer._tokens  # type: ignore[attr-defined]
        self._rows = {state: _Row(_rules(rules, named)) for state, rules in states.items()}

    def tokens(self, text: str) -> Tokens:
        """The (name, text) pairs of `text`: Pygments' `RegexLexer.get_tokens_unprocessed` over the rows.

        What follows each other with one name is a run, cut from the text when another name comes.
        """
        found: Tokens = []
        rows, lexer, named, pos, end = self._rows, self._lexer, self._named, 0, len(text)
        stack = ["root"]
        row = rows["root"]
        run: Any = None  # the name of the run that is under way, None: there is none
        begin = 0
        while True:
            char = text[pos] if pos < end else ""
            for match, name, call, change in row[char]:
                if hit := match(text, pos):
                    if name is not run or name is None:
                        if begin < pos:
                            found.append((run, text[begin:pos]))
                        run, begin = name, pos
                        if name is None:  # a function of the lexer, or text that it passes over
                            begin = hit.end()
                            if call is not None:
                                found += [(named(kind), value) for _, kind, value in call(lexer, hit)]
                    pos = hit.end()
                    if change is not None:
                        _change(stack, change)
                        row = rows[stack[-1]]
                    break
            else:
                if begin < pos:
                    found.append((run, text[begin:pos]))
                if not char:
                    return found
                if char == "\n":  # Pygments starts anew on the next line
                    stack = ["root"]
                    row = rows["root"]
                found.append((named(Whitespace if char == "\n" else Error), char))
                pos += 1
                run, begin = None, pos


def _rules(rules: Iterable[tuple[Match, Any, Any]], named: Named) -> Iterator[Rule]:
    """Pygments' rules of one state, their types named."""
    for match, action, change in rules:
        if type(action) is _TokenType:
            yield match, named(action), None, change
        else:
            yield match, None, action, change


class _Row(dict[str, tuple[Rule, ...]]):
    """The rules of one state by the next character ("" at the end), worked out when first asked for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self._rules = tuple(rules)

    def __missing__(self, char: str) -> tuple[Rule, ...]:
        if not char:
            self[char] = self._rules
        else:
            code = min(ord(char), BEYOND)
            self[char] = tuple(rule for rule in self._rules if code in _beginnings(_pattern(rule[0])))
        return self[char]


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


# --- the first characters of a regular expression ---------------------------------------------


def _pattern(match: Any) -> re.Pattern[str] | None:
    """The pattern whose method `match` is; None for a function that a lexer brings along."""
    pattern = getattr(match, "__self__", None)
    return pattern if isinstance(pattern, re.Pattern) else None


@functools.cache
def _beginnings(pattern: re.Pattern[str] | None) -> frozenset[int]:
    """The characters that a match can begin with; EVERY if it can be empty or nothing is known."""
    if pattern is None:
        return EVERY
    begins, empty = _sequence(_sre.parse(pattern.pattern, pattern.flags), pattern.flags)
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
        else:
            begins |= _CATEGORIES.get(str(value), EVERY)
    if flags & re.IGNORECASE:  # `k` also matches the Kelvin sign, and the long s an `s`
        if inverted or BEYOND in begins:
            return EVERY
        begins = {ord(case) for c in begins for case in (chr(c).lower(), chr(c).upper())} | {BEYOND}
    if inverted:  # some characters beyond ASCII are always outside what was named
        return EVERY - (begins - {BEYOND})
    return frozenset(begins)
